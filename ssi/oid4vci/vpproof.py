"""Presentations as key proofs: which key signed this empty presentation, for whom (Appendix F.2, `di_vp`)?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi import suites, vcdm
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.keys import PublicKey, Signer
from ssi.model import KeyResolver, Outcome
from ssi.suites import options, proofs

_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
_PURPOSE: Final = "authentication"


@dataclass(frozen=True)
class Shown:
    """A presentation whose one proof holds: its key, the URL that names it, and what it answers."""

    key: PublicKey
    method: str
    challenge: str | None
    created: datetime | None


def make(
    *, signer: Signer, verification_method: str, suite: str, audience: str, nonce: str, now: datetime
) -> dict[str, Json]:
    """A presentation of nothing, signed for the Credential Issuer Identifier `audience` with its `c_nonce`.

    `suite` is one of the issuer's `proof_signing_alg_values_supported`. Raises Unsupported (`suite.*`).
    """
    holder = verification_method.partition("#")[0]
    document: dict[str, Json] = {"@context": [_CONTEXT], "type": ["VerifiablePresentation"], "holder": holder}
    return proofs.add(
        document,
        suite=suites.by_name(suite),
        signer=signer,
        verification_method=verification_method,
        purpose=_PURPOSE,
        created=now,
        domain=audience,
        challenge=nonce,
    )


def verify(document: Json, *, audience: str, suites: Collection[str], keys: KeyResolver, now: datetime) -> Shown:
    """Judge a presentation by F.2 and F.4: one proof, of a listed suite, for this audience, by the holder it names.

    Raises Malformed (`vcdm.*`, `proof.*`, `vpproof.*`), Refused (`proof.*`, `vpproof.holder`), Unsupported
    (`vpproof.suite`), Unavailable.
    """
    if not isinstance(document, dict):
        raise Malformed("vpproof.document", "The key proof is not a presentation.")
    model = vcdm.presentation(document)
    if model.credentials:
        raise Malformed("vpproof.credentials", "The key proof shows credentials, which nobody asked for.")
    proof = _only(document.get("proof"))
    if proof.get("cryptosuite") not in suites:
        raise Unsupported("vpproof.suite", "The key proof is made with a suite that this issuer does not list.")
    (proven,) = proofs.verify(document, keys=keys, purpose=_PURPOSE, now=now, domain=audience)
    if proven.outcome.outcome is Outcome.UNKNOWN:
        raise Unavailable(proven.outcome.code, proven.outcome.detail)
    if proven.outcome.outcome is not Outcome.PASS:
        raise Refused(proven.outcome.code, proven.outcome.detail)
    if model.holder_id is not None and model.holder_id != proven.controller:
        raise Refused("vpproof.holder", "The key proof is signed by another than the holder it names.")
    read = options.read(proof)
    found = keys.method_key(read.method, relationship=_PURPOSE, now=now)
    return Shown(found.key, read.method, read.challenge, read.created)


def _only(value: Json) -> dict[str, Json]:
    proof = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(proof, dict):
        raise Malformed("vpproof.proof", "The key proof must hold exactly one Data Integrity proof.")
    return proof
