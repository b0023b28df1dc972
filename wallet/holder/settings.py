"""The wallet's settings: which key file, whose cards it keeps, whose names it believes, and who vouches for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.settings import Option, ServiceSettings, Source, read
from ssi.errors import Unavailable
from ssi.fetch import Fetch
from ssi.issuerkeys.anchored import Anchored, known
from ssi.ledger.declared import of_file
from ssi.model import TrustPolicy
from ssi.oid4vp import ATTESTATION_TYPE, Clients, read_clients
from ssi.trust import declared, iaca
from ssi.trust.declared import Declared
from ssi.trust.policies import Anchors, AnyOf, read_issuers
from ssi.trust.x509 import read_certificates
from wallet.holder.provider import Provider, read_provider

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
    Option(
        "attester-anchors",
        "Authorities whose holders may attest who asks, PEM. Default: <data>/trust/attester-ca.pem, if there.",
    ),
    Option(
        "known-askers",
        "JSON file of askers known beforehand, who need no certificate. Default: <data>/trust/askers.json, if there.",
    ),
    Option(
        "trust", "Further issuers and askers, by list or federation, JSON. Default: <data>/trust/trust.json, if there."
    ),
    Option("ledger", "Ledger of DIDs and accreditations, JSON. Default: <data>/trust/ledger.json, if there."),
    Option(
        "provider-key",
        "Key that vouches for wallets and their keys to issuers, PEM. Default: <data>/wallet/provider.key, if there.",
    ),
    Option(
        "provider-cert",
        "Its certificate chain without the authority, PEM. Default: <data>/wallet/provider.pem, if there.",
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
    attester_anchors: Path | None
    known_askers: Path | None
    provider_key: Path | None
    provider_cert: Path | None
    trust: Path | None = None
    ledger: Path | None = None


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
        attester_anchors=_if_there(source, "attester-anchors", trust / "attester-ca.pem"),
        known_askers=_if_there(source, "known-askers", trust / "askers.json"),
        provider_key=_if_there(source, "provider-key", service.folder / "provider.key"),
        provider_cert=_if_there(source, "provider-cert", service.folder / "provider.pem"),
        trust=_if_there(source, "trust", trust / "trust.json"),
        ledger=_if_there(source, "ledger", trust / "ledger.json"),
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


def attester_policy(anchors: Path | None) -> TrustPolicy | None:
    """Who may attest whose key asks (OpenID4VP 1.0 §12), and nothing else; None: nobody. Raises as `issuer_policy`."""
    if anchors is None:
        return None
    return Anchors(read_certificates(_content(anchors)), types=frozenset({ATTESTATION_TYPE}))


def known_askers(file: Path | None) -> Clients:
    """The askers that this wallet knows beforehand (OpenID4VP 1.0 §5.9.2). Raises Unavailable, Malformed."""
    return {} if file is None else read_clients(_content(file))


def declared_trust(path: Path | None, *, fetch: Fetch) -> Declared:
    """Whom a trust declaration names, whose files stand beside it. Raises Unavailable, Malformed (`trust.*`)."""
    if path is None:
        return declared.NOTHING
    return declared.read(_content(path), open_file=lambda name: _content(path.parent / name), fetch=fetch)


def known_ledger(settings: WalletSettings, *, fetch: Fetch) -> Anchored | None:
    """The ledger that the settings name. Raises Unavailable (`settings.file`), Malformed, Unsupported (`ledger.*`)."""
    if settings.ledger is None:
        return None
    folder = settings.service.folder if settings.service.folder.is_dir() else None
    content = _content(settings.ledger)
    with of_file(settings.ledger):
        return known(content, fetch=fetch, folder=folder, sleep=time.sleep, clock=time.monotonic)


def provider(settings: WalletSettings) -> Provider | None:
    """Who vouches for these wallets; None when no key or no certificate is there. Raises like `read_provider`."""
    if settings.provider_key is None or settings.provider_cert is None:
        return None
    return read_provider(settings.provider_key, settings.provider_cert, client_id=settings.service.base_url)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Unavailable("settings.file", f"{path.name} cannot be read; run `facet-issuer bootstrap`.") from None
