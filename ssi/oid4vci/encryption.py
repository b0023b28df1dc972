"""Encrypted messages: who alone reads a credential request or response (OpenID4VCI 1.0 §10, §8.2, §12.2.4)?

Both are JWEs of media type `application/jwt` with ECDH-ES on P-256 and A128GCM or A256GCM; `zip` is DEF or nothing, and
what comes out of a compressed message is bounded. Error responses are never encrypted (§8.3.1.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, write_json
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.jose import jwe
from ssi.jose.jwe import DEFLATE, DecryptionKey
from ssi.oid4vci.errors import OAuthError

MEDIA_TYPE: Final = "application/jwt"
MAX_RESPONSE_BYTES: Final = 4_194_304
"""What a compressed credential response may hold: a batch of credentials with portraits."""

_INVALID: Final = "invalid_encryption_parameters"
_MAX_LISTED: Final = 64


@dataclass(frozen=True)
class ResponseEncryption:
    """`credential_response_encryption` of a request: the wallet's key, and how to encrypt to it (§8.2)."""

    jwk: Mapping[str, Json]
    enc: str
    zip: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The request's member."""
        members: dict[str, Json] = {"jwk": dict(self.jwk), "enc": self.enc}
        return members if self.zip is None else {**members, "zip": self.zip}

    @staticmethod
    def parse(value: Json) -> ResponseEncryption:
        """Read the request's member. Raises OAuthError (invalid_encryption_parameters) for what cannot be done here."""
        if not isinstance(value, dict):
            raise OAuthError(_INVALID, "credential_response_encryption is not an object.")
        jwk, enc, zipped = value.get("jwk"), value.get("enc"), value.get("zip")
        if not isinstance(jwk, dict) or "d" in jwk or not jwe.is_usable(jwk):
            raise OAuthError(_INVALID, "The jwk is no public P-256 key whose alg is ECDH-ES (section 10).")
        if enc not in jwe.ENC_VALUES:
            raise OAuthError(_INVALID, f"The enc must be one of {', '.join(jwe.ENC_VALUES)}.")
        if "zip" in value and zipped != DEFLATE:
            raise OAuthError(_INVALID, "The zip must be DEF, or be left out.")
        return ResponseEncryption(jwk, enc, zipped)

    def seal(self, members: Mapping[str, Json]) -> str:
        """The response, encrypted as the wallet asked."""
        return jwe.encrypt(write_json(members), jwk=self.jwk, enc=self.enc, zip=self.zip)

    def open(self, token: str, *, key: DecryptionKey) -> bytes:
        """What an issuer answered to this request; `key` is the one whose public half the request had.

        Raises Malformed, Unsupported and Refused (`jose.*`), also for compression that was not asked for.
        """
        limit = None if self.zip is None else MAX_RESPONSE_BYTES
        return jwe.decrypt(token, keys=[key], max_bytes=MAX_RESPONSE_BYTES, inflate=limit)


@dataclass(frozen=True)
class RequestPolicy:
    """`credential_request_encryption` of the issuer metadata: to which keys wallets encrypt their requests."""

    keys: tuple[Mapping[str, Json], ...]
    encs: tuple[str, ...]
    zips: tuple[str, ...] = ()
    required: bool = False

    @property
    def json(self) -> dict[str, Json]:
        """The metadata's member."""
        members: dict[str, Json] = {"jwks": {"keys": [dict(key) for key in self.keys]}}
        members |= {"enc_values_supported": list(self.encs), "encryption_required": self.required}
        return {**members, "zip_values_supported": list(self.zips)} if self.zips else members

    @staticmethod
    def parse(value: Json) -> RequestPolicy:
        """Read the metadata's member. Raises Malformed (`oid4vci.metadata`)."""
        members = _object(value)
        jwks = _object(members.get("jwks")).get("keys")
        if not isinstance(jwks, list) or not 0 < len(jwks) <= _MAX_LISTED:
            raise _unreadable()
        keys = tuple(_object(key) for key in jwks)
        encs, zips = _texts(members, "enc_values_supported"), _texts(members, "zip_values_supported")
        return RequestPolicy(keys, encs, zips, _required(members))

    @property
    def usable(self) -> bool:
        """Can `seal` make a request for this issuer?"""
        return self._choice() is not None

    def seal(self, members: Mapping[str, Json]) -> str:
        """The request, encrypted to the first key that can be used (§10), compressed where the issuer reads that.

        Raises Unsupported (`oid4vci.encryption`).
        """
        choice = self._choice()
        if choice is None:
            raise Unsupported("oid4vci.encryption", "The issuer wants requests encrypted in a way not known here.")
        jwk, enc = choice
        return jwe.encrypt(write_json(members), jwk=jwk, enc=enc, zip=DEFLATE if DEFLATE in self.zips else None)

    def _choice(self) -> tuple[Mapping[str, Json], str] | None:
        key = next((key for key in self.keys if jwe.is_usable(key)), None)
        enc = next((enc for enc in jwe.ENC_VALUES if enc in self.encs), None)
        return None if key is None or enc is None else (key, enc)


@dataclass(frozen=True)
class ResponsePolicy:
    """`credential_response_encryption` of the issuer metadata: how the issuer encrypts to a wallet's key."""

    algs: tuple[str, ...]
    encs: tuple[str, ...]
    zips: tuple[str, ...] = ()
    required: bool = False

    @property
    def json(self) -> dict[str, Json]:
        """The metadata's member."""
        members: dict[str, Json] = {
            "alg_values_supported": list(self.algs),
            "enc_values_supported": list(self.encs),
            "encryption_required": self.required,
        }
        return {**members, "zip_values_supported": list(self.zips)} if self.zips else members

    @staticmethod
    def parse(value: Json) -> ResponsePolicy:
        """Read the metadata's member. Raises Malformed (`oid4vci.metadata`)."""
        members = _object(value)
        names = ("alg_values_supported", "enc_values_supported", "zip_values_supported")
        algs, encs, zips = (_texts(members, name) for name in names)
        return ResponsePolicy(algs, encs, zips, _required(members))

    def ask(self, key: DecryptionKey) -> ResponseEncryption | None:
        """What a wallet asks for with a fresh key; None when nothing that this issuer does is known here."""
        enc = next((enc for enc in jwe.ENC_VALUES if enc in self.encs), None)
        if enc is None or jwe.ALG not in self.algs:
            return None
        return ResponseEncryption(key.public_jwk, enc, DEFLATE if DEFLATE in self.zips else None)


def policies(keys: Sequence[DecryptionKey], *, required: bool) -> tuple[RequestPolicy, ResponsePolicy]:
    """What an issuer with these keys publishes: all that this house can do."""
    zips = (DEFLATE,)
    asked = RequestPolicy(tuple(key.public_jwk for key in keys), jwe.ENC_VALUES, zips, required)
    return asked, ResponsePolicy((jwe.ALG,), jwe.ENC_VALUES, zips, required)


def open_request(token: bytes, *, keys: Sequence[DecryptionKey], max_bytes: int) -> bytes:
    """The body of an encrypted request, of at most `max_bytes`. Raises OAuthError (invalid_encryption_parameters)."""
    try:
        return jwe.decrypt(token.decode("ascii"), keys=keys, max_bytes=max_bytes, inflate=max_bytes)
    except UnicodeDecodeError:
        raise OAuthError(_INVALID, "The encrypted request is not a JWE in compact form.") from None
    except SsiError as error:
        raise OAuthError(_INVALID, error.detail) from error


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise _unreadable()
    return value


def _texts(members: Mapping[str, Json], name: str) -> tuple[str, ...]:
    value = members.get(name, [])
    if not isinstance(value, list) or len(value) > _MAX_LISTED:
        raise _unreadable()
    return tuple(item for item in value if isinstance(item, str))


def _required(members: Mapping[str, Json]) -> bool:
    value = members.get("encryption_required", False)
    if not isinstance(value, bool):
        raise _unreadable()
    return value


def _unreadable() -> Malformed:
    return Malformed("oid4vci.metadata", "What the issuer metadata says of encryption cannot be read.")
