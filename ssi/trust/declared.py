"""Trust declarations: whom does an operator trust as issuers, as those who ask, and as wallet providers?

One JSON file names sources of trust by kind, for three purposes; each source becomes a trust policy, and one of them is
enough. What the file names is read at once; lists and federations are asked when somebody needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, Unavailable
from ssi.fetch import BoundedFetch, Fetch
from ssi.model import Check, Finding, Issuer, KeyResolver, Outcome, TrustPolicy
from ssi.trust import federation, listed, lote, ts119612, x509
from ssi.trust.federation import Anchor, Federated, FederatedKeys, Federation
from ssi.trust.iaca import Iaca
from ssi.trust.listed import Listed
from ssi.trust.lists import GRANTED, MAX_BYTES, MAX_SIGNERS
from ssi.trust.policies import Anchors, ForPurpose, Issuers, any_of
from ssi.trust.sources import REFRESH, Source

PURPOSES: Final[Mapping[str, tuple[str, ...]]] = {
    "issuers": federation.ISSUERS,
    "relying_parties": federation.ASKERS,
    "wallets": federation.WALLETS,
}
"""The purposes that a declaration has lists for, and the entity types that each has in a federation."""
_MAX_SOURCES: Final = 256
_LEAST_REFRESH: Final = 60
_LIST_SECONDS: Final = 20.0
"""How long a list may take: member states' have several megabytes."""
_LONGEST_REFRESH: Final = 604_800


@dataclass(frozen=True)
class Authorities:
    """The lists and federations that issuers are judged by, for askers who name one (OpenID4VP 1.0 §6.1.1)."""

    lists: tuple[Listed, ...]
    federations: tuple[Federated, ...]

    def judge(self, kind: str, value: str, issuer: Issuer, *, now: datetime) -> Finding:
        """Is the issuer vouched for by the list at an address, or by an entity of a federation?

        `kind` is "etsi_tl" or "openid_federation". PASS `trust.authority`; UNKNOWN `trust.list_unavailable`,
        `trust.list_stale`; FAIL `trust.authority_unknown` for what is not configured here, `trust.not_listed`,
        `trust.federation_*`, ….
        """
        if kind == "etsi_tl":
            findings = [each.vouches(issuer, now=now) for each in self.lists if each.name == value]
        elif kind == "openid_federation":
            findings = [_within(each, value, issuer, now) for each in self.federations]
        else:
            findings = []
        for outcome in (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL):
            for finding in findings:
                if finding.outcome is outcome:
                    return finding
        return Finding(
            Check.TRUST, Outcome.FAIL, "trust.authority_unknown", "The authority that was named is not known here."
        )


@dataclass(frozen=True)
class Declared:
    """What a declaration says: a policy for each purpose, or None where it says nothing."""

    issuers: TrustPolicy | None
    relying_parties: TrustPolicy | None
    wallets: TrustPolicy | None
    authorities: Authorities
    federated: Mapping[str, tuple[Federated, ...]]

    def keys(self, beside: KeyResolver, *, purpose: str = "issuers") -> KeyResolver:
        """The keys of federations' members from their metadata, and all others from `beside`."""
        found = self.federated[purpose]
        return FederatedKeys(found, beside) if found else beside


NOTHING: Final = Declared(None, None, None, Authorities((), ()), dict.fromkeys(PURPOSES, ()))
"""Without a declaration."""


def read(content: bytes, *, open_file: Callable[[str], bytes], fetch: Fetch) -> Declared:
    """A declaration, with the files that it names: `open_file` gives their content and raises Malformed or Unavailable.

    Raises Malformed (`trust.declaration`, `trust.declaration_kind`, `trust.declaration_member`, `trust.pem`,
    `trust.certificate`, `trust.federation_*`, `encoding.*`).
    """
    declaration = read_json_object(content, what="trust declaration")
    if not declaration or not set(declaration) <= set(PURPOSES):
        raise _malformed(f"has members other than {', '.join(PURPOSES)}, or none")
    policies = {
        purpose: [_Entry(each, purpose, open_file, fetch).policy() for each in _array(declaration.get(purpose, []))]
        for purpose in PURPOSES
    }
    return Declared(
        issuers=any_of(policies["issuers"]),
        relying_parties=any_of(policies["relying_parties"]),
        wallets=any_of(policies["wallets"]),
        authorities=Authorities(
            tuple(each for each in policies["issuers"] if isinstance(each, Listed)),
            tuple(each for each in policies["issuers"] if isinstance(each, Federated)),
        ),
        federated={
            purpose: tuple(each for each in found if isinstance(each, Federated)) for purpose, found in policies.items()
        },
    )


def _within(policy: Federated, value: str, issuer: Issuer, now: datetime) -> Finding:
    """OpenID4VP 1.0 §6.1.1.3: there is a trust path that includes the entity named."""
    found = policy.member(issuer, now=now)
    if isinstance(found, Finding):
        return found
    named = value in found.path
    return Finding(
        Check.TRUST,
        Outcome.PASS if named else Outcome.FAIL,
        "trust.authority" if named else "trust.federation_no_path",
        "The issuer is in the federation that was named."
        if named
        else "The issuer's path does not include the entity.",
        {"issuer": found.id, "anchor": found.anchor},
    )


# --- one source -------------------------------------------------------------------------------------------------------


class _Entry:
    """One source of a declaration: an object whose members its kind knows, and no others."""

    def __init__(self, value: Json, purpose: str, open_file: Callable[[str], bytes], fetch: Fetch) -> None:
        if not isinstance(value, dict):
            raise _malformed("names a source that is not an object")
        self._members, self._purpose, self._open, self._fetch = value, purpose, open_file, fetch

    def policy(self) -> TrustPolicy:
        """The policy that the source is."""
        kind = self._members.get("kind")
        if not isinstance(kind, str) or kind not in _KINDS:
            known = ", ".join(_KINDS)
            raise Malformed("trust.declaration_kind", f"The trust declaration names a kind that is not one of {known}.")
        needed, optional, make = _KINDS[kind]
        given = set(self._members) - {"kind"}
        if not needed <= given <= needed | optional:
            wanted = ", ".join(sorted(needed)) + (f" and perhaps {', '.join(sorted(optional))}" if optional else "")
            raise Malformed(
                "trust.declaration_member", f"A source of kind {kind} in the trust declaration has {wanted}."
            )
        return make(self)

    def x509(self) -> TrustPolicy:
        """Whoever one of these authorities certifies."""
        policy = Anchors(self._certificates("anchors"), self._types(self._members["types"]))
        if "purposes" not in self._members:
            return policy
        purposes = self._types(self._members["purposes"])
        if purposes is None:
            raise _malformed("has purposes that are no list")
        return ForPurpose(policy, purposes)

    def iaca(self) -> TrustPolicy:
        """States' document signers (ISO/IEC 18013-5 Annex B)."""
        return Iaca(self._certificates("anchors"), self._types(self._members["types"]))

    def named(self) -> TrustPolicy:
        """Issuers by DID, or by the HTTPS URL at which they publish their keys."""
        begin = {"did": "did:", "metadata": "https://"}[self._members["kind"]]
        found = self._mapping("ids")
        if not all(identifier.startswith(begin) for identifier in found):
            raise _malformed(f"has ids that do not begin with {begin}")
        return Issuers(found)

    def federation(self) -> TrustPolicy:
        """Members of a federation (OpenID Federation 1.0)."""
        keys = self._members["keys"]
        if isinstance(keys, str):
            keys = read_json_object(self._open(keys), what="federation's key set")
        marks = self._mapping("trust_marks") if "trust_marks" in self._members else {}
        anchor = self._text("anchor")
        known = Federation(
            (Anchor(anchor, federation.read_keys(keys)),),
            fetch=self._fetch,
            marks=frozenset(marks),
            refresh=self._refresh(),
        )
        return Federated(known, PURPOSES[self._purpose], self._types(self._members["types"]), marks)

    def list(self) -> TrustPolicy:
        """Services of a trusted list (ETSI TS 119 602, ETSI TS 119 612)."""
        if ("url" in self._members) == ("file" in self._members):
            raise _malformed("has a list with not exactly one of url and file")
        reader = {"lote": lote.read, "ts119612": ts119612.read}[self._members["kind"]]
        signers, bring = self._certificates("signers"), self._bring()
        if len(signers) > MAX_SIGNERS:
            raise _malformed("has a list with too many signers")
        source = Source(
            listed.published(lambda now: reader(bring(), signers=signers, now=now)), refresh=self._refresh()
        )
        statuses = self._types(self._members["statuses"]) if "statuses" in self._members else GRANTED
        name = (
            self._text("name") if "name" in self._members else self._text("url" if "url" in self._members else "file")
        )
        return Listed(source, name, self._mapping("types"), statuses or GRANTED)

    def _bring(self) -> Callable[[], bytes]:
        if "file" in self._members:
            place, open_file = self._text("file"), self._open
            return lambda: open_file(place)
        url, fetch = self._text("url"), self._fetch
        if isinstance(fetch, BoundedFetch):
            fetch = fetch.allowing(max_bytes=MAX_BYTES, timeout=_LIST_SECONDS)
        if not url.startswith("https://"):
            raise _malformed("has a list at an address that is not https")

        def fetched() -> bytes:
            answer = fetch.get(url, max_bytes=MAX_BYTES)
            if answer.status != 200:
                raise Unavailable("trust.list_unavailable", "The trust list could not be had.")
            return answer.body

        return fetched

    def _certificates(self, member: str) -> tuple[bytes, ...]:
        return x509.read_certificates(self._open(self._text(member)))

    def _mapping(self, member: str) -> dict[str, frozenset[str] | None]:
        value = self._members[member]
        if not isinstance(value, dict) or not value:
            raise _malformed(f"has {member} that are no object, or an empty one")
        return {name: self._types(types) for name, types in value.items()}

    def _types(self, value: Json) -> frozenset[str] | None:
        """A list of texts that is not empty, or null for any."""
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
            raise _malformed("has types that are neither null nor a list of texts")
        return frozenset(value)

    def _text(self, member: str) -> str:
        value = self._members[member]
        if not isinstance(value, str) or not value:
            raise _malformed(f"has a source whose {member} is not a text")
        return value

    def _refresh(self) -> timedelta:
        value = self._members.get("refresh_seconds", int(REFRESH.total_seconds()))
        good = isinstance(value, int) and not isinstance(value, bool) and _LEAST_REFRESH <= value <= _LONGEST_REFRESH
        if not good:
            raise _malformed(f"has refresh_seconds that are not from {_LEAST_REFRESH} to {_LONGEST_REFRESH}")
        return timedelta(seconds=value)


_LIST_MEMBERS: Final = frozenset({"url", "file", "name", "statuses", "refresh_seconds"})
_NOTHING_ELSE: Final = frozenset[str]()
_KINDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str], Callable[[_Entry], TrustPolicy]]]] = {
    "x509": (frozenset({"anchors", "types"}), frozenset({"purposes"}), _Entry.x509),
    "iaca": (frozenset({"anchors", "types"}), _NOTHING_ELSE, _Entry.iaca),
    "did": (frozenset({"ids"}), _NOTHING_ELSE, _Entry.named),
    "metadata": (frozenset({"ids"}), _NOTHING_ELSE, _Entry.named),
    "federation": (
        frozenset({"anchor", "keys", "types"}),
        frozenset({"trust_marks", "refresh_seconds"}),
        _Entry.federation,
    ),
    "lote": (frozenset({"signers", "types"}), _LIST_MEMBERS, _Entry.list),
    "ts119612": (frozenset({"signers", "types"}), _LIST_MEMBERS, _Entry.list),
}
"""The kinds of sources: the members that each must have, those that it may have, and what it becomes."""


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > _MAX_SOURCES:
        raise _malformed("has a purpose that is not a list of sources, or too many of them")
    return value


def _malformed(what: str) -> Malformed:
    return Malformed("trust.declaration", f"The trust declaration {what}.")
