"""Bindings: what must a presentation be bound to, so that it answers one request alone (OpenID4VP 1.0 §14.1)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ssi.encoding import Json
from ssi.errors import Refused
from ssi.jose import jwe
from ssi.model import Challenge
from ssi.oid4vp import transactions
from ssi.oid4vp.modes import DC_MODES
from ssi.oid4vp.parameters import AuthorizationRequest


def chosen_key(request: AuthorizationRequest) -> Mapping[str, Json] | None:
    """The key that the answer is encrypted to: the first usable one; None where answers are not encrypted (§8.3)."""
    if not request.encrypted:
        return None
    return next((key for key in request.encryption_keys if jwe.is_usable(key)), None)


def challenge(request: AuthorizationRequest) -> Challenge:
    """What every presentation for this request is bound to, the same on both sides (§14.1.2, B.2.6.1, B.2.6.2, A.4).

    All of the transaction data is in it: where there are several credentials, see `challenges` and `assigned`.
    """
    key = chosen_key(request)
    return Challenge(
        nonce=request.nonce,
        audience=request.audience,
        response_uri=None if request.response_mode in DC_MODES else request.destination,
        response_key=jwe.thumbprint(key) if key is not None else None,
        transaction_data=request.transaction_data,
    )


def assigned(request: AuthorizationRequest, answered: Mapping[str, str]) -> Mapping[str, Challenge]:
    """For a wallet: by query id, what the (first) credential shown for it is to be bound to.

    `answered` are the formats of what is about to be shown, by query id. Each transaction goes to one credential
    (§5.1). Raises Refused (`oid4vp.transaction_missing`) when nothing that is shown can authorize one of them.
    """
    whole, plan = challenge(request), transactions.assign(request.transaction_data, answered)
    return {name: replace(whole, transaction_data=plan.get(name, ())) for name in answered}


def challenges(
    request: AuthorizationRequest, vp_token: Mapping[str, Sequence[str]]
) -> Mapping[str, tuple[Challenge, ...]]:
    """For a verifier: by query id, what each presentation must be bound to.

    A wallet chooses which of the credentials that a transaction names authorizes it; its own word for that is taken
    from the proof, and proved when the format opens the presentation against its challenge: only a presentation whose
    HOLDER_BINDING passes has authorized anything. Raises Refused (`oid4vp.transaction_missing`) when a transaction is
    authorized by none.
    """
    whole = challenge(request)
    if not request.transaction_data:
        return {name: (whole,) * len(presentations) for name, presentations in vp_token.items()}
    found = {
        name: tuple(
            replace(whole, transaction_data=transactions.covered(wire, request.transaction_data, query_id=name))
            for wire in presentations
        )
        for name, presentations in vp_token.items()
    }
    authorized = {raw for some in found.values() for one in some for raw in one.transaction_data}
    if not authorized.issuperset(request.transaction_data):
        raise Refused("oid4vp.transaction_missing", "Nothing that was presented authorizes the transaction.")
    return found
