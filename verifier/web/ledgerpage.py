"""The ledger as this verifier knows it, for everybody: whom it trusts there, and what issuers have on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

import schemas
from service import ledgerwords
from service.app import answer
from ssi.dids.looking import Looking
from ssi.fetch import Fetch
from ssi.ledger.anchor import name_hash
from verifier import wiring
from verifier.settings import VerifierSettings
from verifier.web.context import context, sessions

blueprint = Blueprint("ledger", __name__)

TYPES: Final[Mapping[bytes, str]] = {
    name_hash(schemas.VERIFIED_PERSON): "Verified person",
    name_hash("VerifiedPersonCredential"): "Verified person, as a W3C credential",
}
"""What this house knows of credential types, by what the ledger calls them."""


@blueprint.get("/ledger")
def ledger() -> Response:
    """Accreditations, histories and anchors, as of some seconds ago."""
    looking = context().looking
    if looking is None:
        raise NotFound
    told = looking.look(now=sessions().clock()).json(TYPES)
    page = {**ledgerwords.WORDS, "number": ledgerwords.numbers()}
    return answer("verifier/ledger.html", told, page=page)


def looking(settings: VerifierSettings, *, fetch: Fetch) -> Looking | None:
    """Who looks at the ledger that the settings name, and at the DIDs of the issuers that they list.

    Raises Malformed, Unsupported (`settings.file`, `ledger.*`, `trust.issuers`).
    """
    anchored = wiring.ledger(settings, fetch=fetch)
    if anchored is None:
        return None
    listed = wiring.listed(settings.trusted_issuers)
    names = [] if listed is None else [one for one in listed.types_by_id if one.startswith("did:")]
    return Looking(anchored.ledger, anchored.sources, names=names)
