"""Verifier info: what do others say about the asker, as the asker has it (OpenID4VP 1.0 §5.1, §5.11)?

Nothing in it is believed here. A wallet that knows a format of it may check signature and binding; what it does not
know it ignores, or shows as the asker's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ssi import dcql
from ssi.encoding import Json, read_json
from ssi.errors import Malformed

MAX_ENTRIES = 16
MAX_FORMAT = 256
MAX_DATA = 65_536


PURPOSE = "urn:facet:purpose:1"
"""The format of this house in which an asker says why it asks: {"purpose": a sentence}. Its own word, as ever."""


@dataclass(frozen=True)
class VerifierInfo:
    """One attestation about the asker, unverified; `credential_ids` are the queries that it is about, () for all."""

    format: str
    data: Json
    credential_ids: tuple[str, ...] = ()

    @property
    def json(self) -> dict[str, Json]:
        """The object as a request carries it."""
        ids = {"credential_ids": list(self.credential_ids)} if self.credential_ids else {}
        return {"format": self.format, "data": self.data, **ids}


def read(parameters: Mapping[str, Json], query: dcql.Query) -> tuple[VerifierInfo, ...]:
    """The request's `verifier_info`; () when it has none. Raises Malformed (`oid4vp.verifier_info`)."""
    if "verifier_info" not in parameters:
        return ()
    values = parameters["verifier_info"]
    if not isinstance(values, list) or not 0 < len(values) <= MAX_ENTRIES:
        raise Malformed("oid4vp.verifier_info", "What the request says about its asker is not a list of a few entries.")
    return tuple(_entry(value, query) for value in values)


def from_link(value: str) -> Json:
    """Verifier info as a link's parameter has it: JSON text. Raises Malformed (`encoding.json`)."""
    return read_json(value, what="request's verifier info")


def _entry(value: Json, query: dcql.Query) -> VerifierInfo:
    wrong = Malformed("oid4vp.verifier_info", "An entry about the asker in the request is not complete.")
    if not isinstance(value, Mapping):
        raise wrong
    form, data, ids = value.get("format"), value.get("data"), value.get("credential_ids", [])
    if not isinstance(form, str) or not 0 < len(form) <= MAX_FORMAT or not isinstance(data, str | Mapping) or not data:
        raise wrong
    if not isinstance(ids, list) or ("credential_ids" in value and not ids):
        raise wrong
    if any(not isinstance(name, str) or query.credential(name) is None for name in ids):
        raise wrong
    return VerifierInfo(form, data, tuple(ids))
