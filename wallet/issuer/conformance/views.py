"""The issuer's and holder's endpoints of the VC API, as test suites call them."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from service.app import json_answer
from service.conformance import read_body
from service.crosssite import open_to_all
from ssi.encoding import write_json
from ssi.errors import Refused
from wallet.issuer.conformance import issuing
from wallet.issuer.conformance.desks import BITSTRING
from wallet.issuer.conformance.world import world

blueprint = Blueprint("conformance_issuer", __name__)
_LIST_TYPES: Final = ("application/vc", "application/ld+json", "application/json")


@blueprint.post("/<path>/credentials/issue")
@open_to_all
def issue(path: str) -> Response:
    """Secure the caller's credential at the desk of this path (VC API, "Issue Credential")."""
    here = world()
    desk = here.desks.get(path)
    if desk is None:
        raise Refused("conformance.path", "No proofs are made at this address.")
    body, options = read_body()
    credential, now = body.get("credential"), here.now()
    if path == BITSTRING:
        credential = here.lists.listed(credential, random=here.random)
    issued = issuing.issue(desk, credential, options, now=now, random=here.random)
    return json_answer({"verifiableCredential": issued}, status=201)


@blueprint.post("/credentials/derive")
@open_to_all
def derive() -> Response:
    """Show a part of the caller's credential (VC API, "Derive Credential")."""
    here = world()
    body, options = read_body()
    derived = issuing.derive(
        body.get("verifiableCredential"), options, keys=here.keys, now=here.now(), random=here.random
    )
    return json_answer({"verifiableCredential": derived}, status=201)


@blueprint.get("/status/<name>")
@open_to_all
def status(name: str) -> Response:
    """The status list credential that credentials of the bitstring desk refer to."""
    found = write_json(world().lists.published(name))
    media_type = request.accept_mimetypes.best_match(_LIST_TYPES, default=_LIST_TYPES[0])
    response = Response(found, mimetype=media_type)
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
