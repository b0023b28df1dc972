"""Presentation claims: did the holder sign this presentation for this asker and this request?

What a presentation as a signed token must say: `aud`, `nonce` and times (OpenID4VP 1.0 §14.1.2, B.1.3.1). The key that
it must be signed with is the one that the credential is bound to, by `cnf` or by its subject's DID.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from ssi.dids import jwk as did_jwk
from ssi.dids import key as did_key
from ssi.encoding import Json, seconds
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.formats import keybinding
from ssi.keys import PublicKey, Signer
from ssi.model import Challenge, Check, Finding, KeyResolver, Outcome

_PROVEN: Final = "The holder proved to hold the credential's key."
MISSING: Final = Finding(
    Check.HOLDER_BINDING, Outcome.FAIL, "vp.missing", "The presentation does not prove that its holder made it."
)
_UNBOUND: Final = Finding(Check.HOLDER_BINDING, Outcome.NOT_ASKED, "vc.unbound", "The credential is bound to no key.")
_BOUND: Final = Finding(
    Check.HOLDER_BINDING,
    Outcome.NOT_ASKED,
    "vc.bound",
    "The credential is bound to a key; its possession is proven when the credential is shown.",
)


class Binding(NamedTuple):
    """What a credential is bound to: the `cnf` of its envelope, and the identifier of its one subject."""

    cnf: Json
    subject: str | None


# --- the credential's side --------------------------------------------------------------------------------------------


def named(binding: Binding, *, keys: KeyResolver, now: datetime) -> tuple[Finding, PublicKey | None]:
    """Whom a credential is bound to, before anybody had to prove it."""
    if binding.cnf is None and not _is_did(binding.subject):
        return _UNBOUND, None
    try:
        return _BOUND, key_of(binding, None, keys=keys, now=now)
    except Unavailable as cause:
        detail = "The key that the credential is bound to could not be looked up now."
        return Finding(Check.HOLDER_BINDING, Outcome.UNKNOWN, cause.code, detail), None
    except Refused as cause:
        if cause.code == "did.which_key":  # any of them may be shown later; then a `kid` says which
            return _BOUND, None
        return _unusable(cause), None
    except SsiError as cause:
        return _unusable(cause), None


def _unusable(cause: SsiError) -> Finding:
    detail = "The credential is bound to no key that could be proven."
    return Finding(Check.HOLDER_BINDING, Outcome.FAIL, cause.code, detail)


def key_of(binding: Binding, kid: str | None, *, keys: KeyResolver, now: datetime) -> PublicKey:
    """The key that the holder must have signed with. `kid` chooses among the keys of the subject's DID.

    Raises Refused (`vp.other_holder`, `vp.unbound`), and what `KeyResolver.holder_key` raises.
    """
    if binding.cnf is not None:
        return keybinding.holder_key(binding.cnf, keys=keys, now=now)
    if binding.subject is None or not _is_did(binding.subject):
        raise Refused("vp.unbound", "The credential is bound to no key.")
    if kid is not None and not kid.startswith(f"{binding.subject}#"):
        if kid.startswith("did:"):
            raise Refused(
                "vp.other_holder", "The presentation is signed by somebody else than the credential's subject."
            )
        kid = f"{binding.subject}#{kid.removeprefix('#')}"
    return keys.holder_key(kid or only_key(binding.subject), now=now)


def only_key(did: str) -> str:
    """The URL of the one key of a DID that has only one by its nature; else the DID itself."""
    method, _, name = did.removeprefix("did:").partition(":")
    return f"{did}#{name}" if method == "key" else f"{did}#0" if method == "jwk" else did


def _is_did(subject: str | None) -> bool:
    return subject is not None and subject.startswith("did:")


# --- the holder's side ------------------------------------------------------------------------------------------------


def key_url(did: str | None, key: PublicKey) -> str | None:
    """The DID URL of a key whose DID is made of it; None for any other DID."""
    if did == did_key.from_public(key):
        return did_key.url(key)
    return did_jwk.url(key) if did == did_jwk.from_public(key) else None


def holder_url(binding: Binding, holder: Signer) -> str:
    """The DID URL by which the holder's key is named in a presentation of this credential.

    Raises Refused (`vp.not_the_holder`) where a verifier would refuse that key anyway.
    """
    if binding.cnf is not None:
        if not isinstance(binding.cnf, dict):
            raise Malformed("vp.cnf", "The credential names no key of its holder's.")
        if "jwk" in binding.cnf and keybinding.public_key(binding.cnf["jwk"]) != holder.public:
            raise Refused("vp.not_the_holder", "The credential is bound to another key.")
        return did_key.url(holder.public)
    if (url := key_url(binding.subject, holder.public)) is not None:
        return url
    if binding.subject is not None and holder.kid.startswith(f"{binding.subject}#"):
        return holder.kid
    if not _is_did(binding.subject):
        raise Refused("vp.not_the_holder", "The credential is bound to no key, so nobody can prove to hold it.")
    raise Refused("vp.not_the_holder", "The credential is bound to another key.")


def claims(url: str, *, challenge: Challenge, now: datetime) -> dict[str, Json]:
    """What a presentation says beside its document. Raises Refused (`kb.challenge`), Unsupported (`vp.transaction`)."""
    refuse_empty(challenge)
    if challenge.transaction_data:
        raise Unsupported("vp.transaction", "Transactions cannot be confirmed with a credential of this format.")
    return {
        "iss": url.partition("#")[0],
        "aud": challenge.audience,
        "nonce": challenge.nonce,
        "iat": seconds(now),
        "exp": seconds(now) + keybinding.MAX_AGE_SECONDS,
    }


def refuse_empty(challenge: Challenge) -> None:
    """Return when a challenge binds to something. Raises Refused (`kb.challenge`)."""
    if not challenge.nonce or not challenge.audience:
        raise Refused("kb.challenge", "A challenge without a nonce or an audience binds a presentation to nothing.")


# --- the verifier's side ----------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """What a presentation says of itself: its token's claims and key name, and the document's `holder`."""

    claims: Mapping[str, Json]
    kid: str | None
    holder: Json


def judge(
    binding: Binding,
    said: Said,
    *,
    verify: Callable[[PublicKey], None],
    challenge: Challenge,
    keys: KeyResolver,
    now: datetime,
) -> tuple[Finding, PublicKey | None]:
    """Is this the holder's presentation for this asker and this request? `verify` raises unless the key signed it.

    Raises Refused (`kb.challenge`) for a challenge that binds to nothing.
    """
    refuse_empty(challenge)
    try:
        key = key_of(binding, said.kid, keys=keys, now=now)
    except Unavailable as cause:
        detail = "The key that the credential is bound to could not be looked up now."
        return Finding(Check.HOLDER_BINDING, Outcome.UNKNOWN, cause.code, detail), None
    except SsiError as cause:
        return _unusable(cause), None
    try:
        verify(key)
        broken = _broken_rule(binding, said, challenge=challenge, now=now)
    except Refused as cause:
        detail = "The presentation is not signed with the key that its credential is bound to."
        return Finding(Check.HOLDER_BINDING, Outcome.FAIL, "vp.signature", detail, {"cause": cause.code}), key
    except SsiError as cause:
        detail = "The presentation's proof of its holder cannot be read."
        return Finding(Check.HOLDER_BINDING, Outcome.FAIL, "vp.form", detail, {"cause": cause.code}), key
    if broken:
        return Finding(Check.HOLDER_BINDING, Outcome.FAIL, *broken), key
    evidence = {"alg": key.algorithm.name}
    return Finding(Check.HOLDER_BINDING, Outcome.PASS, "vp.valid", _PROVEN, evidence), key


def _broken_rule(binding: Binding, said: Said, *, challenge: Challenge, now: datetime) -> tuple[str, str] | None:
    age = _age(said.claims, now)
    rules = (
        (said.claims.get("aud") in (challenge.audience, [challenge.audience]), "vp.audience",
         "The presentation was made for somebody else."),
        (said.claims.get("nonce") == challenge.nonce, "vp.nonce", "The presentation answers another request."),
        (age is None or age <= keybinding.MAX_AGE_SECONDS, "vp.old", "The presentation was made too long ago."),
        (age is None or age >= -keybinding.MAX_AHEAD_SECONDS, "vp.future",
         "The presentation says that it was made in the future."),
        (_in_force(said.claims, now), "vp.expired", "The presentation is outside its own time of validity."),
        (_same_holder(binding, said), "vp.holder", "The presentation names another holder than the credential."),
        (not challenge.transaction_data, "vp.transaction", "The presentation does not cover the transaction."),
    )  # fmt: skip
    return next(((code, detail) for holds, code, detail in rules if not holds), None)


def _same_holder(binding: Binding, said: Said) -> bool:
    """The identifiers of the one who presents agree; with a `cnf` the subject need not be the holder (RFC 7800)."""
    holder = said.holder.get("id") if isinstance(said.holder, Mapping) else said.holder
    told = [one for one in (holder, said.claims.get("iss")) if one is not None]
    if not all(isinstance(one, str) for one in told):
        return False
    named = set(told)
    return len(named) <= 1 and (binding.cnf is not None or named <= {binding.subject})


def _age(members: Mapping[str, Json], now: datetime) -> float | None:
    """Seconds since `iat`, which is optional: what makes a presentation fresh is its nonce."""
    return now.timestamp() - _number(members, "iat") if "iat" in members else None


def _in_force(members: Mapping[str, Json], now: datetime) -> bool:
    if "exp" in members and now.timestamp() >= _number(members, "exp"):
        return False
    return "nbf" not in members or _number(members, "nbf") <= now.timestamp() + keybinding.MAX_AHEAD_SECONDS


def _number(members: Mapping[str, Json], name: str) -> float:
    value = members[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Malformed(f"vp.{name}", f"{name!r} of the presentation is not a number of seconds.")
    return float(value)
