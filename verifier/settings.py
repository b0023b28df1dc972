"""The verifier's own settings: how it identifies itself, whom it trusts, and how long it keeps what it learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service import control
from service.settings import COMMON, Option, ServiceSettings, Source
from service.settings import read as read_service
from ssi.errors import Malformed
from verifier.asker import BROWSER_REQUESTS

ROLE: Final = "verifier"
PREFIXES: Final = ("x509_hash", "x509_san_dns", "decentralized_identifier", "verifier_attestation", "redirect_uri")
DID_METHODS: Final = ("web", "jwk", "key")
FETCHED_BY: Final = ("get", "post")

OPTIONS: Final[tuple[Option, ...]] = (
    Option("access-cert", "Certificate chain that signs requests, PEM. Default: <data>/verifier/access.pem."),
    Option("access-key", "Private key of that certificate, PEM. Default: <data>/verifier/access.key."),
    Option(
        "client-id-prefix",
        f"How wallets know this verifier: {', '.join(PREFIXES)}; of several (with commas) the first is used in links.",
        "x509_hash",
    ),
    Option("did-method", f"The DID of a decentralized_identifier: {', '.join(DID_METHODS)}, of the access key.", "web"),
    Option(
        "verifier-attestation",
        "JWT by which others vouch for the access key. Default: <data>/verifier/attestation.jwt.",
    ),
    Option("verifier-info", "JSON file with what others say about this verifier, a list for all its requests."),
    Option("request-uri-method", f"How wallets are to fetch requests: {' or '.join(FETCHED_BY)}.", "get"),
    Option(
        "browser-requests",
        f"Requests that pages hand to the browser's API, best first: {', '.join(BROWSER_REQUESTS)}.",
        "signed,unsigned",
    ),
    Option("issuer-anchors", "Authorities of trusted issuers, PEM. Default: <data>/trust/issuer-ca.pem."),
    Option(
        "iaca-anchors",
        "Authorities of states' document signers (mDL, PID), PEM. Default: <data>/trust/iaca.pem, if there.",
    ),
    Option(
        "trusted-issuers",
        "JSON file with further issuers: {DID or URL: [types] or null}. Default: <data>/trust/issuers.json, if there.",
    ),
    Option("trust", "Further issuers, by list or federation, JSON. Default: <data>/trust/trust.json, if there."),
    Option("ledger", "Ledger of DIDs, receipts and accreditations, JSON. Default: <data>/trust/ledger.json, if there."),
    Option("require-accreditation", "Believe only issuers whom the ledger's accreditors have accredited.", flag=True),
    Option("require-anchored-status", "Believe only status lists whose issuers anchor them on the ledger.", flag=True),
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
    control.OPTION,
)


@dataclass(frozen=True)
class VerifierSettings:
    """Everything that the verifier can be told from outside. Paths name files; no field holds a secret.

    `anchors` is None when no file was named and the default one is not there.
    """

    service: ServiceSettings
    access_cert: Path
    access_key: Path
    prefixes: tuple[str, ...]
    did_method: str
    verifier_attestation: Path
    verifier_info: Path | None
    fetched_by: str
    by_browser: tuple[str, ...]
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
    trust: Path | None = None
    ledger: Path | None = None
    require_accreditation: bool = False
    require_anchored_status: bool = False
    control: bool = False


def read(values: Mapping[str, str]) -> VerifierSettings:
    """From a mapping of `FACET_VERIFIER_*` variables. Raises Malformed, Refused (`settings.*`)."""
    service = read_service(ROLE, values)
    source = Source(ROLE, values, COMMON + OPTIONS)
    link = _base("wallet-link", source.text("wallet-link"))
    return VerifierSettings(
        service=service,
        access_cert=source.path("access-cert", default=service.folder / "access.pem"),
        access_key=source.path("access-key", default=service.folder / "access.key"),
        prefixes=_prefixes(source),
        did_method=_one_of(source, "did-method", DID_METHODS),
        verifier_attestation=source.path("verifier-attestation", default=service.folder / "attestation.jwt"),
        verifier_info=source.path("verifier-info") if source.given("verifier-info") else None,
        fetched_by=_one_of(source, "request-uri-method", FETCHED_BY),
        by_browser=_some_of(source, "browser-requests", BROWSER_REQUESTS),
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
        trust=_file(source, "trust", service.data / "trust" / "trust.json"),
        ledger=_file(source, "ledger", service.data / "trust" / "ledger.json"),
        require_accreditation=source.flag("require-accreditation"),
        require_anchored_status=source.flag("require-anchored-status"),
        control=control.allowed(source, service),
    )


def _prefixes(source: Source) -> tuple[str, ...]:
    """Who only says where answers go cannot prove anything else beside it."""
    found = _some_of(source, "client-id-prefix", PREFIXES)
    if "redirect_uri" in found and len(found) > 1:
        raise Malformed("settings.client_id_prefix", "--client-id-prefix redirect_uri stands alone: it signs nothing.")
    return found


def _some_of(source: Source, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Names with commas between them, none twice."""
    found = tuple(one.strip() for one in source.text(name).split(","))
    if not all(one in known for one in found) or len(set(found)) != len(found):
        raise Malformed(f"settings.{name.replace('-', '_')}", f"--{name} must name some of: {', '.join(known)}.")
    return found


def _one_of(source: Source, name: str, known: tuple[str, ...]) -> str:
    found = source.text(name)
    if found not in known:
        raise Malformed(f"settings.{name.replace('-', '_')}", f"--{name} must be one of: {', '.join(known)}.")
    return found


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
