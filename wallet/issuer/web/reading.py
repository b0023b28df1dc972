"""What the desk's views share: reading a form or JSON, and the words their pages use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import request

from ssi.encoding import read_json_object
from ssi.errors import Malformed
from wallet.issuer.countries import NAMES
from wallet.issuer.person import DOCUMENT_TYPES
from wallet.issuer.web import shown

WORDS: Final = {
    "badge_of": shown.badge,
    "kinds": shown.CREDENTIAL_KINDS,
    "moment": shown.moment,
    "form_of": shown.form,
    "event_words": shown.EVENTS,
    "way_names": shown.WAYS,
    "document_names": DOCUMENT_TYPES,
    "country_names": NAMES,
    "names_of": lambda codes: ", ".join(NAMES[code] for code in codes),
}
"""Names and functions for templates."""


def several(name: str) -> tuple[str, ...]:
    """The values of a field that may come several times; in JSON they are one text, divided by commas."""
    found = request.form.getlist(name) if request.mimetype != "application/json" else fields().get(name, "").split(",")
    return tuple(dict.fromkeys(value.strip() for value in found if value.strip()))


def fields() -> Mapping[str, str]:
    """The fields of a form, or of a JSON object with text members. Raises Malformed."""
    if request.mimetype != "application/json":
        return request.form
    members = read_json_object(request.get_data(), what="request")
    if not all(isinstance(value, str) for value in members.values()):
        raise Malformed("request.fields", "Every member of the request must be a text.")
    return members
