"""Presentations of data model 1.1: is this holder here, now, for us, and are the credentials the holder's own?

DIDKit answers none of these in full. So: the holder is required and is the signer; the challenge and the audience are
required and compared here; each credential is verified by itself; and each is about the holder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import Signer
from ssi.legacy import linked, methods, times, tokens
from ssi.legacy.credentials import Verified, subjects, verified
from ssi.model import Challenge

MAX_CREDENTIALS: Final = 16


@dataclass(frozen=True)
class Presented:
    """Who presented, and what: every proof held. Neither trust in the issuers nor status has been judged."""

    holder: str
    credentials: tuple[Verified, ...]


def present(
    credentials: tuple[Mapping[str, Json] | str, ...],
    *,
    holder: str,
    signer: Signer,
    proof_type: str,
    challenge: Challenge,
    now: datetime,
) -> Mapping[str, Json] | str:
    """Present credentials to whoever asked, signed by the holder's DID (did:key, did:jwk). Raises like `issue`."""
    method = methods.default(holder, purpose="authentication")
    document = {
        "@context": [linked.CONTEXT],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": list(credentials),
    }
    bound = {"challenge": challenge.nonce, "domain": challenge.audience}
    if proof_type == tokens.JWT:
        return tokens.sign(document, signer=signer, method=method, call="issue_presentation", challenge=bound)
    options = {
        "type": proof_type,
        "created": times.text(now),
        "verificationMethod": method,
        "proofPurpose": "authentication",
        **bound,
    }
    return {**document, "proof": linked.prove(document, options, signer=signer)}


def verify_presentation(
    presentation: Mapping[str, Json] | str, *, proof_type: str, challenge: Challenge, now: datetime
) -> Presented:
    """Verify a presentation made by its holder, for this challenge, and each credential in it.

    `proof_type` is the presentation's own; its credentials may have any. Raises Refused (`didkit.proof`,
    `didkit.holder`, `didkit.not_the_subject`, `didkit.challenge`, `didkit.audience`, …), Malformed, Unsupported,
    Unavailable.
    """
    if not challenge.nonce or not challenge.audience:
        raise Refused("didkit.challenge", "A presentation is verified against a nonce and an audience.")
    if isinstance(presentation, str) != (proof_type == tokens.JWT):
        raise Unsupported("didkit.proof_type", "The presentation is not of the proof type that is accepted here.")
    if isinstance(presentation, str):
        document, holder = _token(presentation, challenge, now)
    else:
        document, holder = _linked(presentation, proof_type, challenge, now)
    found = tuple(verified(credential, now=now) for credential in _credentials(document))
    if any(subject != holder for credential in found for subject in subjects(credential)):
        raise Refused("didkit.not_the_subject", "A credential is about somebody else than the one who presents it.")
    return Presented(holder, found)


def _token(wire: str, challenge: Challenge, now: datetime) -> tuple[Mapping[str, Json], str]:
    token = tokens.read(wire, member="vp")
    audience = token.claims.get("aud")
    if audience not in (challenge.audience, [challenge.audience]):
        raise Refused("didkit.audience", "The presentation is not for this audience.")
    if token.claims.get("nonce") != challenge.nonce:
        raise Refused("didkit.challenge", "The presentation does not answer this challenge.")
    _shape(token.document)
    bound = {"challenge": challenge.nonce, "domain": challenge.audience}
    tokens.check(token, call="verify_presentation", expected=bound, now=now)
    return token.document, token.issuer


def _linked(
    presentation: Mapping[str, Json], proof_type: str, challenge: Challenge, now: datetime
) -> tuple[Mapping[str, Json], str]:
    document, proofs = linked.proofs(presentation)
    holder = _shape(document)
    for proof in proofs:
        if proof.get("type") != proof_type:
            raise Unsupported("didkit.proof_type", "The presentation is not of the proof type that is accepted here.")
        if proof.get("proofPurpose") != "authentication":
            raise Refused("didkit.purpose", "The presentation's proof was made for another purpose.")
        if proof.get("challenge") != challenge.nonce:
            raise Refused("didkit.challenge", "The presentation does not answer this challenge.")
        if proof.get("domain") != challenge.audience:
            raise Refused("didkit.audience", "The presentation is not for this audience.")
        times.within(begins=times.required(proof, "created"), ends=None, now=now)
        if methods.split(proof.get("verificationMethod"))[0] != holder:
            raise Refused("didkit.holder", "The presentation is signed by another than its holder.")
        linked.check(document, proof)
    return document, holder


def _shape(document: Mapping[str, Json]) -> str:
    """The holder of a document that is a presentation of data model 1.1 (§4.10)."""
    contexts, types, holder = document.get("@context"), document.get("type"), document.get("holder")
    if not isinstance(contexts, list) or contexts[:1] != [linked.CONTEXT]:
        raise Malformed("didkit.context", "The presentation's first context is not that of data model 1.1.")
    if "VerifiablePresentation" not in (types if isinstance(types, list) else [types]):
        raise Malformed("didkit.type", "The document is not a presentation.")
    found = holder.get("id") if isinstance(holder, Mapping) else holder
    if not isinstance(found, str) or not found:
        raise Malformed("didkit.holder", "The presentation names no holder.")
    return found


def _credentials(document: Mapping[str, Json]) -> list[Json]:
    found = document.get("verifiableCredential")
    entries = found if isinstance(found, list) else [found]
    if not 0 < len(entries) <= MAX_CREDENTIALS or None in entries:
        raise Malformed("didkit.credentials", f"The presentation does not hold 1 to {MAX_CREDENTIALS} credentials.")
    return entries
