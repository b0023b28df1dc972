"""By which conditions is an answer judged? Read from what a relying party writes, refused where they say too little.

Members that this service does not know are refused, because a condition that was misspelt must not be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi import dcql, formats
from ssi.encoding import Json, text
from ssi.errors import Malformed
from ssi.formats.paths import parse_path
from ssi.model import Check
from verifier.policy import ESSENTIAL, INDISPENSABLE, MustEqual

MAX_TEXT: Final = 300
MAX_RULES: Final = 16


def only(members: Mapping[str, Json], known: set[str], *, what: str) -> None:
    """Refuse members that nobody would read. Raises Malformed (`request.unknown_member`)."""
    if unknown := sorted(name for name in members if name not in known):
        names = ", ".join(name[:40] for name in unknown[:5])
        raise Malformed("request.unknown_member", f"The {what} has members that this service does not know: {names}.")


def sentence(members: Mapping[str, Json], name: str) -> str:
    """One line for people; "" when absent. Raises Malformed (`request.<name>`)."""
    value = (text(members, name, what="request") or "").strip()
    if len(value) > MAX_TEXT or not value.isprintable():
        raise Malformed(f"request.{name}", f"The {name} must be one line of at most {MAX_TEXT} characters.")
    return value


def types(query: dcql.Query) -> frozenset[str]:
    """The credential types that the query names; one that names none would accept anything, and is refused.

    Raises Malformed (`request.holder_binding`, `request.types`, `request.path`), Unsupported (`format.*`).
    """
    found: set[str] = set()
    for credential in query.credentials:
        kind = formats.by_id(credential.format)
        if not credential.holder_binding:
            raise Malformed("request.holder_binding", "This service always asks for the holder's own signature.")
        named = kind.asked(credential.meta)
        if not named or not all(named):
            raise Malformed("request.types", "Each credential in the query must name its types in its meta object.")
        if any(kind.whole({}, claim.path) is None for claim in credential.claims):
            raise Malformed("request.path", "A claim's path is not one that credentials of its format can have.")
        found.update(named)
    return frozenset(found)


def required(conditions: Mapping[str, Json]) -> frozenset[Check]:
    """The checks that must pass: those named, else all essential ones. Raises Malformed (`request.required`)."""
    if "required" not in conditions:
        return ESSENTIAL
    names = conditions["required"]
    known = {check.value: check for check in Check}
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise Malformed("request.required", f"The required checks must be a list of: {', '.join(known)}.")
    found = frozenset(known[name] for name in names)
    if missing := INDISPENSABLE - found:
        needed = ", ".join(sorted(check.value for check in missing))
        raise Malformed("request.required", f"A policy that does not require {needed} would verify nothing.")
    return found


def rules(conditions: Mapping[str, Json]) -> tuple[MustEqual, ...]:
    """What disclosed claims must say. Raises Malformed (`request.rules`, `path.form`)."""
    entries = conditions.get("rules", [])
    if not isinstance(entries, list) or len(entries) > MAX_RULES:
        raise Malformed("request.rules", f"The rules must be a list of at most {MAX_RULES} objects.")
    return tuple(_rule(entry) for entry in entries)


def _rule(entry: Json) -> MustEqual:
    if not isinstance(entry, Mapping):
        raise Malformed("request.rules", "A rule is not an object.")
    only(entry, {"path", "equals", "passed", "failed"}, what="rule")
    value = entry.get("equals")
    if not isinstance(value, str | int | bool):
        raise Malformed("request.rules", "A rule's `equals` must be a string, an integer or a boolean.")
    rule = MustEqual(parse_path(entry.get("path")), value)
    passed, failed = sentence(entry, "passed") or rule.passed, sentence(entry, "failed") or rule.failed
    return MustEqual(rule.path, value, passed, failed)


def rule_json(rule: MustEqual) -> Mapping[str, Json]:
    """A rule as `rules` reads it."""
    return {"path": list(rule.path), "equals": rule.value, "passed": rule.passed, "failed": rule.failed}
