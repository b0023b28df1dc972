"""Queries that both sides must understand alike: what is asked, and which claims an answer may show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PERSON = "urn:facet:credential:verified-person:1"


def one(**members: Any) -> dict[str, Any]:
    """A query for one card, with these members of its credential query."""
    return {"credentials": [{"id": "person", "format": "dc+sd-jwt", "meta": {"vct_values": [PERSON]}, **members}]}


def _alternatives() -> dict[str, Any]:
    """A passport that nobody has, or else the card; and, if possible, something that nobody has either."""
    (person,) = one(claims=[{"path": ["age_over_21"]}])["credentials"]
    other = {"id": "passport", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:example:passport"]}}
    sets = [{"options": [["passport"], ["person"]]}, {"options": [["passport"]], "required": False}]
    return {"credentials": [person, other], "credential_sets": sets}


SHOWN: Mapping[str, tuple[dict[str, Any], frozenset[str]]] = {
    "nothing but the card": (one(), frozenset()),
    "claims": (
        one(claims=[{"path": ["given_name"]}, {"path": ["age_over_18"]}]),
        frozenset({"given_name", "age_over_18"}),
    ),
    "values": (one(claims=[{"path": ["age_over_65"], "values": [False]}]), frozenset({"age_over_65"})),
    "all of a list": (one(claims=[{"path": ["nationalities", None]}]), frozenset({"nationalities"})),
    "one of a list": (one(claims=[{"path": ["nationalities", 0]}]), frozenset({"nationalities"})),
    "in an object": (one(claims=[{"path": ["document", "number"]}]), frozenset({"document"})),
    "claim sets": (
        one(
            claims=[{"id": "a", "path": ["never_issued"]}, {"id": "b", "path": ["family_name"]}],
            claim_sets=[["a"], ["b"]],
        ),
        frozenset({"family_name"}),
    ),
    "the first claim set": (
        one(
            claims=[{"id": "a", "path": ["age_over_16"]}, {"id": "b", "path": ["family_name"]}],
            claim_sets=[["a"], ["b"]],
        ),
        frozenset({"age_over_16"}),
    ),
    "alternatives": (_alternatives(), frozenset({"age_over_21"})),
}  # fmt: skip
ALWAYS = frozenset({"vct", "iss", "iat", "exp", "nbf", "cnf", "status", "_sd_alg", "_sd", "issuing_country"})
"""Members that the issuer hides from nobody."""
