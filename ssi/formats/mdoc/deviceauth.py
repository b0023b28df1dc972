"""Device authentication: did the holder's key make this very response, for this session (ISO/IEC 18013-5 §9.1.3)?

By signature, or by a code that only the two who met can make (ECDH of the holder's key and the reader's).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ssi.cose import mac0, sign1
from ssi.cose.cbor import Cbor, embed, encode_in_order
from ssi.errors import Malformed, Refused, SsiError
from ssi.formats.mdoc import transcripts
from ssi.formats.mdoc.mso import Authorized
from ssi.keys import Agreement, PublicKey, Signer
from ssi.model import Check, Finding, Outcome

NO_ELEMENTS: Final = embed(b"\xa0")
"""DeviceNameSpacesBytes of a holder who signs nothing but the response."""

_PREFIX: Final = b"\x84" + encode_in_order("DeviceAuthentication")
_MAC_INFO: Final = b"EMacKey"
_PROVEN: Final = "The holder proved to hold the credential's key."
MISSING: Final = Finding(
    Check.HOLDER_BINDING,
    Outcome.FAIL,
    "mdoc.device_missing",
    "The presentation does not prove that its holder made it.",
)


def authenticated(transcript: bytes, doc_type: str, names: bytes) -> bytes:
    """DeviceAuthenticationBytes (§9.1.3.4), over the transcript's and the DeviceNameSpacesBytes' own bytes."""
    return embed(_PREFIX + transcript + encode_in_order(doc_type) + names)


def sign(transcript: bytes, doc_type: str, *, holder: Signer, names: bytes = NO_ELEMENTS) -> dict[str, Cbor]:
    """DeviceAuth by the holder's signature (§9.1.3.6)."""
    message = authenticated(transcript, doc_type, names)
    return {"deviceSignature": sign1.make(message, protected={}, signer=holder, detached=True).array}


def mac(
    transcript: bytes, doc_type: str, *, holder: Agreement, reader: PublicKey, names: bytes = NO_ELEMENTS
) -> dict[str, Cbor]:
    """DeviceAuth by a code, for the reader of that key alone (§9.1.3.5). Raises Refused (`key.agreement`)."""
    key = _mac_key(holder.exchange(reader), transcript)
    return {"deviceMac": mac0.make(authenticated(transcript, doc_type, names), key=key, detached=True).array}


def judge(
    auth: Cbor, *, key: PublicKey, transcript: bytes, doc_type: str, names: bytes, reader: Agreement | None
) -> Finding:
    """Is this the holder's proof for this session? `reader` is the reader's ephemeral key, if it has one.

    PASS `mdoc.device_signed`, `mdoc.device_mac`; FAIL `mdoc.device_form`, `mdoc.device_signature`,
    `mdoc.device_mac_key`.
    """
    if not isinstance(auth, dict) or len(auth) != 1:
        return _no("mdoc.device_form", "The holder's proof cannot be read.")
    message = authenticated(transcript, doc_type, names)
    try:
        if "deviceSignature" in auth:
            return _by_signature(auth["deviceSignature"], key, message)
        if "deviceMac" in auth:
            return _by_mac(auth["deviceMac"], key, message, transcript, reader)
    except Refused as cause:
        return _no("mdoc.device_signature", "The proof of the holder's key is not made with that key.", cause.code)
    except SsiError as cause:
        return _no("mdoc.device_form", "The holder's proof cannot be read.", cause.code)
    return _no("mdoc.device_form", "The holder's proof cannot be read.")


def unauthorized(names: Mapping[str, Cbor], authorized: Authorized) -> Finding | None:
    """What is wrong when the holder signed elements that the issuer did not leave to that key (§9.1.2.4)."""
    for namespace, elements in names.items():
        if not isinstance(namespace, str) or not isinstance(elements, dict) or not elements:
            raise Malformed("mdoc.device_names", "The holder's own elements are not of the right form.")
        if not all(isinstance(name, str) and authorized.allows(namespace, name) for name in elements):
            return _no("mdoc.unauthorized", "The holder says something that the issuer did not leave to the holder.")
    return None


def _by_signature(value: Cbor, key: PublicKey, message: bytes) -> Finding:
    signed = sign1.of(value)
    sign1.verify(signed, key, payload=message)
    return Finding(Check.HOLDER_BINDING, Outcome.PASS, "mdoc.device_signed", _PROVEN, {"alg": key.algorithm.name})


def _by_mac(value: Cbor, key: PublicKey, message: bytes, transcript: bytes, reader: Agreement | None) -> Finding:
    """§9.1.3.5 allows HMAC with SHA-256 and nothing else."""
    code = mac0.of(value)
    if reader is None or code.alg != mac0.HMAC_256:
        return _no("mdoc.device_mac_key", "The holder's proof is one that only a reader in the same place could check.")
    mac0.verify(code, _mac_key(reader.exchange(key), transcript), payload=message)
    return Finding(Check.HOLDER_BINDING, Outcome.PASS, "mdoc.device_mac", _PROVEN, {"alg": "HMAC 256/256"})


def _mac_key(shared: bytes, transcript: bytes) -> bytes:
    """EMacKey (§9.1.3.5)."""
    salt = hashlib.sha256(transcripts.session_bytes(transcript)).digest()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=_MAC_INFO).derive(shared)


def _no(code: str, detail: str, cause: str | None = None) -> Finding:
    return Finding(Check.HOLDER_BINDING, Outcome.FAIL, code, detail, {"cause": cause} if cause else {})
