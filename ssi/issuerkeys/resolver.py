"""Key resolution: x5c, a DID or issuer metadata, in one order that nobody outside can influence."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeVar
from urllib.parse import urlsplit

from ssi import dids
from ssi.caching import Cache, Kept
from ssi.dids import Resolved, Sources
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.fetch import Fetch
from ssi.issuerkeys.metadata import KeySet, published
from ssi.issuerkeys.newer import Newer
from ssi.issuerkeys.past import retired
from ssi.keys import PublicKey
from ssi.model import Issuer, MethodKey, ResolvedKey
from ssi.trust import x509

KEEP: Final = timedelta(minutes=5)
"""How long a document from the web is used without asking again."""
RETRY: Final = timedelta(seconds=10)
"""How long a failure is remembered, and the least time between two looks for a key that was not there."""
_OFFLINE: Final = ("did:key:", "did:jwk:", "did:peer:")
_GONE: Final = ("did.no_such_key", "did.revoked_key", "did.deactivated")
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Found:
    """A DID's key, as `model.ResolvedKey` tells of it."""

    key: PublicKey
    retired: datetime | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)


class Keys:
    """Finds keys over its sources, and keeps what came for a short time; implements `model.KeyResolver`.

    Needs no network for `x5c`, did:key, did:jwk and did:peer. Safe to share between threads. A DID whose head is on a
    ledger is fetched anew within seconds of a change there.

    With `history`, keys for assertions that a DID had once are found as well, and say since when they are `retired`.
    Only who looks at that may ask so: everybody else takes such a signature for one of today.
    """

    def __init__(self, sources: Fetch | Sources, *, history: bool = False, size: int = 256) -> None:
        self._sources = sources if isinstance(sources, Sources) else Sources(sources)
        self._history = history
        self._documents: Cache[str, Resolved | SsiError] = Cache(size=size)
        self._versions: Cache[str, tuple[Resolved, ...] | SsiError] = Cache(size=size)
        self._sets: Cache[str, KeySet | SsiError] = Cache(size=size)
        self._newer = Newer(self._sources.ledgers, size=size)

    def with_history(self) -> Keys:
        """The same keys and retired ones, from what both keep together."""
        other = copy(self)
        other._history = True
        return other

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The key that must have signed.

        Raises Refused (`issuerkeys.iss_not_in_certificate`, `issuerkeys.kid_of_another`, `issuerkeys.no_such_key`,
        `did.*`), Malformed, Unsupported (`issuerkeys.no_way`), Unavailable.
        """
        if issuer.x5c:
            return ResolvedKey(_certified(issuer), "x5c")
        if issuer.id is None and issuer.kid is not None and issuer.kid.startswith("did:"):
            return _resolved(self._did_key(issuer.kid, "assertionMethod", now))
        if issuer.id is not None and issuer.id.startswith("did:"):
            return _resolved(self._did_key(_did_url(issuer.id, issuer.kid), "assertionMethod", now))
        if issuer.id is not None and issuer.id.startswith("https://"):
            return ResolvedKey(self._published_key(issuer.id, issuer.kid, alg, now), "issuer-metadata")
        raise Unsupported(
            "issuerkeys.no_way", "The issuer names no certificate, DID or HTTPS address to find its key by."
        )

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """The key of a `cnf.kid`, a DID URL. Raises like `issuer_key`."""
        return self._did_key(kid, "authentication", now).key

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key of a verification method, a DID URL with its fragment. Raises like `issuer_key`.

        Controlled Identifiers 1.0 §3.3: the document is that of the DID in the URL, and the method's controller is it.
        """
        did, fragment = dids.split(url)
        if fragment is None:
            raise Refused("did.which_key", "The verification method names a DID, but none of its keys.")
        found = self._did_key(url, relationship, now)
        return MethodKey(found.key, did, found.retired, found.evidence)

    def _did_key(self, url: str, relationship: str, now: datetime) -> _Found:
        if url.startswith(_OFFLINE):
            return _Found(_offline_key(url, relationship))  # which neither expires nor can be revoked
        did, _ = dids.split(url)

        def load(before: Kept[Resolved | SsiError] | None) -> Kept[Resolved | SsiError]:
            return _kept(lambda: dids.resolve(did, sources=self._sources, now=now), before, now)

        found = _value(self._documents.get(did, now=now, load=load))
        seen = self._newer.seen(did, found, now=now)
        if seen is not None:
            found = _value(self._documents.get(did, now=now, load=load, newer_than=seen))
            if self._newer.seen(did, found, now=now) is not None:
                raise Unavailable("issuerkeys.newer", "The DID has changed, and its present version could not be had.")
        try:
            return _Found(found.key(url, relationship=relationship, now=now), evidence=found.evidence)
        except Refused as refused:
            if refused.code not in _GONE:
                raise
            if self._history and relationship == "assertionMethod":
                past = self._retired_key(url, did, now, newer_than=seen or now - RETRY)
                if past is not None:
                    return _Found(*past, found.evidence)
            if refused.code != "did.no_such_key":
                raise
        # A key added since the document was kept is looked for once more, but not at every request.
        found = _value(self._documents.get(did, now=now, load=load, newer_than=now - RETRY))
        return _Found(found.key(url, relationship=relationship, now=now), evidence=found.evidence)

    def _retired_key(
        self, url: str, did: str, now: datetime, *, newer_than: datetime
    ) -> tuple[PublicKey, datetime] | None:
        def load(before: Kept[tuple[Resolved, ...] | SsiError] | None) -> Kept[tuple[Resolved, ...] | SsiError]:
            return _kept(lambda: dids.history(did, sources=self._sources, now=now), before, now)

        versions = _value(self._versions.get(did, now=now, load=load))
        found = retired(versions, url, relationship="assertionMethod", now=now)
        if found is not None:
            return found
        # The document may have been kept later than its versions.
        again = _value(self._versions.get(did, now=now, load=load, newer_than=newer_than))
        return retired(again, url, relationship="assertionMethod", now=now)

    def _published_key(self, iss: str, kid: str | None, alg: str, now: datetime) -> PublicKey:
        def load(before: Kept[KeySet | SsiError] | None) -> Kept[KeySet | SsiError]:
            return _kept(lambda: published(iss, fetch=self._sources.fetch), before, now)

        try:
            return _value(self._sets.get(iss, now=now, load=load)).key(kid, alg=alg)
        except Refused as refused:
            if refused.code != "issuerkeys.no_such_key":
                raise
        return _value(self._sets.get(iss, now=now, load=load, newer_than=now - RETRY)).key(kid, alg=alg)


def _resolved(found: _Found) -> ResolvedKey:
    return ResolvedKey(found.key, "did", found.retired, found.evidence)


@lru_cache(maxsize=1024)
def _offline_key(url: str, relationship: str) -> PublicKey:
    """The key of a DID that is made of it: nothing is asked, and nothing can change. Only what was found is kept."""
    did, _ = dids.split(url)
    return dids.expand(did).key(url, relationship=relationship, now=_ANY_TIME)


def _certified(issuer: Issuer) -> PublicKey:
    """The leaf's key. An `iss` beside the chain must be a name of the leaf, so that it cannot be somebody else's.

    SD-JWT VC: with `x5c` the issuer is the leaf's subject, and "for any given `iss` value, an attacker cannot influence
    the type of verification process used". Whether the chain leads anywhere is for the trust policy to say.
    """
    leaf = x509.leaf(issuer.x5c)
    if issuer.id is not None and issuer.id not in leaf.uris and not _is_host_of(issuer.id, leaf):
        raise Refused("issuerkeys.iss_not_in_certificate", "The issuer's certificate is not for the issuer it names.")
    return leaf.public


def _is_host_of(iss: str, leaf: x509.Leaf) -> bool:
    """Is `iss` an HTTPS URL on a host that the certificate names? Wildcards name no issuer."""
    try:
        parts = urlsplit(iss)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme != "https" or not host:
        return False
    try:
        return str(ipaddress.ip_address(host)) in leaf.ip_addresses
    except ValueError:
        return host.lower() in leaf.dns_names


def _did_url(did: str, kid: str | None) -> str:
    """The DID URL of the key: `kid` may be absolute, a fragment with or without `#`, or missing."""
    if kid is None:
        return did
    if kid.startswith("did:"):
        if kid.partition("#")[0] != did:
            raise Refused("issuerkeys.kid_of_another", "The key named belongs to another DID than the issuer's.")
        return kid
    return f"{did}#{kid.removeprefix('#')}"


def _kept(load: Callable[[], _T], before: Kept[_T | SsiError] | None, now: datetime) -> Kept[_T | SsiError]:
    """What to keep of an attempt: the document, or the failure for a short time, unless a document is still good."""
    try:
        return Kept(load(), now, now + KEEP)
    except SsiError as problem:
        error = _again(problem)
        if isinstance(error, Unavailable) and before is not None and now < before.until:
            return Kept(before.value, now, before.until)
        return Kept(error, now, now + RETRY)


def _value(found: _T | SsiError) -> _T:
    if isinstance(found, SsiError):
        raise _again(found)
    return found


def _again(error: SsiError) -> SsiError:
    """The same error without the frames that a raised one collects.

    What is wrong with a ledger's nodes (another chain, no contract, nonsense) says nothing about who is on it: that is
    Unavailable, and convicts nobody. So is a node's own error, which has other arguments.
    """
    nodes = isinstance(error, Malformed | Refused) and error.code.startswith("ledger.")
    kind = Unavailable if nodes or isinstance(error, Unavailable) else type(error)
    return kind(error.code, error.detail)
