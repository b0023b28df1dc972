"""Issued credentials: their list, and what can be done with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Response, make_response, redirect, url_for

from service.app import answer, json_answer, wants_json
from wallet.issuer.office import Office
from wallet.issuer.statuses import Status
from wallet.issuer.web import shown
from wallet.issuer.web.reading import WORDS, fields

_ACTIONS: Final[Mapping[str, Status]] = {
    "revoke": Status.REVOKED,
    "suspend": Status.SUSPENDED,
    "resume": Status.VALID,
}


@dataclass(frozen=True)
class CredentialPages:
    """The views on credentials."""

    office: Office
    now: Callable[[], datetime]

    def credentials(self) -> Response:
        """All issued credentials with their status."""
        return answer("desk/credentials.html", shown.credentials(self.office.records.all(), now=self.now()), page=WORDS)

    def credential(self, credential_id: str) -> Response:
        """One credential, and the actions on it."""
        return self._credential(credential_id, "desk/credential.html")

    def confirm(self, credential_id: str) -> Response:
        """The question before a credential is revoked."""
        return self._credential(credential_id, "desk/revoke.html")

    def mark(self, credential_id: str, action: str) -> Response:
        """Revoke, suspend or resume a credential."""
        reason = fields().get("reason", "")
        record = self.office.records.mark(credential_id, _ACTIONS[action], reason=reason, now=self.now())
        if wants_json():
            return json_answer(record.json(now=self.now()))
        return make_response(redirect(url_for("desk.credential", credential_id=record.id), 303))

    def _credential(self, credential_id: str, template: str) -> Response:
        data = self.office.records.get(credential_id).json(now=self.now())
        return answer(template, data, page=WORDS)
