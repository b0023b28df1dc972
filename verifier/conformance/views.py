"""The verifier's endpoints of the VC API, as test suites call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from flask import Blueprint, Flask, Response, current_app, request

from service.app import json_answer
from service.conformance import read_body
from service.crosssite import open_to_all
from ssi.model import Finding, Outcome
from verifier import shown
from verifier.conformance import asked
from verifier.conformance.judging import Judge

blueprint = Blueprint("conformance_verifier", __name__)
_NAME: Final = "facet_verifier_conformance"


@dataclass(frozen=True)
class World:
    """One application's own things."""

    judge: Judge
    now: Callable[[], datetime]

    def attach(self, app: Flask) -> None:
        """Make this the world of an application."""
        app.extensions[_NAME] = self


def world() -> World:
    """The world of the current request."""
    return cast(World, current_app.extensions[_NAME])


@blueprint.post("/credentials/verify")
@open_to_all
def verify_credential() -> Response:
    """Verify a credential (VC API, "Verify Credential"): 200, or 400 with what was found."""
    here = world()
    body, options = read_body()
    wanted = asked.read(options, address=request.args.getlist("checks"))
    return _verdict(here.judge.credential(body.get("verifiableCredential"), asked=wanted, now=here.now()))


@blueprint.post("/presentations/verify")
@open_to_all
def verify_presentation() -> Response:
    """Verify a presentation and what is in it (VC API, "Verify Presentation"): 200, or 400 with what was found."""
    here = world()
    body, options = read_body()
    wanted = asked.read(options, address=request.args.getlist("checks"))
    return _verdict(here.judge.presentation(body.get("verifiablePresentation"), asked=wanted, now=here.now()))


def _verdict(findings: Sequence[Finding]) -> Response:
    told = [shown.finding_json(finding) for finding in findings]
    wrong = [finding for finding in findings if finding.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
    if not wrong and findings:
        return json_answer({"verified": True, "findings": told})
    code, detail = (wrong[0].code, wrong[0].detail) if wrong else ("conformance.nothing", "Nothing was found proven.")
    answer = {"verified": False, "error": code, "error_description": detail, "findings": told}
    return json_answer(answer, status=400)
