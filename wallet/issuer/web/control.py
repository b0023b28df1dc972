"""Control: a program on this machine gets offers for a made-up person, without a clerk (`--control`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response

from service import control
from service.app import json_answer
from service.crosssite import open_to_all
from ssi.encoding import Json, text
from ssi.errors import Malformed
from wallet.issuer import trial
from wallet.issuer.office import Office


def blueprint(office: Office, *, now: Callable[[], datetime]) -> Blueprint:
    """The one address of it."""
    made = Blueprint("control", __name__, url_prefix="/control")

    @made.post("/offer")
    @open_to_all
    def offer() -> Response:
        """Make an offer: `{"config": configuration's id, or a list of them}`.

        Optional members: `way` ("code" or "sign-in"), `tx_code` (true: with a transaction code), `held` (true: to be
        released at the desk). Answers `{"uri"}`, the link; also `tx_code` and `reference` where they are needed.
        """
        body = control.read_body(office.settings.service)
        ids, way = _ids(body, known=frozenset(office.offered)), text(body, "way", what="request")
        with_code, held = _flag(body, "tx_code"), _flag(body, "held")
        reference = trial.approve(office.store, office.desk, now=now())
        coded = with_code or way == "sign-in"
        found = office.offers.make(
            reference, configuration_ids=ids, now=now(), way=way or "code", held=held, coded=coded
        )
        more = {"tx_code": found.tx_code, "reference": reference} if coded else {}
        return json_answer({"uri": found.link, **more})

    return made


def _ids(body: dict[str, Json], *, known: frozenset[str]) -> tuple[str, ...]:
    named = body.get("config")
    ids = tuple(named) if isinstance(named, list) else (named,)
    if not ids or not all(isinstance(one, str) and one in known for one in ids):
        raise Malformed("request.config", f"The config must be one or a list of: {', '.join(sorted(known))}.")
    return tuple(dict.fromkeys(ids))


def _flag(body: dict[str, Json], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Malformed(f"request.{name}", f"{name!r} must be true or false.")
    return value
