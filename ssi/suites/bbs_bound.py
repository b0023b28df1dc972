"""bbs-2023 bound to its holder: credentials that nobody else can use, and pseudonyms (Data Integrity BBS §3.5).

The holder asks with a commitment to secrets that it never shows (`request`), the issuer signs over it, and each proof
says that its prover knows them. With a pseudonym, it also says who the prover is in one context, and only there. The
Recommendation has these features "at risk". Verifiers need of this only `pseudonym`: `bbs_2023.verify` knows all four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ssi.bbs import BbsSigner, blind, pseudonyms
from ssi.bbs.blind import Secrets, Signed
from ssi.bbs.pseudonyms import NymSecrets
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import PublicKey
from ssi.suites import bbs_2023, bbs_values, values
from ssi.suites.bbs_values import Base, Derived, Feature
from ssi.suites.values import Random

Document = Mapping[str, Json]


@dataclass(frozen=True)
class Held:
    """What a holder keeps, secret, for all its proofs from one credential; what its feature does not use is empty."""

    feature: Feature
    holder_secret: bytes = field(repr=False)
    prover_nym: bytes = field(repr=False)
    blind: bytes = field(repr=False)

    def committed(self) -> tuple[bytes, ...]:
        """The committed secrets besides a pseudonym's."""
        return (self.holder_secret,) if self.feature.held else ()


def request(feature: Feature, *, random: Random) -> tuple[bytes, Held]:
    """What the holder sends to the issuer (`commitment_with_proof`), and what it keeps.

    Raises Unsupported (`suite.feature`) for the baseline, Refused (`bbs.random`).
    """
    secret = random(32) if feature.held else b""
    if feature.nym:
        nym = pseudonyms.fresh(random=random)
        made = pseudonyms.commit(nym, (secret,) * feature.held, random=random)
        return made.octets, Held(feature, secret, nym, made.blind)
    if feature.held:
        made = blind.commit((secret,), random=random)
        return made.octets, Held(feature, secret, b"", made.blind)
    raise Unsupported("suite.feature", "A credential without features needs no commitment.")


def sign(
    document: Document,
    proof: Document,
    *,
    signer: BbsSigner,
    feature: Feature,
    commitment: bytes,
    mandatory: Sequence[str] | None,
    random: Random,
    nym_entropy: bytes | None = None,
) -> dict[str, Json]:
    """A base proof over the holder's commitment (§3.4.1, §3.4.5 step 4).

    `nym_entropy`: that of an earlier credential, so that its holder keeps its pseudonyms. Raises Refused
    (`bbs.commitment`), Malformed (`suite.pointer`, `jsonld.*`, `bbs.*`), Unsupported (`suite.feature`, `bbs.messages`).
    """
    pointers, hmac_key = bbs_2023.MANDATORY if mandatory is None else tuple(mandatory), random(32)
    data = bbs_2023.hash_data(document, proof, pointers=pointers, hmac_key=hmac_key)
    entropy = b""
    if feature.nym:
        entropy = pseudonyms.fresh(random=random) if nym_entropy is None else nym_entropy
        made = signer.sign_nym(commitment, entropy, data.header, data.messages, secrets=feature.held)
    elif feature.held:
        made = signer.sign_blind(commitment, data.header, data.messages)
    else:
        raise Unsupported("suite.feature", "A credential without features needs no commitment.")
    base = Base(made, data.header, signer.public.x, hmac_key, pointers, feature, entropy)
    return {**proof, "proofValue": base.write()}


def check_base(document: Document, proof: Document, *, key: PublicKey, held: Held) -> tuple[str, ...]:
    """Is the base proof good, and bound to these secrets? Returns the mandatory pointers.

    Raises Refused (`suite.signature`, `suite.derived_proof`), Malformed, Unsupported (`suite.key`, `suite.feature`).
    """
    values.takes(bbs_2023.ALGORITHMS, key)
    base = _base_for(proof, held)
    data = bbs_2023.base_data(document, proof, base, key=key)
    signed = Signed(key.x, base.signature, data.header, data.messages)
    try:
        if base.feature.nym:
            pseudonyms.verify(signed, _nym_secrets(base, held))
        else:
            blind.verify(signed, Secrets(held.committed(), held.blind))
    except Refused:
        raise Refused("suite.signature", "The proof's signature does not match the document.") from None
    return base.pointers


def derive(
    document: Document,
    proof: Document,
    *,
    held: Held,
    pointers: Sequence[str],
    challenge: bytes,
    context: str = "",
    random: Random,
) -> dict[str, Json]:
    """The revealed document with its derived proof (§3.4.6); a pseudonym is made for `context` (`nym_domain`).

    Raises Malformed (`suite.pointer`, `suite.context`), Refused (`suite.derived_proof`), Unsupported (`suite.feature`).
    """
    base = _base_for(proof, held)
    if base.feature.nym != bool(context):
        raise Malformed("suite.context", "A pseudonym needs a context to hold in, and nothing else does.")
    shown = bbs_2023.disclose(document, base, pointers=pointers)
    signed, nym = Signed(base.public, base.signature, base.header, shown.messages), b""
    if base.feature.nym:
        secrets = _nym_secrets(base, held)
        made, nym = pseudonyms.prove(signed, secrets, challenge, context.encode(), shown.selective, random=random)
    else:
        bound = Secrets(held.committed(), held.blind)
        made = blind.prove(signed, bound, challenge, shown.selective, random=random)
    places = (shown.labels, shown.mandatory, shown.selective)
    derived = Derived(made, *places, challenge, base.feature, len(shown.messages), context, nym)
    return {**shown.document, "proof": {**proof, "proofValue": derived.write()}}


def pseudonym(proof: Document) -> tuple[str, bytes]:
    """The context that a verified proof names, and who its prover is there. Compare the context with your own.

    Raises Unsupported (`suite.feature`) when the proof carries none, Refused (`suite.base_proof`), Malformed.
    """
    derived = bbs_values.read_derived(proof)
    if not derived.feature.nym:
        raise Unsupported("suite.feature", "The proof carries no pseudonym.")
    return derived.domain, derived.pseudonym


def _base_for(proof: Document, held: Held) -> Base:
    base = bbs_values.read_base(proof)
    if base.feature is not held.feature:
        raise Unsupported("suite.feature", "The proof is not bound in the way that its holder's secrets are for.")
    return base


def _nym_secrets(base: Base, held: Held) -> NymSecrets:
    return NymSecrets(held.prover_nym, base.nym_entropy, held.blind, held.committed())
