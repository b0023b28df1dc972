"""Key proofs: does whoever asks for the credential hold the key it will be bound to (Appendix F)?

Three types: `jwt`, signed with the key itself and perhaps with an attestation of it and of others; `attestation`, an
attestation alone; `di_vp`, a presentation with a Data Integrity proof. Whether nonces are fresh, and whether those who
attest may be believed, is the issuer's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, instant, seconds
from ssi.errors import SsiError, Unavailable
from ssi.jose import jws
from ssi.keys import PublicKey, Signer
from ssi.model import KeyResolver
from ssi.oid4vci import keyattestation, vpproof
from ssi.oid4vci.configurations import Configuration
from ssi.oid4vci.credential import CredentialRequest
from ssi.oid4vci.errors import OAuthError
from ssi.oid4vci.keyattestation import KeyAttestation
from ssi.trust import x509

TYP: Final = "openid4vci-proof+jwt"
JWT: Final = "jwt"
ATTESTATION: Final = "attestation"
DI_VP: Final = "di_vp"
MAX_AGE: Final = timedelta(seconds=300)
MAX_AHEAD: Final = timedelta(seconds=60)
MAX_PROOF_BYTES: Final = 16_384
_BINDINGS: Final = ("jwk", "kid", "x5c")
_NO_NONCE: Final = "The key proof holds no c_nonce. Fetch one from the nonce endpoint."


@dataclass(frozen=True)
class Proof:
    """A key and why it counts: its signature, audience and time are right; its nonce is the issuer's to judge.

    `binding` is how the key was named ("jwk", "kid", "x5c", "di_vp", "attestation"). `proven` says that the key itself
    signed; a key that is only attested counts for as much as its `attestation`'s provider does.
    """

    key: PublicKey
    nonce: str
    binding: str
    kid: str | None = None
    attestation: KeyAttestation | None = None
    proven: bool = True


def make(
    *,
    signer: Signer,
    audience: str,
    nonce: str | None,
    now: datetime,
    kid: str | None = None,
    x5c: tuple[str, ...] = (),
    key_attestation: str | None = None,
    client_id: str | None = None,
) -> str:
    """Sign a `jwt` key proof for the Credential Issuer Identifier `audience` with the issuer's `c_nonce`.

    The key goes along as `jwk`, unless `kid` (a DID URL) or `x5c` (standard base64 DER) names it. `client_id` becomes
    `iss`, and is left out by a wallet that has none (a pre-authorized code used anonymously, F.1).
    """
    header: dict[str, Json] = {"typ": TYP}
    if kid is not None:
        header["kid"] = kid
    elif x5c:
        header["x5c"] = list(x5c)
    else:
        header["jwk"] = dict(signer.public.jwk)
    if key_attestation is not None:
        header["key_attestation"] = key_attestation
    payload: dict[str, Json] = {"aud": audience, "iat": seconds(now)}
    if client_id is not None:
        payload["iss"] = client_id
    if nonce is not None:
        payload["nonce"] = nonce
    return jws.sign(payload, signer=signer, header=header)


def verify_all(
    request: CredentialRequest,
    configuration: Configuration,
    *,
    audience: str,
    keys: KeyResolver,
    now: datetime,
    batch_size: int,
    attestations: bool = True,
) -> tuple[Proof, ...]:
    """Judge all proofs of a request by Appendix F.4: one `Proof` for each key that a credential could be bound to.

    All keys are distinct, and there are at most `batch_size` of them. `attestations` says whether the issuer reads key
    attestations beside `jwt` proofs; where the configuration needs them, they are read anyway.
    Raises OAuthError (`invalid_proof`, also when no proof came), Unavailable.
    """
    kind = request.proof_type
    if kind is None:
        raise OAuthError("invalid_proof", "The proofs parameter is missing.")
    judge = _JUDGES.get(kind)
    if judge is None or kind not in configuration.proof_algs:
        raise OAuthError("invalid_proof", f"This issuer takes key proofs of type {_listed(configuration)} only.")
    if len(request.proofs) > batch_size:
        raise OAuthError("invalid_proof", f"This issuer takes at most {batch_size} key proofs in one request.")
    terms = _Terms(configuration, configuration.proof_algs[kind], audience, keys, now, attestations=attestations)
    found = [each for given in request.proofs for each in _translated(judge, given, terms)]
    shown = [one for one in found if one.proven]
    if len({one.key.kid for one in shown}) != len(shown):
        raise OAuthError("invalid_proof", "Two of the key proofs are for the same key.")
    distinct = {one.key.kid: one for one in shown}
    for one in found:  # what a `jwt` proof's attestation adds comes after what is proven
        distinct.setdefault(one.key.kid, one)
    if len(distinct) > batch_size:
        raise OAuthError("invalid_proof", f"This issuer takes at most {batch_size} keys in one request.")
    return tuple(distinct.values())


def nonces(proofs: Collection[Proof]) -> frozenset[str]:
    """All nonces that proofs and their attestations hold; each of them must be fresh."""
    attested = {one.attestation.nonce for one in proofs if one.attestation is not None}
    return frozenset({one.nonce for one in proofs} | {nonce for nonce in attested if nonce is not None})


def verify(token: str, *, audience: str, algs: Collection[str], keys: KeyResolver, now: datetime) -> Proof:
    """Judge one `jwt` key proof by Appendix F.4, whatever it says of attestations.

    `algs` are the JOSE names in `proof_signing_alg_values_supported`.
    Raises OAuthError (`invalid_proof`), Unavailable when a DID that it names could not be resolved just now.
    """
    terms = _Terms(None, algs, audience, keys, now, attestations=False)
    return _translated(_jwt, token, terms)[0]


@dataclass(frozen=True)
class _Terms:
    """What a proof is compared with; `read` are the attestations that were met, for proofs often share one."""

    configuration: Configuration | None
    algs: Collection[str]
    audience: str
    keys: KeyResolver
    now: datetime
    attestations: bool
    read: dict[str, KeyAttestation] = field(default_factory=dict)

    def needs(self, kind: str) -> bool:
        """Does this configuration need a key attestation with this proof type?"""
        return self.configuration is not None and kind in self.configuration.needs


_Judge = Callable[[Json, _Terms], tuple[Proof, ...]]


def _translated(judge: _Judge, given: Json, terms: _Terms) -> tuple[Proof, ...]:
    try:
        return judge(given, terms)
    except (OAuthError, Unavailable):
        raise
    except SsiError as error:
        raise OAuthError("invalid_proof", error.detail) from error


def _jwt(token: Json, terms: _Terms) -> tuple[Proof, ...]:
    """F.1: the proven key first, then the others that its attestation names, for each of which a credential is due."""
    parsed = jws.parse(token, typ=(TYP,), max_bytes=MAX_PROOF_BYTES + keyattestation.MAX_BYTES)
    header = parsed.header
    if header.get("typ") != TYP:
        raise OAuthError("invalid_proof", f"The typ of the key proof must be {TYP}.")
    if header.get("alg") not in terms.algs:
        raise OAuthError("invalid_proof", "The key proof is signed with an algorithm this issuer does not list.")
    binding = _binding(header)
    attested = _attestation_beside(header, terms)
    key = _key(header, binding, attested, terms)
    jws.verify(parsed, key)
    claims = parsed.claims
    _fresh(claims, now=terms.now)
    if claims.get("aud") != terms.audience:
        raise OAuthError("invalid_proof", "The aud of the key proof is not this Credential Issuer Identifier.")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise OAuthError("invalid_proof", _NO_NONCE)
    proven = Proof(key, nonce, binding, header["kid"] if binding == "kid" else None, attested)
    if attested is None:
        return (proven,)
    if key not in attested.keys:  # D.1: "signed by a key contained in the attestation"
        raise OAuthError("invalid_proof", "The key proof is not signed with a key of its key attestation.")
    others = (one for one in attested.keys if one != key)
    return (proven, *(Proof(one, nonce, ATTESTATION, None, attested, proven=False) for one in others))


def _attestation_beside(header: Mapping[str, Json], terms: _Terms) -> KeyAttestation | None:
    """The `key_attestation` of a `jwt` proof, where the issuer reads it; it must be there where it is needed."""
    token, needed = header.get("key_attestation"), terms.needs(JWT)
    if token is None and needed:
        raise OAuthError("invalid_proof", "This issuer needs a key attestation in the header of the key proof.")
    if token is None or not (needed or terms.attestations):
        return None
    found = _attested(token, terms, kind=JWT)
    if found.expires is None:  # D.1: "MUST be present if the attestation is used with the JWT proof type"
        raise OAuthError("invalid_proof", "The key attestation does not say when it expires.")
    return found


def _attestation(token: Json, terms: _Terms) -> tuple[Proof, ...]:
    """F.3: every attested key, none of which has signed anything."""
    found = _attested(token, terms, kind=ATTESTATION)
    nonce = found.nonce or ""
    if len({key.kid for key in found.keys}) != len(found.keys):
        raise OAuthError("invalid_proof", "The key attestation names a key twice.")
    return tuple(Proof(key, nonce, ATTESTATION, None, found, proven=False) for key in found.keys)


def _attested(token: Json, terms: _Terms, *, kind: str) -> KeyAttestation:
    if not isinstance(token, str):
        raise OAuthError("invalid_proof", "The key attestation is not a string.")
    found = terms.read.get(token)
    if found is None:
        found = terms.read[token] = keyattestation.verify(token, algs=terms.algs, keys=terms.keys, now=terms.now)
    if not found.nonce:
        raise OAuthError("invalid_proof", "The key attestation holds no c_nonce. Fetch one from the nonce endpoint.")
    need = terms.configuration.needs.get(kind) if terms.configuration is not None else None
    if need is not None and not found.satisfies(need):
        raise OAuthError("invalid_proof", "The key attestation does not attest the protection this issuer needs.")
    return found


def _presentation(document: Json, terms: _Terms) -> tuple[Proof, ...]:
    shown = vpproof.verify(document, audience=terms.audience, suites=terms.algs, keys=terms.keys, now=terms.now)
    if shown.created is not None and shown.created < terms.now - MAX_AGE:
        raise OAuthError("invalid_proof", "The key proof is too old.")
    if not shown.challenge:
        raise OAuthError("invalid_proof", _NO_NONCE)
    return (Proof(shown.key, shown.challenge, DI_VP, shown.method),)


_JUDGES: Final[Mapping[str, _Judge]] = {JWT: _jwt, ATTESTATION: _attestation, DI_VP: _presentation}
"""The proof types that can be judged; a configuration lists those that its issuer takes."""


def _listed(configuration: Configuration) -> str:
    return " or ".join(kind for kind in configuration.proof_algs if kind in _JUDGES) or "none"


def _binding(header: Mapping[str, Json]) -> str:
    """Which header parameter names the key: exactly one of three (Appendix F.1)."""
    named = [name for name in _BINDINGS if name in header]
    if len(named) != 1:
        raise OAuthError("invalid_proof", "The key proof must name its key with exactly one of jwk, kid and x5c.")
    return named[0]


def _key(header: Mapping[str, Json], binding: str, attested: KeyAttestation | None, terms: _Terms) -> PublicKey:
    if binding == "jwk":
        return PublicKey.from_jwk(header["jwk"])
    if binding == "x5c":
        return x509.leaf(jws.x5c(header)).public
    kid = header["kid"]
    if not isinstance(kid, str):
        raise OAuthError("invalid_proof", "The kid of the key proof is not a string.")
    named = None if attested is None else attested.key(kid)
    if named is not None:
        return named
    if not kid.startswith("did:"):
        raise OAuthError("invalid_proof", "The kid of the key proof is neither a DID URL nor one of attested keys.")
    return terms.keys.holder_key(kid, now=terms.now)


def _fresh(claims: Mapping[str, Json], *, now: datetime) -> None:
    issued = instant(claims, "iat")
    if issued is None:
        raise OAuthError("invalid_proof", "The key proof has no iat.")
    if issued > now + MAX_AHEAD:
        raise OAuthError("invalid_proof", "The key proof is dated in the future.")
    if issued < now - MAX_AGE:
        raise OAuthError("invalid_proof", "The key proof is too old.")
