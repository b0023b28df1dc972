"""The verifier's own settings: how it identifies itself, whom it trusts, and how long it keeps what it learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service.settings import COMMON, Option, ServiceSettings, Source
from service.settings import read as read_service
from ssi.errors import Malformed

ROLE: Final = "verifier"
PREFIXES: Final = ("x509_hash", "x509_san_dns")

OPTIONS: Final[tuple[Option, ...]] = (
    Option("name", "What wallets call this verifier before its certificate is known.", "Facet Verifier"),
    Option("access-cert", "Certificate chain that signs requests, PEM. Default: <data>/verifier/access.pem."),
    Option("access-key", "Private key of that certificate, PEM. Default: <data>/verifier/access.key."),
    Option("client-id-prefix", f"How wallets know this verifier: {' or '.join(PREFIXES)}.", "x509_hash"),
    Option("issuer-anchors", "Authorities of trusted issuers, PEM. Default: <data>/trust/issuer-ca.pem."),
    Option(
        "iaca-anchors",
        "Authorities of states' document signers (mDL, PID), PEM. Default: <data>/trust/iaca.pem, if there.",
    ),
    Option(
        "trusted-issuers",
        "JSON file with further issuers: {DID or URL: [types] or null}. Default: <data>/trust/issuers.json, if there.",
    ),
    Option("api-key-file", "File with one API key to a line. Default: <data>/verifier/api-key, if there."),
    Option(
        "seal-key", "Key that seals stored claims, shared by replicas. Default: <data>/verifier/seal.key, made once."
    ),
    Option("wallet-link", "What the link in QR codes begins with.", "openid4vp://"),
    Option("wallet-url", "What the same-device link begins with; a web wallet's address. Default: --wallet-link."),
    Option("request-seconds", "How long a request can be answered.", "300"),
    Option("retention-seconds", "How long the claims of an accepted answer are kept.", "600"),
    Option("memory-seconds", "How long a finished request and its findings are remembered.", "86400"),
    Option("status-seconds", "How old a status list may be; asked for anew after its ttl or half of this.", "86400"),
)


@dataclass(frozen=True)
class VerifierSettings:
    """Everything that the verifier can be told from outside. Paths name files; no field holds a secret.

    `anchors` is None when no file was named and the default one is not there.
    """

    service: ServiceSettings
    name: str
    access_cert: Path
    access_key: Path
    prefix: str
    anchors: Path | None
    iacas: Path | None
    trusted_issuers: Path | None
    api_key_file: Path | None
    seal_key: Path
    wallet_link: str
    wallet_url: str
    lifetime: timedelta
    retention: timedelta
    memory: timedelta
    status_max_age: timedelta


def read(values: Mapping[str, str]) -> VerifierSettings:
    """From a mapping of `FACET_VERIFIER_*` variables. Raises Malformed, Refused (`settings.*`)."""
    service = read_service(ROLE, values)
    source = Source(ROLE, values, COMMON + OPTIONS)
    link = _base("wallet-link", source.text("wallet-link"))
    prefix = source.text("client-id-prefix")
    if prefix not in PREFIXES:
        raise Malformed("settings.client_id_prefix", f"--client-id-prefix must be {' or '.join(PREFIXES)}.")
    return VerifierSettings(
        service=service,
        name=source.text("name"),
        access_cert=source.path("access-cert", default=service.folder / "access.pem"),
        access_key=source.path("access-key", default=service.folder / "access.key"),
        prefix=prefix,
        anchors=_file(source, "issuer-anchors", service.data / "trust" / "issuer-ca.pem"),
        iacas=_file(source, "iaca-anchors", service.data / "trust" / "iaca.pem"),
        trusted_issuers=_file(source, "trusted-issuers", service.data / "trust" / "issuers.json"),
        api_key_file=_file(source, "api-key-file", service.folder / "api-key"),
        seal_key=source.path("seal-key", default=service.folder / "seal.key"),
        wallet_link=link,
        wallet_url=_base("wallet-url", source.text("wallet-url", default=link)),
        lifetime=_span(source, "request-seconds", low=10, high=86_400),
        retention=_span(source, "retention-seconds", low=0, high=31_536_000),
        memory=_span(source, "memory-seconds", low=60, high=31_536_000),
        status_max_age=_span(source, "status-seconds", low=11, high=2_592_000),
    )


def _file(source: Source, name: str, default: Path) -> Path | None:
    """A file that was named, or the default one where it exists."""
    path = source.path(name, default=default)
    return path if source.given(name) or path.exists() else None


def _span(source: Source, name: str, *, low: int, high: int) -> timedelta:
    return timedelta(seconds=source.number(name, low=low, high=high))


def _base(name: str, value: str) -> str:
    """The beginning of a wallet link: any scheme but those that a browser would run or send in the clear."""
    scheme = urlsplit(value).scheme
    if not scheme or scheme in {"javascript", "data", "http", "file", "blob"} or any(c.isspace() for c in value):
        raise Malformed(f"settings.{name.replace('-', '_')}", f"--{name} must look like openid4vp:// or https://….")
    return value
