"""Envelopes: which members belong to the envelope and which to the W3C document in it, and do the two agree?

VC-JOSE-COSE secures a document by making it a message's payload. What the JWT and CWT registries define (`iss`, `iat`,
`cnf` …) is then the envelope's; all other members are the document's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from ssi import vcdm
from ssi.encoding import Json, instant, text
from ssi.errors import Malformed, Refused, SsiError
from ssi.formats import keybinding, registered, unsigned, vcdocs, vpclaims
from ssi.keys import PublicKey
from ssi.model import Check, Finding, Issuer, KeyResolver, MethodKey, Opened, Outcome, ResolvedKey
from ssi.vcdm import schema

Kind = Literal["vc", "vp"]
"""A credential or a presentation."""

MEMBERS: Final = frozenset(("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "nonce", "status", "_sd_alg"))
"""Members of a token's payload that are the envelope's: no member of the VC Data Model is called so."""
LEEWAY: Final = timedelta(seconds=60)
"""How far the signer's clock may be ahead of ours; what has expired has expired."""

_IN_FORCE: Final = Finding(Check.VALIDITY, Outcome.PASS, "vc.in_force", "The document is within its time of validity.")


class Document(NamedTuple):
    """A document out of its envelope, and what was found: SIGNATURE and VALIDITY."""

    document: dict[str, Json]
    findings: tuple[Finding, ...]


class Signed(NamedTuple):
    """A signed message, whichever its kind: who it says signed it, and how to find out whether a key did.

    `iss` is that of the header; `claims` are the envelope's, in JSON form. `verify` raises Refused.
    """

    alg: str
    kid: str | None
    x5c: tuple[bytes, ...]
    iss: Json
    claims: Mapping[str, Json]
    verify: Callable[[PublicKey], None]


class Secured(NamedTuple):
    """A credential in its envelope, read but not verified."""

    signed: Signed
    document: dict[str, Json]
    model: vcdm.Model
    issuer: Issuer

    @property
    def binding(self) -> vpclaims.Binding:
        """Whom the credential is bound to."""
        return vpclaims.Binding(self.signed.claims.get("cnf"), vcdocs.subject_id(self.model))


# --- reading ----------------------------------------------------------------------------------------------------------


def divide(payload: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """The document and the envelope's members of a token's payload.

    Raises Malformed (`vcjose.vc_claim`) for a VC 1.1 token (VC-JOSE-COSE §1.1.2.1).
    """
    if "vc" in payload or "vp" in payload:
        raise Malformed("vcjose.vc_claim", "The token has a vc or vp claim, which belongs to an older kind of token.")
    document = dict(payload)
    return document, {name: document.pop(name) for name in MEMBERS & payload.keys()}


def secured(signed: Signed, document: dict[str, Json]) -> Secured:
    """A credential with what its document says. Raises Malformed (`vcdm.*`, `vcjose.conflict`)."""
    model = vcdocs.read(document)
    agree(document, signed.claims)
    return Secured(signed, document, model, Issuer(model.issuer_id, signed.kid, signed.x5c))


def agree(document: Mapping[str, Json], claims: Mapping[str, Json]) -> None:
    """Return when `jti` and `sub` say nothing else than the document (§3.1.3). Raises Malformed (`vcjose.conflict`)."""
    if "jti" not in claims and "sub" not in claims:
        return
    subject = document.get(vcdocs.SUBJECT)
    for name, members in (("jti", document), ("sub", subject)):
        if name in claims and isinstance(members, Mapping) and members.get("id", claims[name]) != claims[name]:
            raise Malformed("vcjose.conflict", f"The token's {name} is not what its document says.")


def model(document: Mapping[str, Json], kind: Kind) -> vcdm.Model | None:
    """Check a document by the data model; what a credential says. Raises Malformed (`vcdm.*`, `vc.not_enveloped`)."""
    if kind == "vc":
        return vcdocs.read(document)
    vcdocs.enveloped(document)
    return None


# --- judging ----------------------------------------------------------------------------------------------------------


def other_issuer(signed: Signed, named: str | None) -> Finding | None:
    """What is wrong when `iss`, in header or claims, is somebody else than the document's issuer (§4.1.2)."""
    header, claim = signed.iss, signed.claims.get("iss")
    if named is None or ((header is None or header == named) and (claim is None or claim == named)):
        return None
    detail = "The signature was made for another issuer than the document names."
    return Finding(Check.SIGNATURE, Outcome.FAIL, "vc.issuer_binding", detail)


def signature(signed: Signed, find: Callable[[], ResolvedKey]) -> Finding:
    """Is the message signed with the key that `find` brings?"""
    try:
        found = find()
        signed.verify(found.key)
    except SsiError as cause:
        return unsigned.finding(cause)
    evidence = {"alg": signed.alg, "method": found.method}
    return Finding(Check.SIGNATURE, Outcome.PASS, "vc.signed", "The credential is signed by its issuer.", evidence)


def issuers(read: Secured, *, keys: KeyResolver, now: datetime) -> Finding:
    """Is the credential signed by its issuer, and does nothing in it name another one?"""
    return other_issuer(read.signed, read.model.issuer_id) or signature(
        read.signed, lambda: keys.issuer_key(read.issuer, alg=read.signed.alg, now=now)
    )


def vouched(signature: Finding, keys: KeyResolver) -> KeyResolver:
    """The keys to look a holder up in: none, until an issuer has vouched for what the credential says."""
    return keys if signature.outcome is Outcome.PASS else keybinding.NOBODY


def issued_at(claims: Mapping[str, Json]) -> datetime | None:
    """`iat`, the time of the signature (§3.1.3); a text in its place, as some issuers write, says nothing."""
    return None if isinstance(claims.get("iat"), str) else instant(claims, "iat")


def validity(model: vcdm.Model | None, claims: Mapping[str, Json], *, now: datetime) -> Finding:
    """Is the document within its time, and the signature too (`exp`, `nbf`; `iat` is not of the future)?"""
    if "exp" in claims and now >= (instant(claims, "exp") or now):
        return Finding(Check.VALIDITY, Outcome.FAIL, "vc.signature_expired", "The signature has expired.")
    signed, start = issued_at(claims), instant(claims, "nbf")
    if (signed is not None and signed > now + LEEWAY) or (start is not None and start > now + LEEWAY):
        return Finding(Check.VALIDITY, Outcome.FAIL, "vc.signed_in_future", "The signature is dated in the future.")
    return _IN_FORCE if model is None else vcdm.validity(model, now=now)


def opened(
    format_id: str,
    read: Secured,
    findings: tuple[Finding, ...],
    holder: PublicKey | None,
    *,
    now: datetime,
    asker: str | None = None,
) -> Opened:
    """A credential that hides nothing, with `findings` on FORMAT, SIGNATURE and HOLDER_BINDING, and one on VALIDITY.

    One on SCHEMA says that a schema it names was not asked. Its statuses are the document's, and the envelope's (Token
    Status List §6.2). An `aud` in the envelope must name the `asker` to whom it is shown, if it is.
    """
    claims, model = read.signed.claims, read.model
    for_others = None if asker is None else registered.audience(claims, asker)
    return Opened(
        format=format_id,
        type=model.type,
        issuer=read.issuer,
        claims=read.document,
        findings=(*findings, for_others or validity(model, claims, now=now), *_schema(model)),
        holder=holder,
        statuses=model.statuses + registered.statuses(claims),
        issued_at=issued_at(claims),
        valid_from=model.valid_from,
        valid_until=model.valid_until,
    )


def _schema(model: vcdm.Model) -> tuple[Finding, ...]:
    """What is to be said of the schemas that a credential names: nobody is asked for them here."""
    return (schema.judge(model, documents=schema.nothing, credentials=schema.nothing),) if model.schemas else ()


def judged(signed: Signed, document: dict[str, Json], *, keys: KeyResolver, kind: Kind, now: datetime) -> Document:
    """A document and what is to be said about its signature and times. Raises Malformed (`vcdm.*`, `vcjose.*`)."""
    read = model(document, kind)
    agree(document, signed.claims)
    named = read.issuer_id if read else _identifier(document.get("holder"))

    def find() -> ResolvedKey:
        signer = named or text(signed.claims, "iss", what="envelope")
        if read:
            return keys.issuer_key(Issuer(signer, signed.kid, signed.x5c), alg=signed.alg, now=now)
        return ResolvedKey(holders_key(signer, signed.kid, keys=keys, now=now), "holder")

    found = other_issuer(signed, named) or signature(signed, find)
    return Document(document, (found, validity(read, signed.claims, now=now)))


def holders_key(holder: str | None, kid: str | None, *, keys: KeyResolver, now: datetime) -> PublicKey:
    """The key that a presentation's holder must have signed with, which is no other DID's.

    Raises Refused (`vp.other_holder`), and what `KeyResolver.holder_key` raises.
    """
    if kid is not None and holder is not None and kid.startswith("did:") and kid.partition("#")[0] != holder:
        raise Refused("vp.other_holder", "The presentation is signed by somebody else than the holder it names.")
    return keys.holder_key(kid or holder or "", now=now)


def _identifier(holder: Json) -> str | None:
    found = holder.get("id") if isinstance(holder, Mapping) else holder
    return found if isinstance(found, str) else None


# --- keys that are given ----------------------------------------------------------------------------------------------


class OneKey:
    """A `KeyResolver` with one key for everybody: for callers who were told the key and judge no issuer."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The key, whoever the issuer is. Raises Refused (`key.algorithm`) when it is of another algorithm."""
        if self._key.algorithm.name != alg:
            raise Refused("key.algorithm", "The key is not for the algorithm of the signature.")
        return ResolvedKey(self._key, "given")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """The key, whatever its name."""
        return self._key

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key, whatever its URL; it belongs to the URL's document."""
        return MethodKey(self._key, url.partition("#")[0])
