"""Applications: their list, their form, and the decision on each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Response, make_response, redirect, request, url_for
from werkzeug.datastructures import FileStorage

from service.app import answer, json_answer, wants_json
from ssi.encoding import Json
from ssi.errors import Malformed
from wallet.issuer import kinds
from wallet.issuer.countries import NAMES
from wallet.issuer.desk import MAX_SELFIES
from wallet.issuer.office import Office
from wallet.issuer.person import DOCUMENT_TYPES, FormError, Person
from wallet.issuer.web import shown
from wallet.issuer.web.reading import WORDS

_COUNTRIES: Final = sorted(NAMES.items(), key=lambda each: each[1])


@dataclass(frozen=True)
class ApplicationPages:
    """The views on applications."""

    office: Office
    now: Callable[[], datetime]

    def home(self) -> Response:
        """All applications with where they stand."""
        found = self.office.desk.applications()
        states = self.office.offers.states(tuple(each.id for each in found), now=self.now())
        return answer("desk/home.html", shown.applications(found, states), page=WORDS)

    def form(self) -> Response:
        """An empty application form, or one filled from an application that was declined."""
        earlier = request.args.get("from")
        person = None if earlier is None else self.office.desk.application(earlier).person
        values = {} if person is None else person.json
        return self._form(values, errors={}, status=200)

    def apply(self) -> Response:
        """Take an application, compare the faces, decide."""
        form = {name: request.form.getlist(name) for name in request.form}
        now = self.now()
        try:
            person = Person.read(form, today=now.date())
            made = self.office.desk.apply(person, portrait=_picture("portrait"), selfies=_pictures("selfie"), now=now)
        except FormError as error:
            return self._rejected(form, error, error.fields)
        except Malformed as error:
            return self._rejected(form, error, {"pictures": error.detail})
        target = url_for("desk.application", application_id=made.id)
        if not wants_json():
            return make_response(redirect(target, 303))
        response = json_answer(shown.application(made, None, None), status=201)
        response.headers["Location"] = target
        return response

    def application(self, application_id: str) -> Response:
        """The decision, its reasons, and what can be done next."""
        found = self.office.desk.application(application_id)
        offer = self.office.offers.state(application_id, now=self.now())
        record = self.office.records.of_application(application_id)
        offered = [kind for name in self.office.offered if (kind := kinds.by_id(name)) is not None]
        page = {**WORDS, "offered": offered, "ways": self.office.settings.ways}
        return answer("desk/application.html", shown.application(found, offer, record), page=page)

    def rule(self, application_id: str, ruling: str) -> Response:
        """Release or refuse what was offered under reserve."""
        if ruling == "release":
            self.office.releases.release(application_id)
        else:
            self.office.releases.refuse(application_id, now=self.now())
        if not wants_json():
            return make_response(redirect(url_for("desk.application", application_id=application_id), 303))
        offer = self.office.offers.state(application_id, now=self.now())
        return json_answer({"application_id": application_id, "state": None if offer is None else offer.word})

    def _rejected(self, form: Mapping[str, Sequence[str]], error: Malformed, fields: Mapping[str, str]) -> Response:
        if wants_json():
            body = {"error": error.code, "error_description": error.detail, "fields": dict(fields)}
            return json_answer(body, status=400)
        values = {name: given[0] for name, given in form.items() if given}
        values["nationalities"] = list(form.get("nationalities", ()))  # type: ignore[assignment]  # the one field with several values
        return self._form(values, errors=fields, status=400)

    def _form(self, values: Mapping[str, Json], *, errors: Mapping[str, str], status: int) -> Response:
        page = {
            "values": values,
            "errors": errors,
            "documents": list(DOCUMENT_TYPES.items()),
            "countries": _COUNTRIES,
            "most_selfies": MAX_SELFIES,
        }
        return answer("desk/form.html", {}, status=status, page=page)


def _picture(name: str) -> bytes:
    found = _pictures(name)
    if len(found) > 1:
        raise Malformed("application.pictures", "Add one portrait only.")
    return found[0] if found else b""


def _pictures(name: str) -> list[bytes]:
    """The uploaded files of a field; an empty field of a browser form is none."""
    files: list[FileStorage] = request.files.getlist(name)
    return [data for data in (file.read() for file in files) if data]
