"""Resolved metadata: what is an entity, after all its superiors have had their say (OpenID Federation §6.1.4, §6.2)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json
from ssi.errors import Malformed, Refused
from ssi.trust.federation.operators import ABSENT, NAMES, Policy, applied, combined, error, merged
from ssi.trust.federation.statements import Metadata, Statement

FEDERATION_ENTITY: Final = "federation_entity"
_MAX_PARAMETERS: Final = 1000

Policies = Mapping[str, Mapping[str, Policy]]
"""Policies by entity type and parameter."""


def resolve(chain: Sequence[Statement]) -> Metadata:
    """The metadata of a verified chain's subject; `chain` begins with its configuration and ends at the anchor's.

    Raises Refused (`trust.federation_policy`, `trust.federation_constraint`) and Malformed
    (`trust.federation_policy_form`, `trust.federation_constraint_form`).
    """
    subject, about = chain[0], [each for each in chain[1:] if not each.about_itself]
    found = {kind: dict(parameters) for kind, parameters in subject.metadata.items()}
    if about:  # §3.1.1: what the immediate superior states comes first, for the types that the subject has
        for kind, parameters in about[0].metadata.items():
            if kind in found:
                found[kind].update(parameters)
    for intermediates, statement in enumerate(about):
        found = _constrained(found, statement, chain, intermediates)
    policies = _policies(about)
    return {kind: _under(parameters, policies.get(kind, {})) for kind, parameters in found.items()}


# --- policy (§6.1) ----------------------------------------------------------------------------------------------------


def _policies(about: Sequence[Statement]) -> Policies:
    """§6.1.4.1: from the most superior statement down to the immediate superior's."""
    found: dict[str, dict[str, Policy]] = {}
    for statement in reversed(about):
        for kind, parameters in _policy(statement).items():
            known = found.setdefault(kind, {})
            for name, policy in parameters.items():
                known[name] = merged(known[name], policy) if name in known else policy
    return found


def _policy(statement: Statement) -> Policies:
    """§6.1.2: three levels of objects. Operators beyond the standard ones are ignored; critical ones were refused."""
    value = statement.claims.get("metadata_policy", {})
    levels = (value, *_members(value), *(each for kind in _members(value) for each in _members(kind)))
    if not all(isinstance(level, Mapping) for level in levels) or len(levels) > _MAX_PARAMETERS:
        raise Malformed("trust.federation_policy_form", "A metadata policy is not made of three levels of objects.")
    return {
        kind: {
            name: combined({operator: operand for operator, operand in policy.items() if operator in NAMES})
            for name, policy in parameters.items()
        }
        for kind, parameters in value.items()
    }


def _members(value: Json) -> tuple[Json, ...]:
    return tuple(value.values()) if isinstance(value, Mapping) else ()


def _under(parameters: Mapping[str, Json], policies: Mapping[str, Policy]) -> Mapping[str, Json]:
    """§6.1.4.2: every parameter for which there is a policy, present or not."""
    found = dict(parameters)
    for name, policy in policies.items():
        listed = name == "scope"  # §6.1.3.1.8: a text that is treated as an array
        before = found.get(name, ABSENT)
        if listed and isinstance(before, str):
            before = before.split()
        after = applied(_scopes(policy) if listed else policy, before)
        if after is ABSENT:
            found.pop(name, None)
        elif after is None:
            raise error("a parameter would be null")
        else:
            found[name] = " ".join(map(str, after)) if listed and isinstance(after, list) else after
    return found


def _scopes(policy: Policy) -> Policy:
    """`value` and `default` of a scope may be written as the text that it is."""
    return {
        name: operand.split() if name in ("value", "default") and isinstance(operand, str) else operand
        for name, operand in policy.items()
    }


# --- constraints (§6.2) -----------------------------------------------------------------------------------------------


def _constrained(
    found: dict[str, dict[str, Json]], statement: Statement, chain: Sequence[Statement], intermediates: int
) -> dict[str, dict[str, Json]]:
    """One statement's constraints, each applied by itself; those that nobody here knows are ignored (§6.2)."""
    constraints = statement.claims.get("constraints", {})
    if not isinstance(constraints, Mapping):
        raise _malformed()
    if "max_path_length" in constraints:
        longest = constraints["max_path_length"]
        if isinstance(longest, bool) or not isinstance(longest, int) or longest < 0:
            raise _malformed()
        if intermediates > longest:
            raise Refused(
                "trust.federation_constraint", "The chain of the federation is longer than a superior allows."
            )
    if "naming_constraints" in constraints:
        for below in chain[: intermediates + 2]:  # the statement's own subject is chain[intermediates + 1]'s
            _named(below.subject, constraints["naming_constraints"])
    if "allowed_entity_types" not in constraints:
        return found
    allowed = _texts(constraints["allowed_entity_types"])
    if FEDERATION_ENTITY in allowed:  # §6.2.3: always allowed, and not to be named
        raise _malformed()
    return {kind: each for kind, each in found.items() if kind in allowed or kind == FEDERATION_ENTITY}


def _named(entity: str, constraint: Json) -> None:
    """§6.2.2: by the host part of the identifier, as RFC 5280 §4.2.1.10 has it for URIs."""
    if not isinstance(constraint, Mapping):
        raise _malformed()
    host = (urlsplit(entity).hostname or "").lower()
    permitted = _texts(constraint["permitted"]) if "permitted" in constraint else None
    if permitted is not None and not any(_matches(host, name) for name in permitted):
        raise Refused("trust.federation_constraint", "An entity's name is not one that its superior permits.")
    if any(_matches(host, name) for name in _texts(constraint.get("excluded", []))):
        raise Refused("trust.federation_constraint", "An entity's name is one that its superior excludes.")


def _matches(host: str, name: str) -> bool:
    name = name.lower()
    return host.endswith(name) and host != name if name.startswith(".") else host == name


def _texts(value: Json) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise _malformed()
    return value


def _malformed() -> Malformed:
    return Malformed("trust.federation_constraint_form", "A constraint of the federation is not made as it must be.")
