"""The desk's settings: under which name it signs, how long its offers live, and where its secrets stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from service.settings import Option, ServiceSettings, Source, read
from ssi.errors import Malformed, Unavailable
from ssi.oid4vci import web_url

ROLE: Final = "issuer"
IDENTITIES: Final = ("x5c", "did", "metadata")
OPTIONS: Final[tuple[Option, ...]] = (
    Option("identify-by", "How credentials name their issuer: x5c, did or metadata.", "x5c"),
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
    Option("wallet-url", "Address of a web wallet that offers can be opened in directly. Default: none."),
)


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

    @property
    def base_url(self) -> str:
        """The Credential Issuer Identifier."""
        return self.service.base_url


def read_settings(values: Mapping[str, str]) -> IssuerSettings:
    """The desk's settings from `FACET_ISSUER_*` variables. Raises Malformed or Refused (`settings.*`)."""
    service = read(ROLE, values)
    source = Source(ROLE, values, OPTIONS)
    identify_by = source.text("identify-by")
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
        bbs_seed=_seed(source, service.folder / "bbs-seed"),
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
    )


def _seed(source: Source, usual: Path) -> Path | None:
    if source.given("bbs-seed"):
        return source.path("bbs-seed")
    return usual if usual.exists() else None


def read_file(path: Path, *, what: str) -> bytes:
    """A file that the desk cannot work without. Raises Unavailable (`settings.file`)."""
    try:
        return path.read_bytes()
    except OSError:
        raise Unavailable("settings.file", f"The {what} cannot be read; run `facet-issuer bootstrap`.") from None


def read_desk_token(path: Path) -> str:
    """The desk token. Raises Unavailable (`settings.desk_token`) when there is none of at least 20 characters."""
    token = read_file(path, what="desk token").decode("ascii", "replace").strip()
    if len(token) < 20:
        raise Unavailable("settings.desk_token", "The desk token is too short; run `facet-issuer bootstrap`.")
    return token
