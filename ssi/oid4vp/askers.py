"""Askers: who says that they are asking, and is it they (OpenID4VP 1.0 §5.9)?

The client identifier's prefix says how the asker proves it. What is proved here is the signature; whether the chain
or the DID is one to rely on is a trust policy's to judge, from `Asker.issuer`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ssi.encoding import Json, b64url, text
from ssi.errors import Malformed, Refused, Unsupported
from ssi.jose import jws
from ssi.keys import PublicKey
from ssi.model import Issuer, KeyResolver
from ssi.oid4vp.drafts import refusal
from ssi.oid4vp.urls import host
from ssi.trust import x509

UNSIGNED = "redirect_uri"
DID = "decentralized_identifier"
HASH = "x509_hash"
SAN = "x509_san_dns"
PREFIXES = (HASH, SAN, DID, UNSIGNED)
"""Client identifier prefixes that this house takes, best first; `x509_hash` is the one HAIP 1.0 §5 demands."""


@dataclass(frozen=True)
class Asker:
    """Who asks. `name` is what their certificate or DID says, else the host that would get the answer.

    With `authenticated` False nobody has proved anything: the name must be shown as unverified.
    """

    client_id: str
    prefix: str
    name: str
    issuer: Issuer

    @property
    def authenticated(self) -> bool:
        """Did the asker sign the request with the key that its client identifier stands for?"""
        return self.prefix != UNSIGNED


def x509_hash_client_id(leaf_der: bytes) -> str:
    """The client identifier of whoever holds this certificate (§5.9.3): base64url of SHA-256 over its DER.

    >>> x509_hash_client_id(b"")
    'x509_hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return f"{HASH}:{b64url(hashlib.sha256(leaf_der).digest())}"


def split(client_id: str, *, beside: Mapping[str, Json] | None = None) -> tuple[str, str]:
    """The prefix and what it applies to (§5.9.1: up to the first colon).

    `beside` are the request's other parameters, by which a draft can be told. Raises Unsupported
    (`oid4vp.client_id_prefix`, `oid4vp.draft`): unknown prefixes, and clients known beforehand (§5.9.2), of which
    this house has none.
    """
    prefix, _, rest = client_id.partition(":")
    if prefix in PREFIXES and rest:
        return prefix, rest
    raise refusal(
        {**(beside or {}), "client_id": client_id},
        Unsupported("oid4vp.client_id_prefix", "The asker names itself in a way that this wallet does not know."),
    )


def anonymous(client_id: str, *, response_uri: str) -> Asker:
    """An asker that has proved nothing; its identifier only says where the answer goes (§5.9.3, `redirect_uri`).

    Raises Refused (`oid4vp.unsigned`, `oid4vp.response_uri`).
    """
    prefix, rest = split(client_id)
    if prefix != UNSIGNED:
        raise Refused("oid4vp.unsigned", "The asker's name demands a signed request, and this one is not signed.")
    if response_uri != rest:
        raise Refused("oid4vp.response_uri", "The answer would go to another address than the asker's name says.")
    return Asker(client_id, prefix, host(response_uri), Issuer(None))


def authenticate(token: jws.Jws, client_id: str, *, response_uri: str, keys: KeyResolver, now: datetime) -> Asker:
    """Check that the request was signed with the key that the client identifier stands for.

    Raises Refused (`oid4vp.*`, `jose.signature`, `jose.key_alg`), Malformed, Unsupported, Unavailable (a DID that
    cannot be resolved now).
    """
    prefix, rest = split(client_id)
    prove = _PROOFS.get(prefix)
    if prove is None:
        raise Refused("oid4vp.signed", "A request that goes by its answer's address cannot be signed.")
    name, issuer, key = prove(token, rest, response_uri, keys, now)
    jws.verify(token, key)
    return Asker(client_id, prefix, name, issuer)


_Proof = tuple[str, Issuer, PublicKey]


def _by_hash(token: jws.Jws, rest: str, response_uri: str, keys: KeyResolver, now: datetime) -> _Proof:
    """§5.9.3 `x509_hash`: the identifier is the hash of the leaf that signed."""
    chain, leaf = _leaf(token)
    if b64url(leaf.sha256) != rest:
        raise Refused("oid4vp.certificate", "The asker's name is not the hash of the certificate that it signed with.")
    return leaf.name, Issuer(None, x5c=chain), leaf.public


def _by_name(token: jws.Jws, rest: str, response_uri: str, keys: KeyResolver, now: datetime) -> _Proof:
    """§5.9.3 `x509_san_dns`: a DNS name of the leaf that signed, and the host to which the answer goes."""
    chain, leaf = _leaf(token)
    if rest.lower() not in leaf.dns_names:
        raise Refused("oid4vp.certificate", "The asker's certificate is not for the name that it goes by.")
    if host(response_uri) != rest.lower():
        raise Refused("oid4vp.response_uri", "The answer would go to another host than the asker's name says.")
    return leaf.name, Issuer(None, x5c=chain), leaf.public


def _by_did(token: jws.Jws, rest: str, response_uri: str, keys: KeyResolver, now: datetime) -> _Proof:
    """§5.9.3 `decentralized_identifier`: a key of the DID, named by `kid`."""
    kid = text(token.header, "kid", what="request's header") or ""
    url = rest + kid if kid.startswith("#") else kid
    if not rest.startswith("did:") or url.partition("#")[0] != rest or not url.partition("#")[2]:
        raise Refused("oid4vp.kid", "The request does not name a key of the asker's DID.")
    return rest, Issuer(rest, kid=url), keys.holder_key(url, now=now)


_PROOFS: Mapping[str, Callable[[jws.Jws, str, str, KeyResolver, datetime], _Proof]] = {
    HASH: _by_hash,
    SAN: _by_name,
    DID: _by_did,
}


def _leaf(token: jws.Jws) -> tuple[tuple[bytes, ...], x509.Leaf]:
    chain = jws.x5c(token.header)
    if not chain:
        raise Malformed("oid4vp.certificate", "The asker's name demands a certificate, and the request has none.")
    return chain, x509.leaf(chain)
