"""Pages: an issuer's address to type, and the cards that can be had there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from service.app import answer, json_answer, status_of, wants_json
from ssi.encoding import Json
from ssi.errors import SsiError
from ssi.formats import names
from ssi.oid4vci import Configuration
from wallet.holder import discovery, receive
from wallet.holder.discovery import Found
from wallet.holder.outside import Outside
from wallet.holder.web.access import holder, sent, vault

pages = Blueprint("issuers", __name__)
MAX_ADDRESS = 2048


@pages.get("/add")
def add() -> ResponseReturnValue:
    """Where to type an issuer's address."""
    vault()
    return _page()


@pages.post("/add")
def look() -> ResponseReturnValue:
    """What the issuer at this address offers."""
    vault()
    wallet, address = holder(), sent("issuer", limit=MAX_ADDRESS)
    try:
        found = discovery.typed(address, outside=wallet.outside, now=wallet.now())
    except SsiError as error:
        if wants_json():
            raise
        return _page(error=error, address=address)
    view = _issuer_view(found, wallet.outside)
    return answer("holder/issuer.html", {"issuer": view}, page={"choices": _by_name(view["cards"])})


@pages.post("/add/choose")
def choose() -> ResponseReturnValue:
    """The card that was picked, as an offer to look at."""
    opened, wallet = vault(), holder()
    address, name = sent("issuer", limit=MAX_ADDRESS), sent("card", limit=512)
    try:
        found = receive.choose(opened, address, name, outside=wallet.outside, now=wallet.now())
    except SsiError as error:
        if wants_json():
            raise
        return _page(error=error, address=address)
    target = f"/offers/{found.id}"
    return json_answer({"next": target}) if wants_json() else redirect(target, 303)


def _page(*, error: SsiError | None = None, address: str = "") -> Response:
    problem: dict[str, Json] | None = None
    if error is not None:
        problem = {"error": error.code, "detail": error.detail}
    status = 200 if error is None else status_of(error)
    page = {"address": address or request.args.get("issuer", "")[:MAX_ADDRESS]}
    return answer("holder/add.html", {"problem": problem}, status=status, page=page)


def _by_name(listed: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The cards as a person chooses: each once by its name, in the form that the issuer lists first, and its others."""
    named: dict[str, list[dict[str, Json]]] = {}
    for one in listed:
        named.setdefault(one["name"], []).append(one)
    return [{"card": first, "others": others} for first, *others in named.values()]


def _forms(listed: Sequence[Configuration]) -> dict[str, str]:
    """What to call the form of each, different among cards of one name: at worst by the issuer's own id."""
    forms = {one.id: _form(one) for one in listed}
    counted = Counter((one.name, forms[one.id]) for one in listed)
    return {
        one.id: forms[one.id] if counted[one.name, forms[one.id]] == 1 else f"{forms[one.id]} ({one.id})"
        for one in listed
    }


def _form(one: Configuration) -> str:
    """The name of a format; of documents with a proof also what kinds of proof."""
    suites = ", ".join(str(alg) for alg in one.signing_algs) if one.format == "ldp_vc" else ""
    return f"{names.name(one.format)} ({suites})" if suites else names.name(one.format)


def _issuer_view(found: Found, outside: Outside) -> dict[str, Json]:
    listed = receive.usable(found, outside)
    forms = _forms(listed)
    return {
        "name": found.metadata.name,
        "address": found.metadata.issuer,
        "verified": found.verified or None,
        "cards": [
            {
                "configuration": one.id,
                "name": one.name,
                "description": one.display[0].description if one.display else None,
                "form": forms[one.id],
            }
            for one in listed
        ],
        "others": len(found.metadata.configurations) - len(listed),
    }
