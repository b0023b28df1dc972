"""The issuing half of the command line that the W3C JOSE/COSE test suite calls: one document in, one token out.

The key comes from a file of the suite's, so this is no way to issue anything: the desk's keys are not reachable here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ssi.encoding import Json, read_json, read_json_object, required_text, unb64url
from ssi.errors import Malformed, Unsupported
from ssi.formats import vccose, vcjwt, vcsdjwt
from ssi.formats.vcjose import Kind
from ssi.keys import NativePrivate, PublicKey, Signer, SoftwareSigner
from ssi.model import ClaimPath

_KINDS: Final[Mapping[str, Kind]] = {"credential": "vc", "presentation": "vp"}
_WAYS: Final = ("jose", "sdjwt", "cose")
FEATURES: Final = tuple(f"{kind}_{way}" for kind in _KINDS for way in _WAYS)
"""What the suite asks for: a kind of document, and a way of securing it."""

_STEP = re.compile(r"([^.\[\]]+)((?:\[\d{1,4}\])*)")


def read_signer(data: bytes) -> Signer:
    """The key pair in a verification method file (`secretKeyJwk`). Raises Malformed (`conformance.key`, `key.*`)."""
    method = read_json_object(data, what="key file")
    jwk = method.get("secretKeyJwk")
    if not isinstance(jwk, Mapping):
        raise Malformed("conformance.key", "The key file has no secretKeyJwk.")
    secret = unb64url(required_text(jwk, "d", what="key"), what="key")
    public = PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "d"})
    native: NativePrivate
    try:
        if public.algorithm.curve is None:
            native = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        else:
            native = ec.derive_private_key(int.from_bytes(secret, "big"), public.algorithm.curve)
    except ValueError:
        raise Malformed("conformance.key", "The key file's secret is not one of its curve.") from None
    if PublicKey.from_native(native.public_key()) != public:
        raise Malformed("conformance.key", "The key file's two halves do not belong together.")
    name = jwk.get("kid")
    return SoftwareSigner(public, native, name if isinstance(name, str) else "")


def paths(text: str | None) -> tuple[ClaimPath, ...]:
    """The claims that `--sd` wants to be hideable.

    >>> paths('["credentialSubject.phoneNumbers[0]"]')
    (('credentialSubject', 'phoneNumbers', 0),)

    Raises Malformed (`conformance.path`, `encoding.*`).
    """
    given = [] if text is None else read_json(text, what="list of paths")
    if not isinstance(given, list):
        raise Malformed("conformance.path", "The paths are not a list.")
    return tuple(_path(each) for each in given)


def _path(text: Json) -> ClaimPath:
    found: list[str | int | None] = []
    for step in text.split(".") if isinstance(text, str) else [""]:
        match = _STEP.fullmatch(step)
        if match is None:
            raise Malformed("conformance.path", "A path is not like credentialSubject.phoneNumbers[0].")
        found += [match[1], *(int(index) for index in re.findall(r"\d+", match[2]))]
    return tuple(found)


def issue(data: bytes, feature: str, *, signer: Signer, disclosable: tuple[ClaimPath, ...], now: datetime) -> str:
    """Secure a document: a token, or base64 of a COSE_Sign1. Raises SsiError for a document that breaks a rule."""
    kind, _, way = feature.partition("_")
    if feature not in FEATURES:
        raise Unsupported("conformance.feature", f"The features are {', '.join(FEATURES)}.")
    document = read_json_object(data, what="document")
    if way == "jose":
        return vcjwt.sign_document(document, signer=signer, kind=_KINDS[kind])
    if way == "sdjwt":
        return vcsdjwt.sign_document(document, signer=signer, kind=_KINDS[kind], disclosable=disclosable)
    return base64.b64encode(vccose.sign_document(document, signer=signer, kind=_KINDS[kind])).decode("ascii")
