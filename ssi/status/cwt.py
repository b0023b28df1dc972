"""Status List Tokens as CBOR Web Tokens: the same lists, for issuers of CBOR credentials (Token Status List §5.2).

Signed ones only: a MAC would need a key that its checker could forge lists with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ssi.cose import headers, sign1
from ssi.cose.cbor import decode_map, encode
from ssi.encoding import Json, seconds
from ssi.errors import Malformed, Unsupported
from ssi.keys import Signer
from ssi.model import Issuer, KeyResolver, TrustPolicy
from ssi.status.bits import StatusList, read_cbor_list
from ssi.status.token import Said, StatusListToken, examined

TYP: Final = "statuslist+cwt"
"""The token's media type; also the "credential type" that a trust policy is asked about for a list's signer."""
MAX_BYTES: Final = 1_048_576
_SUB, _EXP, _IAT, _STATUS_LIST, _TTL = 2, 4, 6, 65533, 65534
_NAMES: Final[Mapping[int, str]] = {1: "iss", _SUB: "sub", _EXP: "exp", 5: "nbf", _IAT: "iat", _TTL: "ttl"}
_SIGN1, _MAC0 = 0xD2, 0xD1  # the tags 18 and 17, one of which is a must


def is_message(body: bytes) -> bool:
    """Is this a token in CBOR, and not one in JSON? No JWT begins with such a byte.

    >>> is_message(bytes.fromhex("d284")), is_message(b"eyJ0eXAi")
    (True, False)
    """
    return body[:1] in (bytes((_SIGN1,)), bytes((_MAC0,)))


def issue(
    statuses: StatusList,
    *,
    uri: str,
    signer: Signer,
    x5c: Sequence[bytes],
    now: datetime,
    ttl: timedelta,
    expires: datetime,
) -> bytes:
    """Sign a list for publication at `uri` (§5.2). `x5c` is DER, leaf first; without it the header names the `kid`.

    Raises Malformed (`status.ttl`) unless `ttl` is positive and `expires` after `now`, Unsupported (`cose.alg`).
    """
    if ttl < timedelta(seconds=1) or expires <= now:
        raise Malformed("status.ttl", "A status list needs a positive ttl and an expiry that is still to come.")
    chain = x5c[0] if len(x5c) == 1 else list(x5c)
    named = {headers.X5CHAIN: chain} if x5c else {headers.KID: signer.kid.encode()}
    claims = {
        _SUB: uri,
        _IAT: seconds(now),
        _EXP: seconds(expires),
        _TTL: int(ttl.total_seconds()),
        _STATUS_LIST: statuses.cbor,
    }
    return sign1.sign(encode(claims), protected={headers.TYP: f"application/{TYP}", **named}, signer=signer)


def read(
    token: bytes, *, uri: str, issuer: Issuer, keys: KeyResolver, trust: TrustPolicy, now: datetime
) -> StatusListToken:
    """Verify a token fetched from `uri` for a credential of `issuer`, by the rules of `ssi.status.token.read`.

    Raises Refused (`status.*`, `cose.signature`), Malformed (`cbor.*`, `cose.*`, `status.*`), Unsupported, Unavailable.
    """
    message = _message(token)
    members = decode_map(sign1.one_payload(message.payload, None), what="status list")
    kid = None if message.kid is None else message.kid.decode("utf-8", "replace")
    said = Said(_claims(members), message.x5chain, kid)
    signer, times = examined(said, TYP, uri=uri, issuer=issuer, trust=trust, now=now)
    sign1.verify(message, keys.issuer_key(signer, alg=message.alg, now=now).key)
    return StatusListToken(uri, read_cbor_list(members.get(_STATUS_LIST)), *times)


def _message(token: bytes) -> sign1.Sign1:
    """§5.2: tagged, and of its own type."""
    if token[:1] == bytes((_MAC0,)):
        raise Unsupported("status.mac", "Status lists that are authenticated by a shared key are not read here.")
    if token[:1] != bytes((_SIGN1,)):
        raise Malformed("status.tag", "The status list is not a tagged COSE_Sign1.")
    message = sign1.parse(token, max_bytes=MAX_BYTES)
    typ = message.protected.get(headers.TYP)
    if not isinstance(typ, str) or typ.lower() != f"application/{TYP}":
        raise Malformed("status.typ", "The status list is not of the type that belongs here.")
    return message


def _claims(members: Mapping[Any, Any]) -> dict[str, Json]:
    """The registered claims by their JWT names; what is no JSON value is left as it is, and refused by its reader."""
    return {name: members[number] for number, name in _NAMES.items() if number in members}
