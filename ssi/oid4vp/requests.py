"""Request objects: a verifier signs what it asks, and a wallet knows who asked (OpenID4VP 1.0 §5, RFC 9101)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ssi.encoding import Json, b64url, instant, read_json_object, seconds, text, unb64url, write_json
from ssi.errors import Malformed, Refused
from ssi.jose import jws
from ssi.keys import Signer
from ssi.model import KeyResolver
from ssi.oid4vp import attestation as attestations
from ssi.oid4vp import reading
from ssi.oid4vp.askers import (
    ATTESTATION,
    DID,
    HASH,
    PAGE,
    SAN,
    UNSIGNED,
    Asker,
    Evidence,
    anonymous,
    authenticate,
    split,
    x509_hash_client_id,
)
from ssi.oid4vp.clients import PREREGISTERED, Clients
from ssi.oid4vp.links import RequestLink
from ssi.oid4vp.parameters import AuthorizationRequest
from ssi.oid4vp.reading import Reader
from ssi.oid4vp.transactions import TransactionType

REQUEST_TYPE = "oauth-authz-req+jwt"
REQUEST_MEDIA_TYPE = f"application/{REQUEST_TYPE}"
SELF_ISSUED = "https://self-issued.me/v2"
"""The audience where the wallet is not known beforehand (§5.8)."""

MAX_REQUEST_BYTES = 262_144
LEEWAY = timedelta(seconds=60)


@dataclass(frozen=True)
class SignedRequest:
    """A request that was read, and who asks. `raw` is the request object as it came ("" when a link held it all)."""

    request: AuthorizationRequest
    asker: Asker
    raw: str


@dataclass(frozen=True)
class RequestSigner:
    """An identity that a verifier signs with: `client_id`, its key, and what proves that they belong together.

    `x5c` is DER, leaf first, without the anchor (HAIP 1.0 §5). With a DID as client identifier it is empty and the
    signer's `kid` is the DID URL; with the prefix `verifier_attestation` there is an `attestation` (§12) instead; a
    client that wallets know beforehand has neither.
    """

    client_id: str
    signer: Signer
    x5c: tuple[bytes, ...] = ()
    attestation: str | None = field(default=None, repr=False)

    def header(self) -> dict[str, Json]:
        """The JOSE header that proves the identity. Raises Refused (`oid4vp.client_id`): no wallet would take it."""
        if not self._fits():
            raise Refused(
                "oid4vp.client_id", "The request's client identifier does not belong to the key that signs it."
            )
        proof: dict[str, Json] = {"kid": self.signer.kid}
        if self.attestation is not None:
            proof = {attestations.HEADER: self.attestation}
        elif self.x5c:
            proof = {"x5c": [b64encode(der).decode("ascii") for der in self.x5c]}
        return {"typ": REQUEST_TYPE, **proof}

    def _fits(self) -> bool:
        prefix, _, rest = self.client_id.partition(":")
        if prefix == ATTESTATION:
            return self.attestation is not None and not self.x5c
        fitting = {
            HASH: bool(self.x5c) and x509_hash_client_id(self.x5c[0]) == self.client_id,
            SAN: bool(self.x5c),
            DID: not self.x5c and self.signer.kid.partition("#")[0] == rest,
            UNSIGNED: False,
            PAGE: False,
        }
        return bool(self.client_id) and self.attestation is None and fitting.get(prefix, not self.x5c)


def sign_request(
    request: AuthorizationRequest,
    *,
    signer: Signer,
    x5c: Sequence[bytes],
    now: datetime,
    lifetime: timedelta,
    wallet_nonce: str | None = None,
    attestation: str | None = None,
    audience: str = SELF_ISSUED,
) -> str:
    """Make the request object (§5, §5.8): see `RequestSigner` for what goes with which client identifier.

    `wallet_nonce` is the one that the wallet sent, if it did (§5.10); `audience` is a wallet's issuer identifier where
    the wallet said it. Raises Refused (`oid4vp.client_id`) when client identifier and key do not belong together.
    """
    identity = RequestSigner(request.client_id, signer, tuple(x5c), attestation)
    header = identity.header()
    return jws.sign(
        claims(request, now=now, lifetime=lifetime, wallet_nonce=wallet_nonce, audience=audience),
        signer=signer,
        header=header,
    )


def unsigned_request(request: AuthorizationRequest, *, wallet_nonce: str | None = None) -> str:
    """An unsecured request object, for a verifier that goes by the address of its answer (§5.9.3 `redirect_uri`)."""
    nonce = {"wallet_nonce": wallet_nonce} if wallet_nonce is not None else {}
    head = b64url(write_json({"alg": "none", "typ": REQUEST_TYPE}))
    return f"{head}.{b64url(write_json({**request.parameters(), 'aud': SELF_ISSUED, **nonce}))}."


def claims(
    request: AuthorizationRequest,
    *,
    now: datetime,
    lifetime: timedelta,
    wallet_nonce: str | None = None,
    audience: str = SELF_ISSUED,
) -> dict[str, Json]:
    """What a request object says: the parameters, for whom it is, and for how long."""
    return {
        **request.parameters(),
        "aud": audience,
        "iat": seconds(now),
        "exp": seconds(now + lifetime),
        **({"wallet_nonce": wallet_nonce} if wallet_nonce is not None else {}),
    }


def open_request(
    token: str | None,
    *,
    link: RequestLink,
    keys: KeyResolver,
    now: datetime,
    wallet_nonce: str | None = None,
    transaction_types: Collection[TransactionType] = (),
    clients: Clients | None = None,
) -> SignedRequest:
    """Read a request and authenticate the asker. `token` is what was fetched from `link.request_uri`.

    None stands for a request that the link itself holds. `wallet_nonce` is the one that the wallet posted, if it
    did: the object must repeat it (§5.10.1). `transaction_types` are those that the wallet can show and authorize,
    `clients` those that it knows beforehand (§5.9.2).

    Raises Refused (`oid4vp.*`, `jose.*`), Malformed, Unsupported (`oid4vp.draft` names the version of an older
    request), Unavailable (a DID that cannot be resolved now).
    """
    source = token if token is not None else link.request
    known = clients or {}
    if source is None:
        return _from_link(link, transaction_types, known)
    signed = None
    if link.client_id.startswith(f"{UNSIGNED}:"):
        said = _unsigned(source)
    else:
        signed = jws.parse(source, typ=(REQUEST_TYPE,), max_bytes=MAX_REQUEST_BYTES)
        said = signed.claims
    check_client(said, link.client_id, clients=known)
    check_times(said, now)
    check_audience(said, link.request_uri)
    if wallet_nonce is not None and said.get("wallet_nonce") != wallet_nonce:
        raise Refused("oid4vp.wallet_nonce", "The request was not made for this question: its nonce is another.")
    request = reading.read(said, Reader(transaction_types, metadata=_registered(link.client_id, known)))
    if signed is None:
        return SignedRequest(request, anonymous(request.client_id, destination=request.destination), source)
    evidence = Evidence(keys, now, destination=request.destination, clients=known)
    return SignedRequest(request, authenticate(signed, request.client_id, evidence), source)


def _from_link(link: RequestLink, transaction_types: Collection[TransactionType], clients: Clients) -> SignedRequest:
    """A request that stands in the link itself (§5): nobody has signed it."""
    if link.request_uri is not None:  # §5.10.1: with a request object, only what it says counts
        raise Malformed("oid4vp.link", "The request that the link points to was not fetched.")
    split(link.client_id, beside=link.parameters, clients=clients)
    reader = Reader(transaction_types, metadata=_registered(link.client_id, clients))
    request = reading.read(reading.from_link(link.parameters), reader)
    asker = anonymous(link.client_id, destination=request.destination, clients=clients)
    return SignedRequest(request, asker, "")


def _registered(client_id: str, clients: Clients) -> Mapping[str, Json] | None:
    """What is known of a client that is known beforehand; None for others."""
    known = client_id in clients and split(client_id, clients=clients)[0] == PREREGISTERED
    return clients[client_id].metadata if known else None


def check_client(said: Mapping[str, Json], client_id: str, *, clients: Clients) -> None:
    """§5.10.1: link and object name the same client, prefix included. Raises Refused, Unsupported (`oid4vp.*`)."""
    split(client_id, beside=said, clients=clients)
    if text(said, "client_id", what="request") != client_id:
        raise Refused("oid4vp.client_id_mismatch", "The link and the request name different askers.")


def check_times(said: Mapping[str, Json], now: datetime) -> None:
    """Is the request valid now? Raises Refused (`oid4vp.expired`, `oid4vp.not_yet_valid`)."""
    expires = instant(said, "exp")
    if expires is not None and expires <= now - LEEWAY:
        raise Refused("oid4vp.expired", "The request has expired; the asker must make a new one.")
    for name in ("iat", "nbf"):
        begins = instant(said, name)
        if begins is not None and begins > now + LEEWAY:
            raise Refused("oid4vp.not_yet_valid", "The request is not valid yet.")


def check_audience(said: Mapping[str, Json], request_uri: str | None) -> None:
    """§5.8: made for any wallet. Raises Refused (`oid4vp.audience`)."""
    audience = said.get("aud", SELF_ISSUED)
    audiences = audience if isinstance(audience, list) else [audience]
    if SELF_ISSUED not in audiences and (request_uri is None or request_uri not in audiences):
        # §5.8 wants the first; a widely deployed peer names its own request_uri, which misleads nobody
        raise Refused("oid4vp.audience", "The request is made for another wallet.")


def _unsigned(token: str) -> Mapping[str, Json]:
    """An unsecured request object (RFC 9101 §4, RFC 7515 §8): only where the asker cannot prove anything anyway."""
    head, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if len(token) > MAX_REQUEST_BYTES:
        raise Malformed("jose.size", f"The request is larger than {MAX_REQUEST_BYTES} bytes.")
    header = read_json_object(unb64url(head, what="request's header"), what="request's header")
    if header.get("alg") != "none" or signature:
        raise Refused("oid4vp.signed", "A request that goes by its answer's address cannot be signed.")
    if header.get("typ") != REQUEST_TYPE:
        raise Malformed("jose.typ", "The token is not of the type that belongs here.")
    return read_json_object(unb64url(body, what="request"), what="request")
