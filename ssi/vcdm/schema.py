"""Schemas: does a credential say what the schemas that it names promise (VCDM 2.0 §4.11, VC JSON Schema)?

Nothing is fetched here: the caller says how the bytes behind a URL are had, and which credentials have been verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ssi.encoding import Json, write_json
from ssi.errors import Malformed, SsiError, Unavailable, Unsupported
from ssi.model import Check, Finding, Outcome
from ssi.vcdm.credentials import Model, SchemaRef, credential
from ssi.vcdm.digests import matches
from ssi.vcdm.evaluation import conforms

JSON_SCHEMA: Final = "JsonSchema"
JSON_SCHEMA_CREDENTIAL: Final = "JsonSchemaCredential"
META_SCHEMA: Final = "https://www.w3.org/ns/credentials/json-schema/v2.json"

Documents = Callable[[str], bytes | None]
"""The bytes behind a schema's URL; None when they are not to be had. May raise Unavailable."""
Credentials = Callable[[str], Mapping[str, Json] | None]
"""A verified credential by its URL, without its proof; None when there is none. May raise Unavailable."""


def nothing(_url: str) -> None:
    """Has no document and no credential, for callers who look nothing up."""


def judge(model: Model, *, documents: Documents = nothing, credentials: Credentials = nothing) -> Finding:
    """A SCHEMA finding over all schemas of a credential: FAIL if one fails, else UNKNOWN if one could not be asked.

    NOT_ASKED when the credential names none. Raises nothing.
    """
    found = [_one(model, one, documents, credentials) for one in model.schemas]
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        for finding in found:
            if finding.outcome is outcome:
                return finding
    if not found:
        return Finding(Check.SCHEMA, Outcome.NOT_ASKED, "schema.none", "The credential names no schema.")
    return found[0]


def _one(model: Model, named: SchemaRef, documents: Documents, credentials: Credentials) -> Finding:
    evidence: dict[str, Json] = {"schema": named.url}
    try:
        good = conforms(_unsecured(model.document), _bytes(named, documents, credentials))
    except Malformed as wrong:
        return Finding(Check.SCHEMA, Outcome.FAIL, wrong.code, wrong.detail, evidence)
    except SsiError as cause:  # VC JSON Schema §4.3: "Indeterminate"
        return Finding(Check.SCHEMA, Outcome.UNKNOWN, cause.code, cause.detail, evidence)
    if good:
        return Finding(
            Check.SCHEMA, Outcome.PASS, "schema.conforms", "The credential conforms to its schema.", evidence
        )
    detail = "The credential does not conform to the schema that it names."
    return Finding(Check.SCHEMA, Outcome.FAIL, "schema.violated", detail, evidence)


def _bytes(named: SchemaRef, documents: Documents, credentials: Credentials) -> bytes:
    if JSON_SCHEMA in named.types:
        data = documents(named.url)
        if data is None:
            raise Unavailable("schema.unavailable", "The schema that the credential names is not to be had here.")
        if not matches(data, named.members):
            raise Malformed("schema.digest", "The schema is not the one that the issuer meant.")
        return data
    if JSON_SCHEMA_CREDENTIAL in named.types:
        found = credentials(named.url)
        if found is None:
            raise Unavailable("schema.unavailable", "The credential that holds the schema is not to be had here.")
        return _held(found)
    raise Unsupported("schema.type", "The credential names a schema of a kind that is not read here.")


def _held(document: Mapping[str, Json]) -> bytes:
    """The schema that a JsonSchemaCredential holds (VC JSON Schema §3.2)."""
    model = credential(document)
    subject = model.subjects[0]
    metaschemas = [one.url for one in model.schemas if JSON_SCHEMA in one.types]
    if (
        JSON_SCHEMA_CREDENTIAL not in model.types
        or len(model.subjects) != 1
        or subject.get("type") != JSON_SCHEMA
        or not isinstance(subject.get("jsonSchema"), Mapping)
        or metaschemas != [META_SCHEMA]
    ):
        raise Malformed("schema.credential", "What should hold the schema is no credential of a JSON Schema.")
    return write_json(subject["jsonSchema"])


def _unsecured(document: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in document.items() if name != "proof"}
