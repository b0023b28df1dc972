"""Key binding: did the holder make this very presentation, for this asker and this request (RFC 9901 §4.3, §7.3)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ssi import jose
from ssi.encoding import Json, read_json_object, seconds, unb64url
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.formats.disclosures import HASHES, Hash, digest
from ssi.keys import PublicKey, Signer
from ssi.model import Challenge, Check, Finding, Issuer, KeyResolver, MethodKey, Outcome, ResolvedKey

TYPE = "kb+jwt"
MAX_AGE_SECONDS = 300
MAX_AHEAD_SECONDS = 60
MAX_BYTES = 65_536
_MAX_REMEMBERED = 1024  # characters of a key's names and values; a P-384 key with every registered member has some 300

_PROVEN = "The holder proved to hold the credential's key."
_MISSING = Finding(
    Check.HOLDER_BINDING, Outcome.FAIL, "kb.missing", "The presentation does not prove that its holder made it."
)
_NAMED = Finding(
    Check.HOLDER_BINDING,
    Outcome.NOT_ASKED,
    "sdjwt.bound",
    "The credential is bound to a key; its possession is proven when the credential is shown.",
)
_UNBOUND = Finding(Check.HOLDER_BINDING, Outcome.NOT_ASKED, "sdjwt.unbound", "The credential is bound to no key.")


class _Nobody:
    """Looks nothing up: for credentials that no issuer signed, whose `cnf.kid` is a stranger's wish to be called."""

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """Raises Unavailable, always."""
        raise Unavailable("kb.not_looked_up", "The holder's key was not looked up, as no issuer vouches for it.")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """Raises Unavailable, always."""
        raise Unavailable("kb.not_looked_up", "The holder's key was not looked up, as no issuer vouches for it.")

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """Raises Unavailable, always."""
        raise Unavailable("kb.not_looked_up", "The holder's key was not looked up, as no issuer vouches for it.")


NOBODY: KeyResolver = _Nobody()


def holder_key(cnf: Json, *, keys: KeyResolver, now: datetime) -> PublicKey:
    """The holder's key from a `cnf` claim: a `jwk`, or a `kid` that is a DID URL (RFC 7800 §3.2, §3.4).

    Raises Malformed and Unsupported (`sdjwt.cnf`, `key.*`), and for a `kid` as `KeyResolver.holder_key` does.
    """
    if not isinstance(cnf, dict):
        raise Malformed("sdjwt.cnf", "The credential names no key of its holder's.")
    if "jwk" in cnf:
        return public_key(cnf["jwk"])
    if isinstance(cnf.get("kid"), str):
        return keys.holder_key(cnf["kid"], now=now)
    raise Unsupported("sdjwt.cnf", "The credential names its holder's key in a way that is not supported.")


def public_key(jwk: Json) -> PublicKey:
    """`PublicKey.from_jwk`, remembering keys that come back. Raises as that does.

    A key with much beside it is read anew each time: what is remembered is a stranger's, and must not fill the memory.
    """
    try:
        if sum(map(len, jwk.values())) + sum(map(len, jwk)) <= _MAX_REMEMBERED:
            return _remembered(tuple(jwk.items()))
    except (AttributeError, TypeError):  # no object, or members that are numbers or lists
        pass
    return PublicKey.from_jwk(jwk)


@lru_cache(maxsize=4096)
def _remembered(members: tuple[tuple[str, Json], ...]) -> PublicKey:
    return PublicKey.from_jwk(dict(members))


def named(cnf: Json, *, keys: KeyResolver, now: datetime) -> tuple[Finding, PublicKey | None]:
    """Whom a credential is bound to, before anybody had to prove it (RFC 9901 §7.2)."""
    if cnf is None:
        return _UNBOUND, None
    problem, key = _key_or_problem(cnf, keys=keys, now=now)
    return problem or _NAMED, key


def bind(sd_jwt: bytes, *, hash_new: Hash, challenge: Challenge, holder: Signer, now: datetime) -> str:
    """Sign a Key Binding JWT over an SD-JWT, its final `~` included (§4.3.1).

    Raises Refused (`kb.challenge`), Malformed and Unsupported (`kb.transaction_data`).
    """
    _refuse_empty(challenge)
    claims = {
        "iat": seconds(now),
        "aud": challenge.audience,
        "nonce": challenge.nonce,
        "sd_hash": digest(sd_jwt, hash_new),
        **_transaction_claims(challenge.transaction_data),
    }
    return jose.sign(claims, signer=holder, header={"typ": TYPE})


class Proof(NamedTuple):
    """The last part of a presentation, read but not verified: the token and the key it must be signed with.

    `problem` says what is wrong already; then the token is missing.
    """

    token: jose.Jws | None
    key: PublicKey | None
    problem: Finding | None


def read(token: bytes, *, cnf: Json, keys: KeyResolver, now: datetime) -> Proof:
    """Read what follows a presentation's last `~`, and find the holder's key (§7.3 steps 5.1, 5.2, 5.4).

    Key binding is always required: no token is a FAIL (steps 1 and 2). Never raises for what the token holds.
    """
    problem, key = _key_or_problem(cnf, keys=keys, now=now)
    if problem or not token:
        return Proof(None, key, problem or _MISSING)
    try:
        return Proof(jose.parse(token, typ=(TYPE,), max_bytes=MAX_BYTES), key, None)
    except SsiError as cause:
        return Proof(None, key, _unreadable(cause))


def judge(proof: Proof, *, sd_jwt: bytes, hash_new: Hash, challenge: Challenge, now: datetime) -> Finding:
    """Is this the holder's proof for this presentation, this asker and this request (§7.3 steps 5.3 to 5.8)?

    Raises Refused (`kb.challenge`) for a challenge that binds to nothing.
    """
    _refuse_empty(challenge)
    if proof.token is None or proof.key is None:
        return proof.problem or _MISSING
    try:
        jose.verify(proof.token, proof.key)
        claims = proof.token.claims
        age = now.timestamp() - _number(claims, "iat")
        broken = _broken_rule(claims, age, sd_jwt=sd_jwt, hash_new=hash_new, challenge=challenge, now=now)
    except Refused as cause:
        detail = "The proof of the holder's key is not signed with that key."
        return _finding(Outcome.FAIL, "kb.signature", detail, {"cause": cause.code})
    except SsiError as cause:
        return _unreadable(cause)
    if broken:
        return _finding(Outcome.FAIL, *broken)
    return _finding(Outcome.PASS, "kb.valid", _PROVEN, {"alg": proof.key.algorithm.name, "age_seconds": int(age)})


def _unreadable(cause: SsiError) -> Finding:
    return _finding(Outcome.FAIL, "kb.form", "The holder's proof cannot be read.", {"cause": cause.code})


def _key_or_problem(cnf: Json, *, keys: KeyResolver, now: datetime) -> tuple[Finding | None, PublicKey | None]:
    try:
        return None, holder_key(cnf, keys=keys, now=now)
    except Unavailable as cause:
        detail = "The key that the credential is bound to could not be looked up now."
        return _finding(Outcome.UNKNOWN, cause.code, detail), None
    except SsiError as cause:
        return _finding(Outcome.FAIL, cause.code, "The credential is bound to no key that could be proven."), None


def _broken_rule(
    claims: Mapping[str, Json], age: float, *, sd_jwt: bytes, hash_new: Hash, challenge: Challenge, now: datetime
) -> tuple[str, str] | None:
    """The first rule of §7.3 steps 5.5 to 5.8 that the token's claims break."""
    rules = (
        (claims.get("aud") == challenge.audience, "kb.audience", "The proof was made for somebody else."),
        (claims.get("nonce") == challenge.nonce, "kb.nonce", "The proof answers another request."),
        (age <= MAX_AGE_SECONDS, "kb.old", "The proof was made too long ago."),
        (age >= -MAX_AHEAD_SECONDS, "kb.future", "The proof says that it was made in the future."),
        (claims.get("sd_hash") == digest(sd_jwt, hash_new), "kb.sd_hash", "The proof is for other contents."),
        (_in_force(claims, now), "kb.expired", "The proof is outside its own time of validity."),
        (_answers(claims, challenge), "kb.transaction_data", "The proof does not cover the transaction."),
    )
    for holds, code, detail in rules:
        if not holds:
            return code, detail
    return None


def _number(claims: Mapping[str, Json], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"kb.{name}", f"{name!r} of the proof is not a number of seconds.")
    return float(value)


def _in_force(claims: Mapping[str, Json], now: datetime) -> bool:
    """§7.3 step 5.8: `exp` and `nbf` are not asked for, but bind when they are there (RFC 7519 §4.1)."""
    if "exp" in claims and now.timestamp() >= _number(claims, "exp"):
        return False
    return "nbf" not in claims or _number(claims, "nbf") <= now.timestamp() + MAX_AHEAD_SECONDS


def _transaction_claims(requested: Sequence[str]) -> dict[str, Json]:
    """The members that answer transaction data (OpenID4VP 1.0 B.3.3.1): hashes over the strings as they were sent."""
    if not requested:
        return {}
    offered = [_hash_names(one) for one in requested]
    name = next((name for name in HASHES if all(name in (one or ("sha-256",)) for one in offered)), None)
    if name is None:
        raise Unsupported("kb.transaction_data", "The transaction asks for a hash function that is not supported.")
    answer: dict[str, Json] = {"transaction_data_hashes": _transaction_hashes(requested, name)}
    return answer | ({"transaction_data_hashes_alg": name} if any(offered) else {})


def _transaction_hashes(requested: Sequence[str], name: str) -> list[str]:
    return [digest(one.encode("ascii"), HASHES[name]) for one in requested]


def _hash_names(requested: str) -> tuple[str, ...]:
    """`transaction_data_hashes_alg` of one transaction data object; () when absent."""
    names = read_json_object(unb64url(requested, what="transaction data"), what="transaction data").get(
        "transaction_data_hashes_alg", ()
    )
    if not isinstance(names, list | tuple):
        raise Malformed("kb.transaction_data", "The transaction's hash functions are not a list.")
    return tuple(name for name in names if isinstance(name, str))


def _answers(claims: Mapping[str, Json], challenge: Challenge) -> bool:
    if not challenge.transaction_data:
        return True
    offered = [_hash_names(one) or ("sha-256",) for one in challenge.transaction_data]
    name = claims.get("transaction_data_hashes_alg", "sha-256")
    if not isinstance(name, str) or name not in HASHES or not all(name in one for one in offered):
        return False
    return bool(claims.get("transaction_data_hashes") == _transaction_hashes(challenge.transaction_data, name))


def _refuse_empty(challenge: Challenge) -> None:
    if not challenge.nonce or not challenge.audience:
        raise Refused("kb.challenge", "A challenge without a nonce or an audience binds a presentation to nothing.")


def _finding(outcome: Outcome, code: str, detail: str, evidence: Mapping[str, Json] | None = None) -> Finding:
    return Finding(Check.HOLDER_BINDING, outcome, code, detail, evidence or {})
