"""What this verifier publishes about itself: the DID document of a did:web."""

from __future__ import annotations

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from service.app import json_answer
from service.crosssite import open_to_all
from verifier.web.context import context

blueprint = Blueprint("published", __name__)


@blueprint.get("/.well-known/did.json")
@blueprint.get("/did.json")
@open_to_all
def did_document() -> Response:
    """The key that signs requests, for wallets that know this verifier by its DID (did:web, "Read")."""
    document = context().did_document
    if document is None:
        raise NotFound
    response = json_answer(document)
    response.mimetype = "application/did+json"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
