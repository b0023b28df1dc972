"""The words all roles share: credentials, presentations, challenges, what was opened, and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from ssi.encoding import Json
from ssi.keys import PublicKey, Signer

ClaimPath = tuple[str | int | None, ...]
"""A claims path pointer (OpenID4VP 1.0 §7): names, array indexes, and None for all elements of an array."""


class Check(Enum):
    """The questions that a verdict answers, in the order in which a page shows them."""

    __hash__ = object.__hash__  # members are single objects; hashing their names costs more, and sets of them are many

    FORMAT = "format"
    TYPE = "type"
    SIGNATURE = "signature"
    HOLDER_BINDING = "holder_binding"
    VALIDITY = "validity"
    STATUS = "status"
    TRUST = "trust"
    LEDGER = "ledger"
    SCHEMA = "schema"
    PRESENCE = "presence"
    RULE = "rule"


class Outcome(Enum):
    """How a check ended. UNKNOWN means that it could not be decided now, and is never read as PASS."""

    __hash__ = object.__hash__

    PASS = "pass"  # noqa: S105  (an outcome, not a password)
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class Finding:
    """One judgement: what was asked, how it ended, a sentence that a person understands, data a machine can re-check.

    `code` is stable (`"status.revoked"`). `detail` and `evidence` hold no claim values, portraits or secrets.
    """

    check: Check
    outcome: Outcome
    code: str
    detail: str
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Issuer:
    """Who signed, as far as the credential itself says: an identifier, a key name, and the chain it came with.

    `x5c` is DER, leaf first, as received; it proves nothing until a trust policy has judged it.
    """

    id: str | None
    kid: str | None = None
    x5c: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class StatusRef:
    """Where a credential's status stands: `kind` names the mechanism ("token_status_list"), `index` counts from 0.

    `size` is the bits of one entry and `messages` what its values mean, where the credential itself says so
    (Bitstring Status List 1.0 §2.1: `statusSize`, `statusMessages`).
    """

    kind: str
    uri: str
    index: int
    purpose: str = "revocation"
    size: int = 1
    messages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Draft:
    """What an issuer wants to say. Claims under a path in `disclosable` can later be hidden one by one.

    `claims` are the subject's claims only; type, times, status and holder key are written by the format.
    `disclosable` holds exact paths (an int names one array element); a path above another makes recursive disclosures.
    `decoys` is the number of decoy digests added at each level that has disclosures. `document` holds members of the
    whole credential in formats that are documents (W3C VCDM): more `@context`s, `id`, `evidence`, `credentialSchema`.
    """

    type: str
    issuer: Issuer
    claims: Mapping[str, Json]
    disclosable: tuple[ClaimPath, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    statuses: tuple[StatusRef, ...] = ()
    decoys: int = 0
    document: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Credential:
    """A credential exactly as received or issued: the bytes that were signed, never re-written."""

    format: str
    wire: str


@dataclass(frozen=True)
class Presentation:
    """A derived presentation exactly as it goes over the wire.

    `receipt` came beside it: when its credential was recorded on a ledger, as the holder says (`ssi.ledger.receipts`);
    None without one, empty where what came could not be read. It proves itself or nothing.
    """

    format: str
    wire: str
    receipt: Mapping[str, Json] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Disclosure:
    """Which claims to reveal, by path; what is not always disclosed and not named here stays hidden."""

    paths: tuple[ClaimPath, ...]


@dataclass(frozen=True)
class Challenge:
    """What a presentation must be bound to: the asker's nonce and full client identifier.

    `transaction_data` are the base64url strings as the request had them. `response_uri` and `response_key` (the raw
    SHA-256 thumbprint of the response encryption key, or None) are what mdoc also binds (OpenID4VP 1.0 B.2.6.1).
    """

    nonce: str
    audience: str
    response_uri: str | None = None
    response_key: bytes | None = None
    transaction_data: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResolvedKey:
    """An issuer's verification key and how it was found: "x5c", "did", "issuer-metadata" or "federation".

    `retired`: since when the key is no longer the issuer's; only a resolver that was asked for the past gives such
    keys, and who takes one must know that the signature is older. `evidence`: what a ledger said about the key.
    """

    key: PublicKey
    method: str
    retired: datetime | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class MethodKey:
    """The key of a verification method, and the DID or controller document that it belongs to.

    `retired` and `evidence` as in `ResolvedKey`.
    """

    key: PublicKey
    controller: str
    retired: datetime | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Opened:
    """A credential or presentation, read and judged by its format; whether to rely on it is the reader's policy.

    `findings` answer FORMAT, SIGNATURE, HOLDER_BINDING and VALIDITY. `claims` is the processed payload without the
    mechanism's own members (`_sd`, `...`, `_sd_alg`); only a `VerificationResult` lets a verifier's caller reach it.
    `disclosed` are the paths that came as disclosures; `hidden` counts digests that stayed closed (decoys included).
    Indexes in paths count the elements of an array as issued; `closed` are the elements that stayed hidden, by place.
    `status_hideable`: there may be statuses besides `statuses`, which who shows the credential could leave out.
    """

    format: str
    type: str
    issuer: Issuer
    claims: Mapping[str, Json]
    findings: tuple[Finding, ...]
    holder: PublicKey | None = None
    statuses: tuple[StatusRef, ...] = ()
    issued_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    disclosed: tuple[ClaimPath, ...] = ()
    hidden: int = 0
    closed: frozenset[ClaimPath] = frozenset()
    status_hideable: bool = False


class KeyResolver(Protocol):
    """Whose key is this? Finds the key that an issuer or holder names; does not say whether to trust them."""

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The key that must have signed (x5c leaf, DID URL, or issuer metadata).

        Raises Malformed, Unsupported, Refused (no such key), Unavailable (could not be asked now).
        """

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """The key of a `cnf.kid` (a DID URL). Raises like `issuer_key`."""

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key that a verification method's URL names, if its controller allows `relationship` for it.

        `relationship` is "assertionMethod" or "authentication" (Controlled Identifiers 1.0 §3.3). Raises like
        `issuer_key`.
        """


class StatusChecker(Protocol):
    """Has this credential been withdrawn?"""

    def check(self, status: StatusRef, *, issuer: Issuer, now: datetime) -> Finding:
        """A STATUS finding: PASS valid, FAIL revoked or suspended, UNKNOWN when no fresh list could be had."""


class TrustPolicy(Protocol):
    """May this issuer say this?"""

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """A TRUST finding: PASS, FAIL, or UNKNOWN when a list needed for the answer could not be had or is stale."""


class Format(Protocol):
    """A credential format. A format is a module of `ssi.formats` with these names, listed in its one table."""

    ID: str
    MECHANICS: frozenset[ClaimPath]
    """What every credential of the format says of itself (who issued it, what it is, until when), by path."""

    def issue(self, draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime) -> Credential:
        """Sign what the draft says, bound to the holder's key. Raises Malformed for claims the format forbids."""

    def check(self, credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
        """Open a credential as its holder received it: nothing hidden from the one who holds every disclosure."""

    def derive(
        self, credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
    ) -> Presentation:
        """Make the presentation that reveals the least that `disclose` needs, bound to the challenge."""

    def open(self, presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
        """Open and judge a presentation against its challenge. Raises SsiError only when it cannot be read at all."""

    def core(self, wire: str, /) -> bytes | None:
        """The bytes that every showing of one credential repeats, and that no other credential has.

        `wire` is a credential or a presentation. None where a showing has nothing in common with another (bbs-2023).
        Raises Malformed, Unsupported; nothing is judged.
        """

    def meets(self, meta: Mapping[str, Json], opened: Opened) -> bool:
        """Does this credential satisfy a DCQL `meta` object (OpenID4VP 1.0 §6.1, Appendix B)?"""

    def asked(self, meta: Mapping[str, Json]) -> tuple[str, ...]:
        """The credential types that a DCQL `meta` object names, as `Opened.type` has them; () when it names none."""

    def within(self, path: ClaimPath) -> ClaimPath:
        """The path of a claim as its subject knows it: without what the format wraps around the subject's claims."""

    def whole(self, claims: Mapping[str, Json], path: ClaimPath, /) -> ClaimPath | None:
        """The least that can be shown with the claim at a concrete path of `Opened.claims`: itself, or what is around.

        None for what no claims path may point to in this format (OpenID4VP 1.0 §7).
        """


def failed(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that say no.

    >>> failed([Finding(Check.STATUS, Outcome.PASS, "status.valid", "Not withdrawn.")])
    ()
    """
    return tuple(finding for finding in findings if finding.outcome is Outcome.FAIL)


_GRAVITY = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_ASKED)


def worst(findings: Iterable[Finding]) -> Finding:
    """The finding that decides among several answers to one question: a no, else an "unknown", else a yes.

    Raises ValueError when there are none: nothing asked is not a yes.
    """
    return min(findings, key=lambda finding: _GRAVITY.index(finding.outcome))
