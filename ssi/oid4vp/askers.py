"""Askers: who says that they are asking, and is it they (OpenID4VP 1.0 §5.9)?

The client identifier's prefix says how the asker proves it. What is proved here is the signature; whether the chain,
the DID or the attester is one to rely on is a trust policy's to judge, from `Asker.issuer` for `Asker.statement`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ssi.encoding import Json, b64url, text
from ssi.errors import Malformed, Refused, Unsupported
from ssi.jose import jws
from ssi.keys import PublicKey
from ssi.model import Issuer, KeyResolver
from ssi.oid4vp import attestation
from ssi.oid4vp.clients import PREREGISTERED, Client, Clients
from ssi.oid4vp.drafts import refusal
from ssi.oid4vp.urls import host
from ssi.trust import x509

UNSIGNED = "redirect_uri"
DID = "decentralized_identifier"
HASH = "x509_hash"
SAN = "x509_san_dns"
ATTESTATION = "verifier_attestation"
PAGE = "origin"
"""What an asker through the Digital Credentials API without a signature goes by; no request may use it (§5.9.3)."""

PREFIXES = (HASH, SAN, DID, ATTESTATION, UNSIGNED)
"""Client identifier prefixes that this house takes, best first; `x509_hash` is the one HAIP 1.0 §5 demands."""

REQUEST = "oauth-authz-req+jwt"
"""The type of statement that an asker makes: what its certificate or DID is judged for."""


@dataclass(frozen=True)
class Asker:
    """Who asks. `name` is what their certificate or DID says, else the host that would get the answer.

    With `authenticated` False nobody has proved anything: the name must be shown as unverified. `issuer` is who has to
    be trusted: the asker, or with a verifier attestation whoever attests.
    """

    client_id: str
    prefix: str
    name: str
    issuer: Issuer

    @property
    def authenticated(self) -> bool:
        """Did the asker sign the request with the key that its client identifier stands for?

        Of a client known beforehand without keys it is known where its answers go, which is as much (RFC 6749 §2.2).
        """
        return self.prefix not in (UNSIGNED, PAGE)

    @property
    def statement(self) -> str:
        """What `issuer` must be trusted for: to ask, or to attest who asks (§12)."""
        return attestation.ATTESTATION_TYPE if self.prefix == ATTESTATION else REQUEST


@dataclass(frozen=True)
class Evidence:
    """What an asker's proof is judged by besides the request. `destination` is None for an answer to the page itself.

    `origin` is the page that asks, as the platform says, in the Digital Credentials API.
    """

    keys: KeyResolver
    now: datetime
    destination: str | None = None
    origin: str | None = None
    clients: Clients = field(default_factory=dict)


def x509_hash_client_id(leaf_der: bytes) -> str:
    """The client identifier of whoever holds this certificate (§5.9.3): base64url of SHA-256 over its DER.

    >>> x509_hash_client_id(b"")
    'x509_hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return f"{HASH}:{b64url(hashlib.sha256(leaf_der).digest())}"


def split(
    client_id: str, *, beside: Mapping[str, Json] | None = None, clients: Clients | None = None
) -> tuple[str, str]:
    """The prefix and what it applies to (§5.9.1: up to the first colon); `pre-registered` for a known client (§5.9.2).

    `beside` are the request's other parameters, by which a draft can be told. Raises Unsupported
    (`oid4vp.client_id_prefix`, `oid4vp.federation`, `oid4vp.draft`): unknown prefixes, and clients that are not known.
    """
    prefix, _, rest = client_id.partition(":")
    if prefix in PREFIXES and rest:
        return prefix, rest
    if clients and client_id in clients and prefix != PAGE:
        return PREREGISTERED, client_id
    if prefix == "openid_federation":
        raise Unsupported(
            "oid4vp.federation", "The asker names itself by a federation, which this wallet cannot follow."
        )
    raise refusal(
        {**(beside or {}), "client_id": client_id},
        Unsupported("oid4vp.client_id_prefix", "The asker names itself in a way that this wallet does not know."),
    )


def anonymous(client_id: str, *, destination: str, clients: Clients | None = None) -> Asker:
    """Who sends a request without a signature: an asker whose identifier only says where the answer goes (§5.9.3).

    Or a client known beforehand that need not sign. Raises Refused (`oid4vp.unsigned`, `oid4vp.response_uri`).
    """
    prefix, rest = split(client_id, clients=clients)
    if prefix == PREREGISTERED and clients and not clients[rest].signing_keys:
        return _known(clients[rest], destination, None)
    if prefix != UNSIGNED:
        raise Refused("oid4vp.unsigned", "The asker's name demands a signed request, and this one is not signed.")
    if destination != rest:
        raise Refused("oid4vp.response_uri", "The answer would go to another address than the asker's name says.")
    return Asker(client_id, prefix, host(destination), Issuer(None))


def page(origin: str) -> Asker:
    """A page that asks without a signature (A.3.1): the platform vouches for its origin, and nobody for who it is."""
    return Asker(f"{PAGE}:{origin}", PAGE, origin.removeprefix("https://"), Issuer(None))


def authenticate(token: jws.Jws, client_id: str, evidence: Evidence) -> Asker:
    """Check that the request was signed with the key that the client identifier stands for.

    Raises Refused (`oid4vp.*`, `jose.signature`, `jose.key_alg`), Malformed, Unsupported, Unavailable (a DID that
    cannot be resolved now).
    """
    prefix, rest = split(client_id, clients=evidence.clients)
    prove = _PROOFS.get(prefix)
    if prove is None:
        raise Refused("oid4vp.signed", "A request that goes by its answer's address cannot be signed.")
    name, issuer, key = prove(token, rest, evidence)
    jws.verify(token, key)
    return Asker(client_id, prefix, name, issuer)


_Proof = tuple[str, Issuer, PublicKey]


def _by_hash(token: jws.Jws, rest: str, evidence: Evidence) -> _Proof:
    """§5.9.3 `x509_hash`: the identifier is the hash of the leaf that signed."""
    chain, leaf = _leaf(token)
    if b64url(leaf.sha256) != rest:
        raise Refused("oid4vp.certificate", "The asker's name is not the hash of the certificate that it signed with.")
    return leaf.name, Issuer(None, x5c=chain), leaf.public


def _by_name(token: jws.Jws, rest: str, evidence: Evidence) -> _Proof:
    """§5.9.3 `x509_san_dns`: a DNS name of the leaf that signed; by redirect also the host to which the answer goes."""
    chain, leaf = _leaf(token)
    if rest.lower() not in leaf.dns_names:
        raise Refused("oid4vp.certificate", "The asker's certificate is not for the name that it goes by.")
    if evidence.destination is not None and host(evidence.destination) != rest.lower():
        raise Refused("oid4vp.response_uri", "The answer would go to another host than the asker's name says.")
    return leaf.name, Issuer(None, x5c=chain), leaf.public


def _by_did(token: jws.Jws, rest: str, evidence: Evidence) -> _Proof:
    """§5.9.3 `decentralized_identifier`: a key of the DID, named by `kid`."""
    kid = text(token.header, "kid", what="request's header") or ""
    url = rest + kid if kid.startswith("#") else kid
    if not rest.startswith("did:") or url.partition("#")[0] != rest or not url.partition("#")[2]:
        raise Refused("oid4vp.kid", "The request does not name a key of the asker's DID.")
    return rest, Issuer(rest, kid=url), evidence.keys.holder_key(url, now=evidence.now)


def _by_attestation(token: jws.Jws, rest: str, evidence: Evidence) -> _Proof:
    """§5.9.3 `verifier_attestation`, §12: an attester says whose key it is, and perhaps where answers may go."""
    attested = attestation.verify(token.header, keys=evidence.keys, now=evidence.now)
    if attested.client != rest:
        raise Refused("oid4vp.attestation", "The attestation is about somebody else than the asker.")
    places = (evidence.destination,) if attested.redirect_uris is None else (None, *attested.redirect_uris)
    if evidence.destination not in places:
        raise Refused("oid4vp.response_uri", "The answer would go to an address that nobody has attested.")
    return rest, attested.attester, attested.key


def _by_registration(token: jws.Jws, rest: str, evidence: Evidence) -> _Proof:
    """§5.9.2: a client known beforehand, by one of the keys that are known of it."""
    client = evidence.clients[rest]
    known = client.signing_keys
    kid = text(token.header, "kid", what="request's header") or ""
    key = known.get(kid) if kid or len(known) != 1 else next(iter(known.values()))
    if key is None:
        raise Refused("oid4vp.kid", "The request is not signed with a key that is known of the asker.")
    asker = _known(client, evidence.destination, evidence.origin)
    return asker.name, asker.issuer, key


def _known(client: Client, destination: str | None, origin: str | None) -> Asker:
    """A known client whose answer goes where it was registered for, by simple comparison (RFC 9700 §4.1.3)."""
    allowed = destination in client.redirect_uris if destination is not None else origin in client.origins
    if not allowed:
        raise Refused("oid4vp.response_uri", "The answer would go to another address than is known of the asker.")
    return Asker(client.client_id, PREREGISTERED, client.name, Issuer(client.client_id))


_PROOFS: Mapping[str, Callable[[jws.Jws, str, Evidence], _Proof]] = {
    HASH: _by_hash,
    SAN: _by_name,
    DID: _by_did,
    ATTESTATION: _by_attestation,
    PREREGISTERED: _by_registration,
}


def _leaf(token: jws.Jws) -> tuple[tuple[bytes, ...], x509.Leaf]:
    chain = jws.x5c(token.header)
    if not chain:
        raise Malformed("oid4vp.certificate", "The asker's name demands a certificate, and the request has none.")
    return chain, x509.leaf(chain)
