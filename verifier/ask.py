"""What may be asked of a person: a query, why, and what the answer must fulfil. Ready-made ones are templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from ssi import dcql, formats
from ssi.encoding import Json, read_json, read_json_object, required_text, text, write_json
from ssi.errors import Malformed
from ssi.formats.paths import parse_path
from ssi.model import Check, TrustPolicy
from verifier.policy import ESSENTIAL, INDISPENSABLE, MustEqual, Policy

DIRECT_POST, DIRECT_POST_JWT = "direct_post", "direct_post.jwt"
RESPONSE_MODES = (DIRECT_POST, DIRECT_POST_JWT)
MAX_TEXT = 300
MAX_RULES = 16


@dataclass(frozen=True)
class Ask:
    """One question to a person's wallet, and by which conditions its answer is judged.

    `json` is all of it in the form that `parse` reads: so it is stored, and so any replica can judge the answer.
    """

    title: str
    purpose: str
    query: dcql.Query
    types: frozenset[str]
    required: frozenset[Check]
    rules: tuple[MustEqual, ...]
    response_mode: str

    def policy(self, trust: TrustPolicy) -> Policy:
        """The conditions, with the issuers that this service relies on."""
        return Policy(trust=trust, types=self.types, required=self.required, rules=self.rules)

    @property
    def json(self) -> bytes:
        """The ask as `parse` reads it."""
        members = {
            "title": self.title,
            "purpose": self.purpose,
            "response_mode": self.response_mode,
            "dcql_query": self.query.json,
            "policy": {
                "required": sorted(check.value for check in self.required),
                "rules": [_rule_json(rule) for rule in self.rules],
            },
        }
        return write_json(members)


@dataclass(frozen=True)
class Template:
    """A ready-made question for the clerk's home page and for `POST /api/requests`."""

    id: str
    summary: str
    icon: str
    ask: Ask


@lru_cache(maxsize=1)
def templates() -> Mapping[str, Template]:
    """The templates of `templates.json` by id, in the file's order."""
    read = read_json(resources.files("verifier").joinpath("templates.json").read_bytes(), what="list of templates")
    return {entry["id"]: _template(entry, read["forms"]) for entry in read["templates"]}


def _template(entry: Mapping[str, Json], forms: Sequence[Mapping[str, Json]]) -> Template:
    """The template's claims, asked for in every form of the card: whichever of them somebody holds will do."""
    query = {
        "credentials": [_in_form(entry["claims"], form) for form in forms],
        "credential_sets": [{"options": [[form["id"]] for form in forms]}],
    }
    members = {"title": entry["title"], "purpose": entry["purpose"], "dcql_query": query}
    ask = parse({**members, "policy": {"rules": entry["rules"]}, "response_mode": DIRECT_POST_JWT})
    return Template(id=entry["id"], summary=entry["summary"], icon=entry["icon"], ask=ask)


def _in_form(claims: Sequence[Mapping[str, Json]], form: Mapping[str, Json]) -> dict[str, Json]:
    """A credential query for the claims where this form has them; `depth` is how far its paths reach (mdoc: 2)."""
    paths = [[*form["above"], *claim["path"]][: form.get("depth")] for claim in claims]
    asked = {write_json(path): {**claim, "path": path} for path, claim in zip(paths, claims, strict=True)}
    return {**{name: form[name] for name in ("id", "format", "meta")}, "claims": list(asked.values())}


@lru_cache(maxsize=1024)
def read(stored: bytes) -> Ask:
    """An ask as it was stored (`Ask.json`). Raises Malformed."""
    return parse(read_json_object(stored, what="stored request"))


def parse(members: Mapping[str, Json]) -> Ask:
    """Read an ask: `title`, `purpose`, `dcql_query`, `policy`, `response_mode`; only the query must be there.

    Members that this service does not know are refused, because a condition that was misspelt must not be lost.
    Raises Malformed (`request.*`, `dcql.*`, `path.form`), Unsupported (`format.*`).
    """
    _only(members, {"title", "purpose", "dcql_query", "policy", "response_mode"}, what="request")
    query = dcql.parse(members.get("dcql_query"))
    mode = members.get("response_mode", DIRECT_POST_JWT)
    if mode not in RESPONSE_MODES:
        raise Malformed("request.response_mode", f"The response mode must be one of {', '.join(RESPONSE_MODES)}.")
    conditions = members.get("policy", {})
    if not isinstance(conditions, Mapping):
        raise Malformed("request.policy", "The policy is not an object.")
    _only(conditions, {"required", "rules"}, what="policy")
    return Ask(
        title=_sentence(members, "title") or "Request",
        purpose=_sentence(members, "purpose"),
        query=query,
        types=_types(query),
        required=_required(conditions),
        rules=_rules(conditions),
        response_mode=mode,
    )


def _only(members: Mapping[str, Json], known: set[str], *, what: str) -> None:
    if unknown := sorted(name for name in members if name not in known):
        names = ", ".join(name[:40] for name in unknown[:5])
        raise Malformed("request.unknown_member", f"The {what} has members that this service does not know: {names}.")


def _sentence(members: Mapping[str, Json], name: str) -> str:
    value = (text(members, name, what="request") or "").strip()
    if len(value) > MAX_TEXT or not value.isprintable():
        raise Malformed(f"request.{name}", f"The {name} must be one line of at most {MAX_TEXT} characters.")
    return value


def _types(query: dcql.Query) -> frozenset[str]:
    """The credential types that the query names; one that names none would accept anything, and is refused."""
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


def _required(conditions: Mapping[str, Json]) -> frozenset[Check]:
    if "required" not in conditions:
        return ESSENTIAL
    names = conditions["required"]
    known = {check.value: check for check in Check}
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise Malformed("request.required", f"The required checks must be a list of: {', '.join(known)}.")
    required = frozenset(known[name] for name in names)
    if missing := INDISPENSABLE - required:
        needed = ", ".join(sorted(check.value for check in missing))
        raise Malformed("request.required", f"A policy that does not require {needed} would verify nothing.")
    return required


def _rules(conditions: Mapping[str, Json]) -> tuple[MustEqual, ...]:
    entries = conditions.get("rules", [])
    if not isinstance(entries, list) or len(entries) > MAX_RULES:
        raise Malformed("request.rules", f"The rules must be a list of at most {MAX_RULES} objects.")
    return tuple(_rule(entry) for entry in entries)


def _rule(entry: Json) -> MustEqual:
    if not isinstance(entry, Mapping):
        raise Malformed("request.rules", "A rule is not an object.")
    _only(entry, {"path", "equals", "passed", "failed"}, what="rule")
    value = entry.get("equals")
    if not isinstance(value, str | int | bool):
        raise Malformed("request.rules", "A rule's `equals` must be a string, an integer or a boolean.")
    rule = MustEqual(parse_path(entry.get("path")), value)
    passed, failed = _sentence(entry, "passed") or rule.passed, _sentence(entry, "failed") or rule.failed
    return MustEqual(rule.path, value, passed, failed)


def _rule_json(rule: MustEqual) -> Mapping[str, Json]:
    return {"path": list(rule.path), "equals": rule.value, "passed": rule.passed, "failed": rule.failed}


def from_body(body: Mapping[str, Json]) -> Ask:
    """The ask in the body of `POST /api/requests`: a `template`, or a query of the caller's own, or their blend.

    What the body says stands in place of what the template says, of the policy member by member: whoever names the
    checks that a template requires does not lose its rules. Raises Malformed (also `request.template`).
    """
    if "template" not in body:
        return parse(body)
    found = templates().get(required_text(body, "template", what="request"))
    if found is None:
        raise Malformed("request.template", "There is no template of that name; GET /api/templates lists them.")
    if "dcql_query" in body:
        raise Malformed("request.template", "A request names a template or brings its own dcql_query, not both.")
    own = {name: value for name, value in body.items() if name != "template"}
    members = read_json_object(found.ask.json)
    if isinstance(conditions := own.get("policy"), Mapping):
        own["policy"] = {**members["policy"], **conditions}
    return parse({**members, **own})
