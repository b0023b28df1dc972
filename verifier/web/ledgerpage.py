"""The ledger as this verifier knows it, for everybody: whom it trusts there, and what issuers have on record."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response

import schemas
from service import ledgerwords
from service.app import answer, refusal
from ssi.dids.looking import Looking
from ssi.encoding import printable, read_json_object
from ssi.fetch import Fetch
from ssi.ledger.anchor import name_hash
from verifier import wiring
from verifier.identities import read_file
from verifier.settings import VerifierSettings
from verifier.web.context import context, sessions

blueprint = Blueprint("ledger", __name__)

TYPES: Final[Mapping[bytes, str]] = {
    name_hash(schemas.VERIFIED_PERSON): "Verified person",
    name_hash("VerifiedPersonCredential"): "Verified person, as a W3C credential",
}
"""What this house knows of credential types, by what the ledger calls them."""
DESCRIPTIONS: Final[Mapping[bytes, str]] = {
    sha256(schemas.read(path)).digest(): TYPES[name_hash(name)] for name, path in schemas.TYPES.items()
}
"""The types by the digests of their descriptions, which issuers record beside the batches of cards."""
_SHOWN: Final = 80
_NONE: Final = (
    "This verifier knows no ledger. Whoever runs it can name one: as the file trust/ledger.json in its data folder, or "
    "with --ledger FILE. It then begins to know it with its next start."
)


@blueprint.get("/ledger")
def ledger() -> Response:
    """Accreditations, histories and anchors, as of some seconds ago."""
    looking = context().looking
    if looking is None:
        return refusal(404, "verifier.no_ledger", _NONE)
    told = looking.look(now=sessions().clock()).json(TYPES, DESCRIPTIONS)
    page = {**ledgerwords.WORDS, "number": ledgerwords.numbers(), "host": looking.host}
    return answer("verifier/ledger.html", told, page=page)


def looking(settings: VerifierSettings, *, fetch: Fetch) -> Looking | None:
    """Who looks at the ledger that the settings name, and at the DIDs of the issuers that they list.

    Raises Malformed, Unsupported (`settings.file`, `ledger.*`, `trust.issuers`).
    """
    anchored = wiring.ledger(settings, fetch=fetch)
    if anchored is None or settings.ledger is None:
        return None
    listed = wiring.listed(settings.trusted_issuers)
    names = [] if listed is None else [one for one in listed.types_by_id if one.startswith("did:")]
    return Looking(anchored.ledger, anchored.sources, names=names, known=DESCRIPTIONS, host=_host(settings.ledger))


def _host(declaration: Path) -> str:
    """Where the first of the ledger's nodes is."""
    said = read_json_object(read_file(declaration), what="declaration of the ledger")
    return printable(urlsplit(str(said["rpc"][0])).netloc, limit=_SHOWN)
