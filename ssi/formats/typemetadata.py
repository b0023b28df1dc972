"""Type metadata: what may a credential of this type say, and does it (SD-JWT VC draft, "SD-JWT VC Type Metadata")?"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import schemas
from ssi.caching import Cache, Kept
from ssi.encoding import Json, read_json_object, required_text, text
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Fetch
from ssi.formats import sdjwt
from ssi.formats.paths import parse_path, select
from ssi.model import Check, ClaimPath, Finding, Opened, Outcome

MAX_BYTES: Final = 256 * 1024
MAX_EXTENDED: Final = 8
KEEP: Final = timedelta(hours=1)
_DIGESTS: Final = ("sha512", "sha384", "sha256")  # strongest first
_SD: Final = ("always", "allowed", "never")


@dataclass(frozen=True)
class ClaimRule:
    """What the type says of the claims that one path selects. `sd` None means that it was not given ("allowed")."""

    path: ClaimPath
    mandatory: bool | None = None
    sd: str | None = None
    labels: tuple[tuple[str, str], ...] = ()

    def label(self, locale: str) -> str | None:
        """The label for a language tag, else for its language, else the first."""
        exact = dict(reversed(self.labels))
        first = self.labels[0][1] if self.labels else None
        return exact.get(locale) or exact.get(locale.split("-", maxsplit=1)[0]) or first


@dataclass(frozen=True)
class TypeMetadata:
    """A type's description with all that it inherits; `types` are its own name and those that it extends.

    `digest` is the SHA-256 of its own document's bytes, as an issuer may state it on a ledger.
    """

    vct: str
    name: str | None
    claims: tuple[ClaimRule, ...]
    types: tuple[str, ...]
    extends: str | None = None
    extends_integrity: str | None = None
    digest: bytes = b""


def parse(document: bytes, *, vct: str) -> TypeMetadata:
    """Read a Type Metadata document, which must name the very type that led to it; unknown members are ignored.

    Raises Malformed (`type.*`).
    """
    members = read_json_object(document, what="type metadata", max_bytes=MAX_BYTES)
    if members.get("vct") != vct:
        raise Malformed("type.vct", "The type metadata describes another type than the one that led to it.")
    entries = members.get("claims", [])
    if not isinstance(entries, list) or len(entries) > 1000:
        raise Malformed("type.claims", "The claims in the type metadata are not a list.")
    return TypeMetadata(
        vct=vct,
        name=_name(members),
        claims=tuple(_rule(entry) for entry in entries),
        types=(vct,),
        extends=text(members, "extends", what="type metadata"),
        extends_integrity=text(members, "extends#integrity", what="type metadata"),
        digest=hashlib.sha256(document).digest(),
    )


def _name(members: Mapping[str, Json]) -> str | None:
    shown = _displays(members)
    return required_text(shown[0], "name", what="type metadata") if shown else text(members, "name")


def _rule(entry: Json) -> ClaimRule:
    if not isinstance(entry, Mapping):
        raise Malformed("type.claims", "An entry of the type metadata's claims is not an object.")
    mandatory, sd = entry.get("mandatory"), entry.get("sd")
    if not isinstance(mandatory, bool | None) or (sd is not None and sd not in _SD):
        raise Malformed("type.claims", "A claim in the type metadata has an unknown `mandatory` or `sd`.")
    labels = [
        (required_text(one, "locale", what="type metadata"), required_text(one, "label", what="type metadata"))
        for one in _displays(entry)
    ]
    return ClaimRule(parse_path(entry.get("path")), mandatory, sd, tuple(labels))


def _displays(members: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    entries = members.get("display", [])
    if not isinstance(entries, list) or not all(isinstance(one, Mapping) for one in entries):
        raise Malformed("type.display", "The display entries in the type metadata are not a list of objects.")
    return entries


def inherit(child: TypeMetadata, parent: TypeMetadata) -> TypeMetadata:
    """The child with its parent's claim rules, its own taking precedence (draft, "Extending Claim Metadata").

    Raises Malformed (`type.override`) where the child loosens what the parent fixed.
    """
    rules = {rule.path: rule for rule in parent.claims}
    for own in child.claims:
        base = rules.get(own.path)
        rules[own.path] = own if base is None else _override(base, own)
    return replace(child, claims=tuple(rules.values()), types=child.types + parent.types)


def _override(base: ClaimRule, own: ClaimRule) -> ClaimRule:
    if base.sd in {"always", "never"} and own.sd not in {None, base.sd}:
        raise Malformed("type.override", "A type changes which claims can be hidden against the type it extends.")
    if base.mandatory and own.mandatory is False:
        raise Malformed("type.override", "A type makes a claim optional that the type it extends demands.")
    mandatory = base.mandatory if own.mandatory is None else own.mandatory
    return ClaimRule(base.path, mandatory, own.sd or base.sd, own.labels or base.labels)


def check_integrity(document: bytes, integrity: str) -> None:
    """Compare a document with a `…#integrity` value (draft, "Integrity of Referenced Documents"; syntax of W3C SRI).

    Raises Refused (`type.integrity`) unless one expression of the strongest known algorithm matches.
    """
    found: dict[str, list[bytes]] = {}
    for expression in integrity.split():
        name, _, value = expression.partition("-")
        try:
            found.setdefault(name, []).append(base64.b64decode(value.partition("?")[0], validate=True))
        except binascii.Error:
            continue
    for name in _DIGESTS:
        if name in found:
            digest = hashlib.new(name, document).digest()
            if any(hmac.compare_digest(digest, expected) for expected in found[name]):
                return
            break
    raise Refused("type.integrity", "The type metadata is not the document that the issuer meant.")


class Types:
    """Where descriptions of types come from: this house's own first, then https addresses if a `fetch` is given."""

    def __init__(self, fetch: Fetch | None) -> None:
        self._fetch = fetch
        self._cache: Cache[tuple[str, str | None], TypeMetadata] = Cache(size=256)

    def of(self, vct: str, integrity: str | None, *, now: datetime) -> TypeMetadata | None:
        """The type's description with all that it extends, or None when nobody here knows one.

        Raises Malformed, Refused (`type.*`), Unavailable when an address that should have it could not be reached.
        """
        chain = [self._one(vct, integrity, now=now)]
        while (last := chain[-1]) is not None and last.extends is not None:
            if len(chain) > MAX_EXTENDED or last.extends in {one.vct for one in chain if one is not None}:
                raise Refused("type.extends", "The type extends itself, or too many others.")
            chain.append(self._one(last.extends, last.extends_integrity, now=now))
        if chain[-1] is None:
            if len(chain) == 1:
                return None
            raise Unavailable("type.extends", "A type that this one extends is not known here.")
        known = [one for one in chain if one is not None]
        merged = known.pop()
        while known:
            merged = inherit(known.pop(), merged)
        return merged

    def _one(self, vct: str, integrity: str | None, *, now: datetime) -> TypeMetadata | None:
        own = schemas.TYPES.get(vct)
        if own is None and (self._fetch is None or not vct.startswith("https://")):
            return None
        return self._cache.get(
            (vct, integrity), now=now, load=lambda _: Kept(self._read(vct, own, integrity), now, now + KEEP)
        )

    def _read(self, vct: str, own: str | None, integrity: str | None) -> TypeMetadata:
        document = schemas.read(own) if own is not None else self._get(vct)
        if integrity is not None:
            check_integrity(document, integrity)
        return parse(document, vct=vct)

    def _get(self, url: str) -> bytes:
        if self._fetch is None:
            raise Unavailable("type.unavailable", "Descriptions of types are not asked for over the network.")
        response = self._fetch.get(url, accept="application/json", max_bytes=MAX_BYTES)
        if response.status != 200:
            raise Unavailable("type.unavailable", "The description of the credential's type could not be had.")
        return response.body


def judge(opened: Opened, *, types: Types, complete: bool, now: datetime) -> Finding:
    """A SCHEMA finding: does the credential say what its type promises?

    `complete` is for its holder, who has every disclosure: only then does an absent mandatory claim count, since "a
    Verifier MUST NOT treat absence of a selectively disclosable claim" as the issuer's failure. Raises nothing.
    """
    if opened.format != sdjwt.ID:
        sentence = "The claims were not compared with a description of their type: there is none for this form of card."
        return Finding(Check.SCHEMA, Outcome.NOT_ASKED, "schema.none", sentence)
    integrity = opened.claims.get("vct#integrity")
    try:
        metadata = types.of(opened.type, integrity if isinstance(integrity, str) else None, now=now)
    except Unavailable as error:
        return Finding(Check.SCHEMA, Outcome.UNKNOWN, error.code, error.detail)
    except SsiError as error:
        return Finding(Check.SCHEMA, Outcome.FAIL, error.code, error.detail)
    if metadata is None:
        sentence = "No published description of this type is known here, so the claims were not compared with one."
        return Finding(Check.SCHEMA, Outcome.NOT_ASKED, "schema.unknown_type", sentence)
    wrong = _wrong(metadata.claims, opened, complete=complete)
    if wrong is None:
        evidence: dict[str, Json] = {"description_sha256": metadata.digest.hex()}
        sentence = "It says what a credential of its type should."
        return Finding(Check.SCHEMA, Outcome.PASS, "schema.conforms", sentence, evidence)
    return Finding(Check.SCHEMA, Outcome.FAIL, *wrong)


def _wrong(rules: Sequence[ClaimRule], opened: Opened, *, complete: bool) -> tuple[str, str, dict[str, Json]] | None:
    """The first rule that does not hold: its code, its sentence, and the rule's path."""
    disclosed = frozenset(opened.disclosed) | opened.closed
    for rule in rules:
        present = rule.path[0] in opened.claims or not isinstance(rule.path[0], str)
        if not present and not (complete and rule.mandatory):
            continue
        evidence: dict[str, Json] = {"path": list(rule.path)}
        try:
            paths = select(opened.claims, rule.path, closed=opened.closed) if present else []
        except Malformed:
            return "schema.kind", "A claim is of another kind than its type describes.", evidence
        if complete and rule.mandatory and not paths:
            return "schema.missing", "A claim is missing that its type demands.", evidence
        if rule.sd == "always" and not all(path in disclosed for path in paths):
            return "schema.disclosable", "A claim cannot be hidden, but its type says that it can.", evidence
        if rule.sd == "never" and any(path in disclosed for path in paths):
            return "schema.disclosable", "A claim can be hidden, but its type says that it cannot.", evidence
    return None
