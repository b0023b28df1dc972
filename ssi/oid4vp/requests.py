"""Request objects: a verifier signs what it asks, and a wallet knows who asked (OpenID4VP 1.0 §5, RFC 9101)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ssi.encoding import Json, instant, read_json_object, seconds, text, unb64url, write_json
from ssi.errors import Malformed, Refused
from ssi.jose import jwe, jws
from ssi.keys import ALGORITHMS, Signer
from ssi.model import KeyResolver
from ssi.oid4vp import parameters as fields
from ssi.oid4vp.abilities import FORMATS
from ssi.oid4vp.askers import DID, HASH, PREFIXES, UNSIGNED, Asker, anonymous, authenticate, split, x509_hash_client_id
from ssi.oid4vp.links import RequestLink
from ssi.oid4vp.parameters import AuthorizationRequest

REQUEST_TYPE = "oauth-authz-req+jwt"
REQUEST_MEDIA_TYPE = f"application/{REQUEST_TYPE}"
SELF_ISSUED = "https://self-issued.me/v2"
"""The audience where the wallet is not known beforehand (§5.8)."""

MAX_REQUEST_BYTES = 262_144
MAX_WALLET_NONCE = 512
LEEWAY = timedelta(seconds=60)


@dataclass(frozen=True)
class SignedRequest:
    """A request that was read, and who asks. `raw` is the request object as it came ("" when a link held it all)."""

    request: AuthorizationRequest
    asker: Asker
    raw: str


def sign_request(
    request: AuthorizationRequest,
    *,
    signer: Signer,
    x5c: Sequence[bytes],
    now: datetime,
    lifetime: timedelta,
    wallet_nonce: str | None = None,
) -> str:
    """Make the request object (§5, §5.8). `x5c` is DER, leaf first, without the anchor (HAIP 1.0 §5).

    With a DID as client identifier `x5c` is empty and the signer's `kid` is the DID URL. `wallet_nonce` is the one
    that the wallet sent, if it did (§5.10). Raises Refused (`oid4vp.client_id`) when client identifier and key
    do not belong together: no wallet would take the request.
    """
    prefix, rest = split(request.client_id)
    fitting = {
        HASH: bool(x5c) and x509_hash_client_id(x5c[0]) == request.client_id,
        DID: not x5c and signer.kid.partition("#")[0] == rest,
        UNSIGNED: False,
    }
    if not fitting.get(prefix, bool(x5c)):
        raise Refused("oid4vp.client_id", "The request's client identifier does not belong to the key that signs it.")
    claims = {
        **request.parameters(),
        "aud": SELF_ISSUED,
        "iat": seconds(now),
        "exp": seconds(now + lifetime),
        **({"wallet_nonce": wallet_nonce} if wallet_nonce is not None else {}),
    }
    chain = {"x5c": [b64encode(der).decode("ascii") for der in x5c]} if x5c else {"kid": signer.kid}
    return jws.sign(claims, signer=signer, header={"typ": REQUEST_TYPE, **chain})


def open_request(
    token: str | None,
    *,
    link: RequestLink,
    keys: KeyResolver,
    now: datetime,
    wallet_nonce: str | None = None,
    transaction_types: Collection[str] = (),
) -> SignedRequest:
    """Read a request and authenticate the asker. `token` is what was fetched from `link.request_uri`.

    None stands for a request that the link itself holds. `wallet_nonce` is the one that the wallet posted, if it
    did: the object must repeat it (§5.10.1). `transaction_types` are those that the wallet can show and authorize.

    Raises Refused (`oid4vp.*`, `jose.*`), Malformed, Unsupported (`oid4vp.draft` names the version of an older
    request), Unavailable (a DID that cannot be resolved now).
    """
    source = token if token is not None else link.request
    if source is None:
        return _from_link(link, transaction_types)
    signed = None
    if link.client_id.startswith(f"{UNSIGNED}:"):
        claims = _unsigned(source)
    else:
        signed = jws.parse(source, typ=(REQUEST_TYPE,), max_bytes=MAX_REQUEST_BYTES)
        claims = signed.claims
    _check(claims, link, now, wallet_nonce)
    request = fields.read(claims, transaction_types=transaction_types)
    uri = request.response_uri
    if signed is None:
        return SignedRequest(request, anonymous(request.client_id, response_uri=uri), source)
    asker = authenticate(signed, request.client_id, response_uri=uri, keys=keys, now=now)
    return SignedRequest(request, asker, source)


def request_form(link: RequestLink, *, wallet_nonce: str) -> dict[str, str]:
    """What a wallet posts to a `request_uri` whose method is "post" (§5.10): a fresh nonce, and what it can do."""
    metadata: dict[str, Json] = {
        "vp_formats_supported": FORMATS,
        "client_id_prefixes_supported": list(PREFIXES),
        "response_types_supported": ["vp_token"],
        "response_modes_supported": list(fields.RESPONSE_MODES),
        "authorization_encryption_alg_values_supported": [jwe.ALG],
        "authorization_encryption_enc_values_supported": list(jwe.ENC_VALUES),
    }
    if not link.client_id.startswith(f"{UNSIGNED}:"):
        metadata["request_object_signing_alg_values_supported"] = list(ALGORITHMS)
    return {"wallet_nonce": wallet_nonce, "wallet_metadata": write_json(metadata).decode()}


def read_request_form(form: Mapping[str, str]) -> str | None:
    """The `wallet_nonce` that a wallet posted, for `sign_request`; the rest of the form is ignored (§5.10).

    Raises Malformed (`oid4vp.wallet_nonce`).
    """
    nonce = form.get("wallet_nonce")
    if nonce is not None and not (0 < len(nonce) <= MAX_WALLET_NONCE and nonce.isascii() and nonce.isprintable()):
        raise Malformed("oid4vp.wallet_nonce", "The wallet's nonce is empty, too long, or holds odd characters.")
    return nonce


def _from_link(link: RequestLink, transaction_types: Collection[str]) -> SignedRequest:
    """A request that stands in the link itself (§5): nobody has signed it."""
    if link.request_uri is not None:  # §5.10.1: with a request object, only what it says counts
        raise Malformed("oid4vp.link", "The request that the link points to was not fetched.")
    split(link.client_id, beside=link.parameters)
    request = fields.read(fields.from_link(link.parameters), transaction_types=transaction_types)
    return SignedRequest(request, anonymous(link.client_id, response_uri=request.response_uri), "")


def _check(claims: Mapping[str, Json], link: RequestLink, now: datetime, wallet_nonce: str | None) -> None:
    """What the request object must say besides its parameters."""
    split(link.client_id, beside=claims)
    if text(claims, "client_id", what="request") != link.client_id:  # §5.10.1: identical, prefix included
        raise Refused("oid4vp.client_id_mismatch", "The link and the request name different askers.")
    expires = instant(claims, "exp")
    if expires is not None and expires <= now - LEEWAY:
        raise Refused("oid4vp.expired", "The request has expired; the asker must make a new one.")
    for name in ("iat", "nbf"):
        begins = instant(claims, name)
        if begins is not None and begins > now + LEEWAY:
            raise Refused("oid4vp.not_yet_valid", "The request is not valid yet.")
    audience = claims.get("aud", SELF_ISSUED)
    audiences = audience if isinstance(audience, list) else [audience]
    if SELF_ISSUED not in audiences and (link.request_uri is None or link.request_uri not in audiences):
        # §5.8 wants the first; a widely deployed peer names its own request_uri, which misleads nobody
        raise Refused("oid4vp.audience", "The request is made for another wallet.")
    if wallet_nonce is not None and claims.get("wallet_nonce") != wallet_nonce:
        raise Refused("oid4vp.wallet_nonce", "The request was not made for this question: its nonce is another.")


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
