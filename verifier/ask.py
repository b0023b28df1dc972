"""What may be asked of a person: a query, why, and what the answer must fulfil. Ready-made ones are templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import zip_longest
from typing import Final
from urllib.parse import urlsplit

from ssi import dcql, haip
from ssi.encoding import Json, read_json, read_json_object, required_text, text, write_json
from ssi.errors import Malformed
from ssi.model import Check, Presentation, TrustPolicy
from ssi.oid4vp import Response, modes, verifierinfo
from ssi.oid4vp.verifierinfo import VerifierInfo
from verifier import conditions, transactions
from verifier.policy import MustEqual, Policy
from verifier.transactions import Transaction

DIRECT_POST, DIRECT_POST_JWT = modes.DIRECT_POST, modes.DIRECT_POST_JWT
MAX_PRESENTATIONS: Final = 16
RESPONSE_MODES: Final = (*modes.POST_MODES, modes.FRAGMENT, *modes.DC_MODES)
_BY_LINK: Final = {modes.DC_API: modes.DIRECT_POST, modes.DC_API_JWT: modes.DIRECT_POST_JWT}
_MEMBERS: Final = {
    *("title", "purpose", "dcql_query", "policy", "response_mode", "transaction_data", "verifier_info", "origin"),
}


@dataclass(frozen=True)
class Ask:
    """One question to a person's wallet, and by which conditions its answer is judged.

    `transactions` are what the answer must authorise as well, `info` what others say about who asks, `origin` where
    the page is that calls the browser's API, if not here. `json` is all of it in the form that `parse` reads: so it is
    stored, and so any replica can judge the answer.
    """

    title: str
    purpose: str
    query: dcql.Query
    types: frozenset[str]
    required: frozenset[Check]
    rules: tuple[MustEqual, ...]
    response_mode: str
    transactions: tuple[Transaction, ...] = ()
    info: tuple[VerifierInfo, ...] = ()
    origin: str | None = None

    def policy(self, trust: TrustPolicy) -> Policy:
        """The conditions, with the issuers that this service relies on."""
        return Policy(trust=trust, types=self.types, required=self.required, rules=self.rules)

    @property
    def link_mode(self) -> str:
        """How an answer comes to a request that was opened by code or link: without the browser's API, by POST."""
        return _BY_LINK.get(self.response_mode, self.response_mode)

    @property
    def browser_mode(self) -> str:
        """How an answer comes through the browser's API: encrypted where it would be encrypted by link."""
        return modes.DC_API_JWT if self.encrypted else modes.DC_API

    @property
    def encrypted(self) -> bool:
        """Is the answer encrypted to a key of this request?"""
        return self.response_mode in modes.ENCRYPTED_MODES

    @property
    def scannable(self) -> bool:
        """Can another device answer? Not where the answer comes back by the browser that opened the link."""
        return self.link_mode in modes.POST_MODES

    def presentations(self, response: Response) -> dict[str, tuple[Presentation, ...]]:
        """What was presented, by credential query; what was not asked for has no format, and so fails to open.

        Raises Malformed (`session.too_many`).
        """
        vp_token, receipts = response.vp_token or {}, response.receipts
        if sum(len(found) for found in vp_token.values()) > MAX_PRESENTATIONS:
            raise Malformed("session.too_many", f"The answer holds more than {MAX_PRESENTATIONS} presentations.")
        formats = {one.id: one.format for one in self.query.credentials}
        return {
            query_id: tuple(
                Presentation(formats.get(query_id, ""), wire, receipt)
                for wire, receipt in zip_longest(wires, receipts.get(query_id, ()))
            )
            for query_id, wires in vp_token.items()
        }

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
                "rules": [conditions.rule_json(rule) for rule in self.rules],
            },
        }
        optional = {
            "transaction_data": [one.json for one in self.transactions],
            "verifier_info": [one.json for one in self.info],
            "origin": self.origin,
        }
        return write_json({**members, **{name: value for name, value in optional.items() if value}})


@dataclass(frozen=True)
class Template:
    """A ready-made question for the clerk's home page and for `POST /api/requests`.

    `transaction` is the type of what whoever uses it must say that the person is to authorise.
    """

    id: str
    summary: str
    icon: str
    ask: Ask
    transaction: str | None = None


@lru_cache(maxsize=1)
def templates() -> Mapping[str, Template]:
    """The templates of `templates.json` by id, in the file's order."""
    read = read_json(resources.files("verifier").joinpath("templates.json").read_bytes(), what="list of templates")
    return {entry["id"]: _template(entry, read["forms"]) for entry in read["templates"]}


def _template(entry: Mapping[str, Json], forms: Sequence[Mapping[str, Json]]) -> Template:
    """The template's claims, asked for in every form of the card that will do: whichever of them somebody holds."""
    fitting = [form for form in forms if form["id"] in entry.get("forms", [form["id"]])]
    query = {
        "credentials": [_in_form(entry["claims"], form) for form in fitting],
        "credential_sets": [{"options": [[form["id"]] for form in fitting]}],
    }
    members = {"title": entry["title"], "purpose": entry["purpose"], "dcql_query": query}
    ask = parse({**members, "policy": {"rules": entry["rules"]}, "response_mode": DIRECT_POST_JWT})
    return Template(entry["id"], entry["summary"], entry["icon"], ask, entry.get("transaction"))


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
    """Read an ask: only `dcql_query` must be there.

    Raises Malformed (`request.*`, `dcql.*`, `path.form`, `oid4vp.verifier_info`), Unsupported (`format.*`).
    """
    conditions.only(members, _MEMBERS, what="request")
    query = dcql.parse(members.get("dcql_query"))
    mode = members.get("response_mode", DIRECT_POST_JWT)
    if mode not in RESPONSE_MODES:
        raise Malformed("request.response_mode", f"The response mode must be one of {', '.join(RESPONSE_MODES)}.")
    policy = members.get("policy", {})
    if not isinstance(policy, Mapping):
        raise Malformed("request.policy", "The policy is not an object.")
    conditions.only(policy, {"required", "rules"}, what="policy")
    return Ask(
        title=conditions.sentence(members, "title") or "Request",
        purpose=conditions.sentence(members, "purpose"),
        query=query,
        types=conditions.types(query),
        required=conditions.required(policy),
        rules=conditions.rules(policy),
        response_mode=mode,
        transactions=transactions.parse(members.get("transaction_data"), query),
        info=verifierinfo.read(members, query),
        origin=_origin(members),
    )


def in_profile(ask: Ask) -> Ask:
    """What HAIP 1.0 lets a verifier ask: encrypted answers (§5.1, §5.2), and credentials of two formats (§6).

    Raises Refused (`haip.*`).
    """
    if ask.response_mode not in haip.RESPONSE_MODES:
        section = "5.1" if ask.response_mode in modes.REDIRECT_MODES else "5.2"
        raise haip.refusal("response_mode", "The answer would not be encrypted to this verifier", section)
    fitting = narrowed(ask, haip.FORMATS)
    haip.check_query(fitting.query)
    return fitting


def narrowed(ask: Ask, formats: Sequence[str]) -> Ask:
    """The ask without the alternatives in other formats, where every set of it keeps one; else as it is."""
    query = ask.query.json
    kept = [one for one in query["credentials"] if one["format"] in formats]
    ids = {one["id"] for one in kept}
    sets = [
        {**one, "options": [option for option in one["options"] if ids.issuperset(option)]}
        for one in query.get("credential_sets", ())
    ]
    if len(kept) == len(query["credentials"]) or not sets or not all(one["options"] for one in sets):
        return ask
    return parse({**read_json_object(ask.json), "dcql_query": {"credentials": kept, "credential_sets": sets}})


def _origin(members: Mapping[str, Json]) -> str | None:
    """The origin of a page (A.2): compared letter for letter, so it is taken only as browsers write it."""
    value = text(members, "origin", what="request")
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        plain = f"{parts.scheme}://{parts.netloc}" == value and parts.username is None and parts.port != 443
    except ValueError:
        plain = False
    if not plain or parts.scheme != "https" or not parts.hostname or value != value.lower() or len(value) > 300:
        raise Malformed("request.origin", "The origin must be like https://shop.example, without a path.")
    return value


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
    if isinstance(policy := own.get("policy"), Mapping):
        own["policy"] = {**members["policy"], **policy}
    ask = parse({**members, **own})
    if found.transaction is not None and [one.type for one in ask.transactions] != [found.transaction]:
        sentence = f"This template needs transaction_data: one object of the type {found.transaction}."
        raise Malformed("request.transaction_data", sentence)
    return ask
