"""vc+cose: W3C credentials of the Data Model 2.0 as COSE_Sign1 messages, shown in vp+cose ones (VC-JOSE-COSE §3.3).

Nothing in such a credential can be hidden. On the wire is base64url of the message; what a token has as claims stands
in the protected header for CWT claims (RFC 9597). Inside a presentation the credential is in base64, as §3.3.1 asks.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ssi.cose import headers, sign1
from ssi.cose import keys as cose_keys
from ssi.encoding import Json, b64url, read_json_object, seconds, unb64url, write_json
from ssi.errors import Malformed, Unsupported
from ssi.formats import vcdocs, vcenvelope, vcjose, vpclaims
from ssi.formats.vcenvelope import Document, Kind
from ssi.keys import PublicKey, Signer
from ssi.model import (
    Challenge,
    Check,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Finding,
    Issuer,
    KeyResolver,
    Opened,
    Outcome,
    Presentation,
)

ID = "vc+cose"
MEDIA_TYPE: Final = "application/vc+cose"
MAX_BYTES: Final = 1_048_576
CWT_CLAIMS: Final = 15
"""The protected header of RFC 9597."""

_TYPES: Final[Mapping[Kind, str]] = {"vc": MEDIA_TYPE, "vp": "application/vp+cose"}
_CONTENTS: Final[Mapping[Kind, str]] = {"vc": "application/vc", "vp": "application/vp"}
_CNF: Final = 8
_STATUS: Final = 65535
_NAMES: Final[Mapping[int, str]] = {1: "iss", 2: "sub", 3: "aud", 4: "exp", 5: "nbf", 6: "iat", 7: "jti", 10: "nonce"}
"""CWT claims (RFC 8392 §3.1; 10 is EAT's) and what a token calls them."""
_NUMBERS: Final = {name: number for number, name in _NAMES.items()}
_READ: Final = Finding(Check.FORMAT, Outcome.PASS, "vccose.read", "The credential can be read and is complete.")

MECHANICS: frozenset[ClaimPath] = vcdocs.MECHANICS
meets = vcdocs.meets
asked = vcdocs.asked
within = vcdocs.within
whole = vcdocs.whole


# --- the format -------------------------------------------------------------------------------------------------------


def issue(draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime) -> Credential:
    """Sign what the draft says, bound to the did:key of the holder's key.

    Raises Unsupported (`vccose.cannot_hide`, `vc.status`, `cose.alg`), Malformed (`vc.*`, `vcdm.*`).
    """
    if draft.disclosable:
        raise Unsupported("vccose.cannot_hide", "Claims cannot be hidden in a credential of this format.")
    vcdocs.only_bitstrings(draft.statuses)
    document = vcdocs.write(draft, holder=holder, now=now)
    vcdocs.read(document)
    claims = {"iss": draft.issuer.id, "iat": seconds(now)}
    return Credential(ID, b64url(_signed(document, "vc", _naming(draft.issuer, signer), claims, signer)))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its holder received it. Raises Malformed, Unsupported."""
    read = _read(_raw(credential.wire))
    signature = vcenvelope.issuers(read, keys=keys, now=now)
    bound, holder = vpclaims.named(read.binding, keys=vcenvelope.vouched(signature, keys), now=now)
    return vcenvelope.opened(ID, read, (_READ, signature, bound), holder, now=now)


def derive(
    credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
) -> Presentation:
    """Make the presentation: the whole credential, in an envelope that its holder signs (§3.3.2).

    Raises Refused (`vc.no_such_claim`, `vp.not_the_holder`, `kb.challenge`), Unsupported (`vp.transaction`), Malformed.
    """
    raw = _raw(credential.wire)
    read = _read(raw)
    vcdocs.refuse_missing(read.document, disclose)
    url = vpclaims.holder_url(read.binding, holder)
    claims = vpclaims.claims(url, challenge=challenge, now=now)
    document = vcdocs.presentation(claims["iss"], raw, MEDIA_TYPE)
    return Presentation(ID, b64url(_signed(document, "vp", {headers.KID: url.encode()}, claims, holder)))


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation of one credential against its challenge. Raises Malformed, Unsupported."""
    raw = _raw(presentation.wire)
    message = sign1.parse(raw, max_bytes=MAX_BYTES)
    if _is_of(message, "vc"):
        vpclaims.refuse_empty(challenge)
        read = _read(raw)
        signature = vcenvelope.issuers(read, keys=keys, now=now)
        return vcenvelope.opened(
            ID, read, (_READ, signature, vpclaims.MISSING), None, now=now, asker=challenge.audience
        )
    signed, document = _parts(message, "vp")
    read = _read(vcdocs.only_one(document, MEDIA_TYPE))
    signature = vcenvelope.issuers(read, keys=keys, now=now)
    bound, holder = vpclaims.judge(
        read.binding,
        vpclaims.Said(signed.claims, signed.kid, document.get("holder")),
        verify=signed.verify,
        challenge=challenge,
        keys=vcenvelope.vouched(signature, keys),
        now=now,
    )
    return vcenvelope.opened(ID, read, (_READ, signature, bound), holder, now=now, asker=challenge.audience)


def core(wire: str) -> bytes:
    """What the issuer signed and the signature, also where a presentation is around it, however it is tagged.

    Raises Malformed, Unsupported.
    """
    message = sign1.parse(_raw(wire), max_bytes=MAX_BYTES)
    if not _is_of(message, "vc"):
        raw = vcdocs.only_one(_parts(message, "vp")[1], MEDIA_TYPE)
        message = sign1.parse(raw, max_bytes=MAX_BYTES)
    return message.core


# --- plain documents --------------------------------------------------------------------------------------------------


def sign_document(
    document: Mapping[str, Json],
    *,
    signer: Signer,
    kind: Kind = "vc",
    kid: str | None = None,
    claims: Mapping[str, Json] | None = None,
) -> bytes:
    """Secure a document as it is, with the CWT `claims` (by their JWT names) that are given beside it: the message.

    Raises Malformed (`vcdm.*`, `vc.not_enveloped`), Unsupported (`cose.alg`).
    """
    vcenvelope.model(document, kind)
    return _signed(document, kind, {headers.KID: (kid or signer.kid).encode()}, claims or {}, signer)


def read_document(message: bytes, *, keys: KeyResolver, kind: Kind, now: datetime) -> Document:
    """Take a document out of its envelope and judge signature and times; credentials inside a presentation are not.

    Raises Malformed (`cbor.*`, `cose.*`, `vccose.*`, `vcdm.*`), Unsupported.
    """
    signed, document = _parts(sign1.parse(message, max_bytes=MAX_BYTES), kind)
    return vcenvelope.judged(signed, document, keys=keys, kind=kind, now=now)


def from_base64(text: str | bytes) -> bytes:
    """A message from base64 as it stands in files and `data:` URLs, with or without padding, lines broken or not.

    Raises Malformed (`vccose.base64`).
    """
    try:
        raw = b"".join((text if isinstance(text, bytes) else text.encode("ascii")).split())
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4), strict_mode=True)
    except ValueError:
        raise Malformed("vccose.base64", "The message is not in base64.") from None


# --- messages ---------------------------------------------------------------------------------------------------------


def _raw(wire: str) -> bytes:
    if len(wire) > MAX_BYTES * 4 // 3 + 4:
        raise Malformed("vccose.size", f"The credential is larger than {MAX_BYTES} bytes.")
    return unb64url(wire, what="credential")


def _read(raw: bytes) -> vcenvelope.Secured:
    return vcenvelope.secured(*_parts(sign1.parse(raw, max_bytes=MAX_BYTES), "vc"))


def _is_of(message: sign1.Sign1, kind: Kind) -> bool:
    """By `typ`, or where there is none by the content type (both SHOULD be there, §3.3.1)."""
    if headers.TYP in message.protected:
        found, right = message.protected[headers.TYP], _TYPES[kind]
    else:
        found, right = message.protected.get(headers.CONTENT_TYPE), _CONTENTS[kind]
    return isinstance(found, str) and found.lower() == right


def _parts(message: sign1.Sign1, kind: Kind) -> tuple[vcenvelope.Signed, dict[str, Json]]:
    """The message as a signed one, and the document in it. Raises Malformed (`vccose.type`, `vccose.claims` …)."""
    if not _is_of(message, kind):
        raise Malformed("vccose.type", "The message is not of the type that belongs here.")
    document = read_json_object(sign1.one_payload(message.payload, None), what="message's document")
    claims = _claims(message.protected.get(CWT_CLAIMS))
    kid = None if message.kid is None else message.kid.decode("utf-8", "replace")
    signed = vcenvelope.Signed(message.alg, kid, message.x5chain, None, claims, lambda key: sign1.verify(message, key))
    return signed, document


def _claims(members: Any) -> dict[str, Json]:
    """CWT claims by their JWT names, values in JSON form; unknown ones are ignored (§3.3.3)."""
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise Malformed("vccose.claims", "The message's claims are not a map.")
    found = {name: _plain(members[number]) for number, name in _NAMES.items() if number in members}
    if _CNF in members:
        cnf = members[_CNF]
        key = cnf.get(1) if isinstance(cnf, dict) else None  # RFC 8747 §3.2: a COSE_Key
        found["cnf"] = {"jwk": dict(cose_keys.read(key).jwk)}
    if _STATUS in members:
        found["status"] = _status(members[_STATUS])
    return found


def _status(named: Any) -> Json:
    """Token Status List §6.3, for `registered.statuses` to read."""
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named):
        raise Malformed("vccose.claims", "The message's status is not a map that names a mechanism.")
    return named


def _plain(value: Any) -> Json:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is None or isinstance(value, str | int | float | list):
        return value
    raise Malformed("vccose.claims", "One of the message's claims is of no kind that belongs there.")


def _naming(issuer: Issuer, signer: Signer) -> dict[int, Any]:
    if issuer.x5c:
        return {headers.X5CHAIN: issuer.x5c[0] if len(issuer.x5c) == 1 else list(issuer.x5c)}
    return {headers.KID: vcjose.key_name(issuer, signer).encode()}


def _signed(
    document: Mapping[str, Json], kind: Kind, naming: Mapping[int, Any], claims: Mapping[str, Json], signer: Signer
) -> bytes:
    said = {_NUMBERS[name]: value.encode() if name in ("nonce", "jti") else value for name, value in claims.items()}
    protected = {
        headers.CONTENT_TYPE: _CONTENTS[kind],
        headers.TYP: _TYPES[kind],
        **naming,
        **({CWT_CLAIMS: said} if said else {}),
    }
    return sign1.sign(write_json(document), protected=protected, signer=signer)
