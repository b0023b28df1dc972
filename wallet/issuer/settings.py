"""The desk's settings: under which name it signs, how long its offers live, and where its secrets stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from service import control
from service.settings import Option, ServiceSettings, Source, read
from ssi.errors import Malformed, Unavailable
from ssi.oid4vci import web_url

ROLE: Final = "issuer"
CODE: Final = "code"
SIGN_IN: Final = "sign-in"
WAYS: Final = (CODE, SIGN_IN)
"""How a person shows that an offer is theirs: with a code in the wallet, or by signing in at the desk's page."""
IDENTITIES: Final = ("x5c", "did", "metadata")
MODES: Final = ("on", "required", "off")
KEEP_ISSUED: Final = timedelta(minutes=10)
"""How long a person's data stays after issue where nobody may fetch further copies: a lost answer can be repeated."""
OPTIONS: Final[tuple[Option, ...]] = (
    Option(
        "identify-by",
        "How credentials name their issuer: x5c, did or metadata. Default: did where the desk has a DID log, else x5c.",
    ),
    Option("display-name", "The name of this desk that wallets show.", "Facet Desk"),
    Option("signing-key", "Key that signs credentials and status lists, PEM. Default: <data>/issuer/signing.key."),
    Option("signing-cert", "Its certificate chain without the authority, PEM. Default: <data>/issuer/signing.pem."),
    Option("bbs-seed", "Seed of the key that signs BBS credentials. Default: <data>/issuer/bbs-seed, if there."),
    Option("desk-token-file", "File with the token that opens the desk. Default: <data>/issuer/desk-token."),
    Option("offer-minutes", "Minutes in which an offer must be accepted.", "15"),
    Option("code-tries", "Wrong transaction codes after which an offer is void.", "5"),
    Option("validity-days", "Days for which a credential is valid, at most until the document expires.", "365"),
    Option("keep-hours", "Hours for which an approved application's data is kept while nobody accepts it.", "24"),
    Option("status-ttl", "Seconds for which others may keep a status list before they ask again.", "60"),
    Option("status-size", "Credentials to a status list; all of them hide behind each other.", "131072"),
    Option("ways", "How people get to an offer, the first by default: code, sign-in or both.", "code,sign-in"),
    Option("wallets", "JSON list of wallets that may sign people in. Default: <data>/trust/wallets.json, if there."),
    Option(
        "wallet-anchors",
        "Authorities of wallet providers, PEM. Default: <data>/trust/wallet-provider-ca.pem, if there.",
    ),
    Option(
        "trust", "Further wallet providers, by list or federation, JSON. Default: <data>/trust/trust.json, if there."
    ),
    Option("require-attestation", "Issue to wallets with a trusted wallet attestation only.", flag=True),
    Option("require-dpop", "Give out access tokens that are bound to a key (DPoP) only.", flag=True),
    Option("batch-size", "Copies of a card that a wallet may ask for at once, each for one showing.", "10"),
    Option("copies-days", "Days for which a wallet may fetch further copies; the person's data is kept as long.", "0"),
    Option("encryption", "Encrypted requests and responses at the credential endpoint: on, required or off.", "on"),
    Option("encryption-key", "Key to which wallets encrypt. Default: <data>/issuer/encryption.jwk, made if missing."),
    Option("key-attestation", "Key attestations of wallets (see --wallet-anchors): on, required or off.", "on"),
    Option("eddsa-seed", "Seed of the key that signs EdDSA credentials. Default: <data>/issuer/eddsa-seed, if there."),
    Option("wallet-url", "Address of a web wallet that offers can be opened in directly. Default: none."),
    Option("ledger", "Ledger on which the desk anchors, JSON. Default: <data>/trust/ledger.json, if there."),
    Option("ledger-key", "Key of the desk's account there, PEM. Default: <data>/issuer/ledger.key, if there."),
    Option("did-log", "The history of the desk's did:webvh. Default: <data>/issuer/did.jsonl, if there."),
    Option("anchor-seconds", "Seconds between two batches of issued credentials that are anchored.", "10"),
    Option("anchor-size", "Credentials with which a batch is anchored before its time.", "100000"),
    control.OPTION,
)


@dataclass(frozen=True)
class Issuance:
    """How cards are given out: how many copies at once, for how long, encrypted or not, to which kinds of keys."""

    batch_size: int
    keep: timedelta
    encryption: str
    encryption_key: Path
    key_attestation: str
    eddsa_seed: Path | None


@dataclass(frozen=True)
class LedgerSettings:
    """What the desk keeps on which ledger, with whose account, and how often; None where there is no such file."""

    declaration: Path | None = None
    account: Path | None = None
    log: Path | None = None
    every: int = 10
    size: int = 100_000


@dataclass(frozen=True)
class IssuerSettings:
    """How this desk issues. `service` is what all roles share."""

    service: ServiceSettings
    identify_by: str
    display_name: str
    signing_key: Path
    signing_cert: Path
    bbs_seed: Path | None
    desk_token_file: Path
    offer_lifetime: timedelta
    code_tries: int
    validity: timedelta
    keep_approved: timedelta
    status_ttl: timedelta
    status_size: int
    wallet_url: str | None
    ways: tuple[str, ...]
    wallets: Path | None
    wallet_anchors: Path | None
    require_attestation: bool
    require_dpop: bool
    issuance: Issuance
    trust: Path | None = None
    control: bool = False
    ledger: LedgerSettings = LedgerSettings()

    @property
    def base_url(self) -> str:
        """The Credential Issuer Identifier."""
        return self.service.base_url


def read_settings(values: Mapping[str, str]) -> IssuerSettings:
    """The desk's settings from `FACET_ISSUER_*` variables. Raises Malformed or Refused (`settings.*`)."""
    service = read(ROLE, values)
    source = Source(ROLE, values, OPTIONS)
    ledger = _ledger(source, service)
    identify_by = source.text("identify-by", default="x5c" if ledger.log is None or service.haip else "did")
    if identify_by not in IDENTITIES:
        raise Malformed("settings.identify_by", f"--identify-by must be one of {', '.join(IDENTITIES)}.")
    size = source.number("status-size", low=1024, high=8_388_608)
    if size % 4:
        raise Malformed("settings.status_size", "--status-size must be a multiple of 4.")
    return IssuerSettings(
        service=service,
        identify_by=identify_by,
        display_name=source.text("display-name"),
        signing_key=source.path("signing-key", default=service.folder / "signing.key"),
        signing_cert=source.path("signing-cert", default=service.folder / "signing.pem"),
        bbs_seed=_optional(source, "bbs-seed", service.folder / "bbs-seed"),
        desk_token_file=source.path("desk-token-file", default=service.folder / "desk-token"),
        offer_lifetime=timedelta(minutes=source.number("offer-minutes", low=1, high=1440)),
        code_tries=source.number("code-tries", low=1, high=20),
        validity=timedelta(days=source.number("validity-days", low=1, high=3650)),
        keep_approved=timedelta(hours=source.number("keep-hours", low=1, high=720)),
        status_ttl=timedelta(seconds=source.number("status-ttl", low=1, high=86_400)),
        status_size=size,
        wallet_url=web_url(source.text("wallet-url"), what="--wallet-url").rstrip("/")
        if source.given("wallet-url")
        else None,
        ways=_ways(source),
        wallets=_optional(source, "wallets", service.data / "trust" / "wallets.json"),
        wallet_anchors=_optional(source, "wallet-anchors", service.data / "trust" / "wallet-provider-ca.pem"),
        require_attestation=source.flag("require-attestation") or service.haip,
        require_dpop=source.flag("require-dpop") or service.haip,
        issuance=_issuance(source, service.folder),
        trust=_optional(source, "trust", service.data / "trust" / "trust.json"),
        control=control.allowed(source, service),
        ledger=ledger,
    )


def _ledger(source: Source, service: ServiceSettings) -> LedgerSettings:
    return LedgerSettings(
        declaration=_optional(source, "ledger", service.data / "trust" / "ledger.json"),
        account=_optional(source, "ledger-key", service.folder / "ledger.key"),
        log=_optional(source, "did-log", service.folder / "did.jsonl"),
        every=source.number("anchor-seconds", low=1, high=86_400),
        size=source.number("anchor-size", low=1, high=10_000_000),
    )


def _issuance(source: Source, folder: Path) -> Issuance:
    days = source.number("copies-days", low=0, high=365)
    return Issuance(
        batch_size=source.number("batch-size", low=1, high=50),
        keep=timedelta(days=days) if days else KEEP_ISSUED,
        encryption=source.choice("encryption", MODES),
        encryption_key=source.path("encryption-key", default=folder / "encryption.jwk"),
        key_attestation=source.choice("key-attestation", MODES),
        eddsa_seed=_optional(source, "eddsa-seed", folder / "eddsa-seed"),
    )


def _optional(source: Source, name: str, usual: Path) -> Path | None:
    """A file that may be missing where nobody has named it."""
    if source.given(name):
        return source.path(name)
    return usual if usual.exists() else None


def _ways(source: Source) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(way.strip() for way in source.text("ways").split(",")))
    if not set(found) <= set(WAYS):
        raise Malformed("settings.ways", f"--ways must be one or more of {', '.join(WAYS)}.")
    return found


def read_file(path: Path, *, what: str) -> bytes:
    """A file that the desk cannot work without. Raises Unavailable (`settings.file`)."""
    try:
        return path.read_bytes()
    except OSError:
        missing = (
            f"There is no folder {path.parent}" if not path.parent.is_dir() else f"The {what} ({path}) cannot be read"
        )
        raise Unavailable("settings.file", f"{missing}; run `facet-issuer bootstrap`.") from None


def read_desk_token(path: Path) -> str:
    """The desk token. Raises Unavailable (`settings.desk_token`) when there is none of at least 20 characters."""
    token = read_file(path, what="desk token").decode("ascii", "replace").strip()
    if len(token) < 20:
        raise Unavailable("settings.desk_token", "The desk token is too short; run `facet-issuer bootstrap`.")
    return token
