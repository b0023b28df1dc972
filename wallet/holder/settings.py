"""The wallet's settings: which key file, whose cards it keeps, and whose names on a request it believes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.settings import Option, ServiceSettings, Source, read
from ssi.errors import Unavailable
from ssi.model import TrustPolicy
from ssi.trust import iaca
from ssi.trust.policies import Anchors, AnyOf, read_issuers
from ssi.trust.x509 import read_certificates

ROLE: Final = "wallet"
OPTIONS: Final[tuple[Option, ...]] = (
    Option(
        "cookie-key", "File with the service's secret, the same for all replicas. Default: <data>/wallet/cookie.key."
    ),
    Option("issuer-anchors", "Authorities whose issuers' cards are kept, PEM. Default: <data>/trust/issuer-ca.pem."),
    Option(
        "asker-anchors",
        "Authorities that vouch for those who ask for data, PEM. Default: <data>/trust/relying-party-ca.pem.",
    ),
    Option(
        "iaca-anchors",
        "Authorities of states' document signers (mDL, PID), PEM. Default: <data>/trust/iaca.pem, if there.",
    ),
    Option(
        "trusted-issuers",
        "JSON file with further issuers: {DID or URL: [types] or null}. Default: <data>/trust/issuers.json, if there.",
    ),
)


@dataclass(frozen=True)
class WalletSettings:
    """How this wallet service runs. `service` is what all roles share."""

    service: ServiceSettings
    cookie_key: Path
    issuer_anchors: Path
    asker_anchors: Path
    iaca_anchors: Path | None
    trusted_issuers: Path | None


def read_settings(values: Mapping[str, str]) -> WalletSettings:
    """The wallet's settings from `FACET_WALLET_*` variables. Raises Malformed or Refused (`settings.*`)."""
    service = read(ROLE, values)
    source = Source(ROLE, values, OPTIONS)
    trust = service.data / "trust"
    return WalletSettings(
        service=service,
        cookie_key=source.path("cookie-key", default=service.folder / "cookie.key"),
        issuer_anchors=source.path("issuer-anchors", default=trust / "issuer-ca.pem"),
        asker_anchors=source.path("asker-anchors", default=trust / "relying-party-ca.pem"),
        iaca_anchors=_if_there(source, "iaca-anchors", trust / "iaca.pem"),
        trusted_issuers=_if_there(source, "trusted-issuers", trust / "issuers.json"),
    )


def _if_there(source: Source, name: str, usual: Path) -> Path | None:
    if source.given(name):
        return source.path(name)
    return usual if usual.exists() else None


def issuer_policy(anchors: Path, listed: Path | None = None, iacas: Path | None = None) -> TrustPolicy:
    """Whose cards are kept. Raises Unavailable (`settings.file`), Malformed (`trust.*`)."""
    certified = Anchors(read_certificates(_content(anchors)), types=None)
    general = certified if listed is None else AnyOf((certified, read_issuers(_content(listed))))
    return general if iacas is None else iaca.beside(general, read_certificates(_content(iacas)))


def asker_policy(anchors: Path) -> TrustPolicy | None:
    """Whose names on a request are believed; None when the file is missing: then nobody's are."""
    return Anchors(read_certificates(anchors.read_bytes()), types=None) if anchors.exists() else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Unavailable("settings.file", f"{path.name} cannot be read; run `facet-issuer bootstrap`.") from None
