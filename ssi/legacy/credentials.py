"""Credentials of data model 1.1: what must hold besides DIDKit's word that a signature matches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import Signer
from ssi.legacy import linked, methods, times, tokens

Verified = Mapping[str, Json]
"""A credential whose every proof held; its status has not been asked."""


def issue(
    credential: Mapping[str, Json],
    *,
    signer: Signer,
    proof_type: str,
    now: datetime,
    verification_method: str | None = None,
) -> Mapping[str, Json] | str:
    """Sign a credential of data model 1.1 with a proof type of `linked.PROOF_TYPES`, or as a token ("jwt").

    `verification_method` is the signer's key in the issuer's DID (did:key, did:jwk); None where it has only one. The
    signer must be a `SoftwareSigner`, of which DIDKit is given the secret. Raises Malformed (`didkit.*`, `jsonld.*`),
    Unsupported (`didkit.proof_type`, `didkit.key`, `didkit.signer`, `didkit.unavailable`), Refused, Unavailable.
    """
    _shape(credential)
    issuer = _id(credential.get("issuer"), what="issuer")
    method = verification_method or methods.default(issuer, purpose="assertionMethod")
    if methods.split(method)[0] != issuer:
        raise Refused("didkit.issuer", "The verification method belongs to another than the issuer.")
    if proof_type == tokens.JWT:
        return tokens.sign(credential, signer=signer, method=method, call="issue_credential", challenge={})
    options = {
        "type": proof_type,
        "created": times.text(now),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    return {**credential, "proof": linked.prove(credential, options, signer=signer)}


def verify(credential: Mapping[str, Json] | str, *, proof_type: str, now: datetime) -> None:
    """Return when every proof is of this type and holds, by the issuer's own key, and the credential is in force.

    Raises Refused (`didkit.proof`, `didkit.issuer`, `didkit.expired`, `didkit.not_yet_valid`, …), Malformed,
    Unsupported (`didkit.proof_type`, `didkit.did_method`, `didkit.unavailable`, `jsonld.*`), Unavailable.
    """
    if isinstance(credential, str) != (proof_type == tokens.JWT):
        raise Unsupported("didkit.proof_type", "The credential is not of the proof type that is accepted here.")
    if isinstance(credential, Mapping):
        _, found = linked.proofs(credential)
        if any(proof.get("type") != proof_type for proof in found):
            raise Unsupported("didkit.proof_type", "The credential is not of the proof type that is accepted here.")
    verified(credential, now=now)


def verified(credential: Json, *, now: datetime) -> Verified:
    """The credential, a mapping also where it came as a token, when it holds by whatever proof type it has."""
    if isinstance(credential, str):
        token = tokens.read(credential, member="vc")
        _in_force(token.document, now=now)
        tokens.check(token, call="verify_credential", expected={}, now=now)
        return token.document
    if not isinstance(credential, Mapping):
        raise Malformed("didkit.credential", "The credential is neither an object nor a token.")
    document, proofs = linked.proofs(credential)
    issuer = _in_force(document, now=now)
    for proof in proofs:
        if proof.get("proofPurpose") != "assertionMethod":
            raise Refused("didkit.purpose", "The credential's proof was made for another purpose.")
        times.within(begins=times.required(proof, "created"), ends=None, now=now)
        if methods.split(proof.get("verificationMethod"))[0] != issuer:
            raise Refused("didkit.issuer", "The credential is signed by another than its issuer.")
        linked.check(document, proof)
    return document


def subjects(credential: Mapping[str, Json]) -> tuple[str | None, ...]:
    """Whom the credential is about, by identifier; None for each subject that has none."""
    found = credential.get("credentialSubject")
    entries = found if isinstance(found, list) else [found]
    return tuple(entry.get("id") if isinstance(entry, Mapping) else None for entry in entries)


def _in_force(document: Mapping[str, Json], *, now: datetime) -> str:
    """The issuer of a credential that has a credential's members and is within its time."""
    _shape(document)
    begins = [times.required(document, "issuanceDate"), times.moment(document, "validFrom")]
    ends = [times.moment(document, name) for name in ("expirationDate", "validUntil")]
    times.within(begins=max(filter(None, begins)), ends=min(filter(None, ends), default=None), now=now)
    return _id(document.get("issuer"), what="issuer")


def _shape(document: Mapping[str, Json]) -> None:
    """VCDM 1.1 §4.1 to §4.4, as far as DIDKit's answers would mean something else without it."""
    contexts, types = document.get("@context"), document.get("type")
    if not isinstance(contexts, list) or contexts[:1] != [linked.CONTEXT]:
        raise Malformed("didkit.context", "The credential's first context is not that of data model 1.1.")
    if "VerifiableCredential" not in (types if isinstance(types, list) else [types]):
        raise Malformed("didkit.type", "The document is not a credential.")
    found = document.get("credentialSubject")
    entries = found if isinstance(found, list) else [found]
    if not entries or not all(isinstance(entry, Mapping) and entry for entry in entries):
        raise Malformed("didkit.subject", "The credential is about nobody.")
    if not all(isinstance(each, str | None) for each in subjects(document)):
        raise Malformed("didkit.subject", "A subject's identifier is not a text.")
    times.required(document, "issuanceDate")


def _id(value: Json, *, what: str) -> str:
    """Who somebody is, given as a text or as an object with an `id`."""
    found = value.get("id") if isinstance(value, Mapping) else value
    if not isinstance(found, str) or not found:
        raise Malformed(f"didkit.{what}", f"The {what} is missing or has no identifier.")
    return found
