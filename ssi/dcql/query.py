"""A DCQL query: what does the asker want to see (OpenID4VP 1.0 §6)?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.formats.paths import parse_path
from ssi.model import ClaimPath

MAX_ENTRIES = 256
"""How many credentials, claims, sets, options or values one list of a query may have."""

MAX_VALUES = 8192
"""How many values (texts, numbers, objects, lists) a whole query may have."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_T = TypeVar("_T")


@dataclass(frozen=True)
class ClaimsQuery:
    """One claim asked for, by path; `values` are those it may have, or () for any (§6.3).

    `retained`: the asker says that it means to keep the claim (B.2.4; where it says nothing, it promises nothing).
    """

    path: ClaimPath
    id: str | None = None
    values: tuple[str | int | bool, ...] = ()
    retained: bool = False

    def allows(self, value: Json) -> bool:
        """Do type and value both match exactly one of the expected ones (§6.3)?"""
        return not self.values or any(type(value) is type(one) and value == one for one in self.values)


@dataclass(frozen=True)
class Authorities:
    """Authorities that the asker will accept, of one kind: "aki", "etsi_tl", "openid_federation" (§6.1.1)."""

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class CredentialQuery:
    """One credential asked for (§6.1)."""

    id: str
    format: str
    meta: Mapping[str, Json]
    claims: tuple[ClaimsQuery, ...] = ()
    claim_sets: tuple[tuple[str, ...], ...] = ()
    multiple: bool = False
    holder_binding: bool = True
    authorities: tuple[Authorities, ...] = ()

    @property
    def alternatives(self) -> tuple[tuple[ClaimsQuery, ...], ...]:
        """The combinations of claims that answer, the asker's favourite first (§6.4.1)."""
        if not self.claim_sets:
            return (self.claims,)
        by_id = {claim.id: claim for claim in self.claims}
        return tuple(tuple(by_id[name] for name in names) for names in self.claim_sets)


@dataclass(frozen=True)
class CredentialSet:
    """Combinations of credential queries, one of which answers the purpose (§6.2)."""

    options: tuple[tuple[str, ...], ...]
    required: bool = True


@dataclass(frozen=True)
class Query:
    """A whole query. `json` is the object as it was read, to be sent or shown unchanged."""

    credentials: tuple[CredentialQuery, ...]
    credential_sets: tuple[CredentialSet, ...] = ()
    json: Mapping[str, Json] = field(default_factory=dict, repr=False, compare=False)

    @property
    def sets(self) -> tuple[CredentialSet, ...]:
        """The credential sets; where the query has none, the one set of all its credentials (§6.4.2)."""
        return self.credential_sets or (CredentialSet((tuple(one.id for one in self.credentials),)),)

    def credential(self, query_id: str) -> CredentialQuery | None:
        """The credential query with this id."""
        return next((one for one in self.credentials if one.id == query_id), None)


def parse(query: object) -> Query:
    """Read a DCQL query from its JSON value; unknown members are ignored (§6).

    Raises Malformed (`dcql.*`, `path.form`).
    """
    members = _bounded(_object(query, "query"))
    credentials = _list(members, "credentials", _credential)
    ids = [one.id for one in credentials]
    if not credentials or len(set(ids)) != len(ids):
        raise Malformed("dcql.credentials", "The query asks for no credential, or names two alike.")
    sets, known = _list(members, "credential_sets", _credential_set), frozenset(ids)
    if any(name not in known for one in sets for option in one.options for name in option):
        raise Malformed("dcql.credential_sets", "A credential set names a credential that the query does not describe.")
    return Query(credentials, sets, dict(members))


def _bounded(query: Mapping[str, Json]) -> Mapping[str, Json]:
    """The same query, if it is one of a sane size. Raises Malformed (`dcql.size`)."""
    level: list[Json] = [query]
    left = MAX_VALUES
    while level:
        left -= len(level)
        if left < 0:
            raise Malformed("dcql.size", f"The query has more than {MAX_VALUES} values.")
        below: list[Json] = []
        for value in level:
            if isinstance(value, Mapping):
                below += value.values()
            elif isinstance(value, list | tuple):
                below += value
        level = below
    return query


def _credential(value: object) -> CredentialQuery:
    members = _object(value, "credential")
    claims = _list(members, "claims", _claim)
    claim_sets = _list(members, "claim_sets", _identifiers)
    _check_claim_sets(claims, claim_sets)
    return CredentialQuery(
        id=_identifier(members.get("id")),
        format=_text(members.get("format"), "format"),
        meta=_object(members.get("meta"), "meta"),
        claims=claims,
        claim_sets=claim_sets,
        multiple=_flag(members, "multiple", absent=False),
        holder_binding=_flag(members, "require_cryptographic_holder_binding", absent=True),
        authorities=_list(members, "trusted_authorities", _authorities),
    )


def _check_claim_sets(claims: tuple[ClaimsQuery, ...], claim_sets: tuple[tuple[str, ...], ...]) -> None:
    """§6.3 and §6.4.1: sets need claims, all of them named, and name only those."""
    names = [claim.id for claim in claims if claim.id is not None]
    if len(set(names)) != len(names):
        raise Malformed("dcql.claims", "Two claims of one credential have the same id.")
    if not claim_sets:
        return
    known = frozenset(names)
    if len(names) != len(claims) or any(name not in known for one in claim_sets for name in one):
        raise Malformed("dcql.claim_sets", "A claim set needs claims that have ids, and may name only those.")


def _claim(value: object) -> ClaimsQuery:
    members = _object(value, "claim")
    name = _identifier(members["id"]) if "id" in members else None
    retained = members.get("intent_to_retain") is True  # of mdoc only, so elsewhere any value is as good as none
    return ClaimsQuery(parse_path(members.get("path")), name, _list(members, "values", _expected), retained)


def _expected(value: object) -> str | int | bool:
    if isinstance(value, str | int):
        return value
    raise Malformed("dcql.values", "An expected value is not a string, an integer or a boolean.")


def _authorities(value: object) -> Authorities:
    members = _object(value, "trusted_authorities")
    values = _list(members, "values", lambda one: _text(one, "trusted_authorities"))
    if not values:
        raise Malformed("dcql.trusted_authorities", "A trusted authorities entry has no values.")
    return Authorities(_text(members.get("type"), "trusted_authorities"), values)


def _credential_set(value: object) -> CredentialSet:
    members = _object(value, "credential_set")
    options = _list(members, "options", _identifiers)
    if not options:
        raise Malformed("dcql.credential_sets", "A credential set has no options.")
    return CredentialSet(options, _flag(members, "required", absent=True))


def _identifiers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise Malformed("dcql.ids", "A set in the query is not a list of identifiers.")
    return tuple(_identifier(one) for one in value)


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Malformed("dcql.id", "An identifier in the query is not made of letters, digits, `_` and `-`.")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise Malformed(f"dcql.{what}", f"The query's {what} is not a string.")
    return value


def _flag(members: Mapping[str, Json], name: str, *, absent: bool) -> bool:
    value = members.get(name, absent)
    if not isinstance(value, bool):
        raise Malformed("dcql.flag", f"The query's {name} is not true or false.")
    return value


def _object(value: object, what: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise Malformed(f"dcql.{what}", f"The query's {what} is not an object.")
    return value


def _list(members: Mapping[str, Json], name: str, read: Callable[[object], _T]) -> tuple[_T, ...]:
    """An optional array that may not be empty when it is there (§6: each of them is "non-empty")."""
    if name not in members:
        return ()
    value = members[name]
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise Malformed(f"dcql.{name}", f"The query's {name} is not a list of 1 to {MAX_ENTRIES} entries.")
    return tuple(read(entry) for entry in value)
