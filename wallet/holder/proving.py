"""Proving: with which kind of proof does the wallet show an issuer the keys that it made (OpenID4VCI 1.0 App. F)?

What the issuer lists decides: plain proofs of possession, one with an attestation of all keys, or that alone.
A resistance that keys in software do not have is never claimed: then the card cannot be had here, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi.errors import Unsupported
from ssi.keys import ALGORITHMS, Signer
from ssi.oid4vci import Configuration, IssuerMetadata, proof
from wallet.holder.calls import PREFERRED
from wallet.holder.provider import Provider

MOST: Final = 10
"""Copies of one card at most, however many an issuer would make."""


@dataclass(frozen=True)
class Way:
    """How keys are shown: the proof type, the algorithm of the keys, and whether the provider attests them."""

    proof_type: str
    alg: str
    attested: bool


def way(configuration: Configuration, provider: Provider | None) -> Way:
    """The first way that both sides can go. Raises Unsupported (`offer.proof`, `offer.key_storage`)."""
    if not configuration.proof_algs:
        return Way("jwt", PREFERRED[0], attested=False)
    ways = [found for kind in ("jwt", "attestation") if (found := _way(kind, configuration, provider)) is not None]
    if ways:
        return ways[0]
    needs = [need for kind, need in configuration.needs.items() if kind in configuration.proof_algs]
    if any(need.key_storage or need.user_authentication for need in needs):
        raise Unsupported(
            "offer.key_storage",
            "The issuer gives this card only to wallets that keep keys in certified hardware. This wallet keeps them "
            "in software, and does not pretend otherwise.",
        )
    raise Unsupported("offer.proof", "The issuer asks for a kind of key proof that this wallet cannot give.")


def _way(kind: str, configuration: Configuration, provider: Provider | None) -> Way | None:
    if kind not in configuration.proof_algs:
        return None
    listed = configuration.proof_algs[kind]
    need = configuration.needs.get(kind)
    attested = need is not None or kind == "attestation"
    if need is not None and (need.key_storage or need.user_authentication):
        return None
    if attested and (provider is None or provider.alg not in listed):  # Appendix F: its alg must be listed too
        return None
    alg = next((one for one in PREFERRED if one in listed and one in ALGORITHMS), None)
    return None if alg is None else Way(kind, alg, attested)


def copies(configuration: Configuration, metadata: IssuerMetadata) -> int:
    """How many copies to ask for. A proof of BBS is new each time that it is shown, so one is enough."""
    return 1 if "bbs-2023" in configuration.signing_algs else max(1, min(metadata.batch_size, MOST))


def proofs(
    chosen: Way,
    signers: Sequence[Signer],
    *,
    audience: str,
    nonce: str | None,
    client_id: str | None,
    provider: Provider | None,
    now: datetime,
) -> tuple[str, ...]:
    """The proofs of one request, over one nonce. `client_id` is None where the token was had without one (F.1)."""
    if not chosen.attested or provider is None:
        return tuple(
            proof.make(signer=signer, audience=audience, nonce=nonce, now=now, client_id=client_id)
            for signer in signers
        )
    attestation = provider.attest_keys([signer.public for signer in signers], nonce=nonce, now=now)
    if chosen.proof_type == "attestation":
        return (attestation,)
    made = proof.make(
        signer=signers[0], audience=audience, nonce=nonce, now=now, client_id=client_id, key_attestation=attestation
    )
    return (made,)
