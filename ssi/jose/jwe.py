"""Encrypted tokens: who alone can read these bytes?

JWE compact serialization with direct key agreement, ECDH-ES on P-256 (RFC 7518 §4.6), and A128GCM or A256GCM: what
OpenID4VP 1.0 §8.3 and HAIP 1.0 §5 need for encrypted responses, and nothing else. No compression, no other algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ssi.encoding import Json, b64url, read_json_object, required_text, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import PublicKey

ALG = "ECDH-ES"
ENC_VALUES = ("A256GCM", "A128GCM")
"""Content encryption algorithms, best first (HAIP 1.0 §5: who has both should use A256GCM)."""

MAX_JWE_BYTES = 1_048_576
MAX_JWE_HEADER = 8_192
MAX_JWE_KEYS = 8


class _Registry(jwe.JWERegistry):
    """The allow-list, with room for presentations that hold a portrait (the library's own limit is 64 KiB)."""

    max_protected_header_length = MAX_JWE_HEADER
    max_ciphertext_length = MAX_JWE_BYTES


_REGISTRY = _Registry(algorithms=(ALG, *ENC_VALUES), strict_check_header=False)


@dataclass(frozen=True)
class DecryptionKey:
    """A P-256 key to which others encrypt; HAIP 1.0 §5 wants a fresh one for every request."""

    kid: str
    public: PublicKey
    _secret: int = field(repr=False, compare=False)

    @staticmethod
    def generate() -> DecryptionKey:
        """Make a fresh key; its name is its thumbprint."""
        native = ec.generate_private_key(ec.SECP256R1())
        public = PublicKey.from_native(native.public_key())
        return DecryptionKey(public.kid, public, native.private_numbers().private_value)

    @property
    def public_jwk(self) -> dict[str, str]:
        """The JWK to hand out (OpenID4VP 1.0 §5.1: with `kid`; §8.3: with `alg`)."""
        return {**self.public.jwk, "use": "enc", "alg": ALG, "kid": self.kid}

    @property
    def thumbprint(self) -> bytes:
        """The raw SHA-256 JWK thumbprint, which mdoc presentations are bound to (OpenID4VP 1.0 B.2.6.1)."""
        return self.public.thumbprint

    def loaded(self) -> ECKey:
        """The key as the JOSE library takes it."""
        return ECKey.import_key(dict[str, str | list[str]](self._private_jwk()))

    def to_json(self) -> bytes:
        """The secret as a JWK, for a store that encrypts it. Never log, send or print it."""
        return write_json(self._private_jwk())

    @staticmethod
    def from_json(data: bytes) -> DecryptionKey:
        """Read what `to_json` wrote. Raises Malformed (`jose.jwe_key`, `encoding.*`, `key.*`)."""
        members = read_json_object(data, what="decryption key")
        secret = unb64url(required_text(members, "d", what="decryption key"), what="decryption key")
        kid = required_text(members, "kid", what="decryption key")
        try:
            native = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        except ValueError:
            raise Malformed("jose.jwe_key", "The decryption key is not a P-256 key.") from None
        return DecryptionKey(kid, PublicKey.from_native(native.public_key()), native.private_numbers().private_value)

    def _private_jwk(self) -> dict[str, str]:
        return {**self.public.jwk, "d": b64url(self._secret.to_bytes(32, "big")), "kid": self.kid}


def is_usable(jwk: object) -> bool:
    """Can `encrypt` use this key: for encryption, ECDH-ES by its own `alg`, a point on P-256 (OpenID4VP 1.0 §8.3)?"""
    if not isinstance(jwk, Mapping) or jwk.get("alg") != ALG or jwk.get("use", "enc") != "enc":
        return False
    if not isinstance(jwk.get("kid", ""), str):
        return False
    try:
        return _point(jwk).algorithm.crv == "P-256"
    except SsiError:
        return False


def thumbprint(jwk: Mapping[str, Json]) -> bytes:
    """The raw SHA-256 thumbprint (RFC 7638) of a key that `is_usable`. Raises Malformed, Unsupported (`key.*`)."""
    return _point(jwk).thumbprint


def encrypt(
    payload: bytes, *, jwk: Mapping[str, Json], enc: str, apu: str | None = None, apv: str | None = None
) -> str:
    """Encrypt to a P-256 JWK; its `kid`, if any, goes into the header (OpenID4VP 1.0 §8.3).

    `apu` and `apv` are base64url text. Raises Unsupported (`jose.jwe_key`, `jose.jwe_enc`).
    """
    if not is_usable(jwk):
        raise Unsupported("jose.jwe_key", "The key is not one that this service can encrypt to.")
    if enc not in ENC_VALUES:
        raise Unsupported("jose.jwe_enc", "The content encryption is not one this service can make.")
    optional = {"kid": jwk.get("kid"), "apu": apu, "apv": apv}
    header = {"alg": ALG, "enc": enc, **{name: value for name, value in optional.items() if value is not None}}
    return jwe.encrypt_compact(header, payload, ECKey.import_key(dict(_point(jwk).jwk)), registry=_REGISTRY)


def decrypt(token: str, *, keys: Sequence[DecryptionKey], max_bytes: int = MAX_JWE_BYTES) -> bytes:
    """Decrypt with the key that the token's `kid` names, or, when it names none, with the first of `keys` that fits.

    Raises Malformed (`jose.size`, `jose.compact`, `jose.jwe_header`, `encoding.*`, `key.*`), Unsupported
    (`jose.jwe_alg`, `jose.jwe_enc`, `jose.jwe_zip`, `jose.crit`), Refused (`jose.jwe_key`, `jose.jwe_tag`).
    """
    if len(token) > max_bytes:
        raise Malformed("jose.size", f"The encrypted token is larger than {max_bytes} bytes.")
    header = _header(token)
    kid = header.get("kid")
    fitting = [key for key in keys if kid is None or key.kid == kid][:MAX_JWE_KEYS]
    if not fitting:
        raise Refused("jose.jwe_key", "The token is not encrypted to a key of this request.")
    for key in fitting:
        try:
            opened = jwe.decrypt_compact(token, key.loaded(), registry=_REGISTRY)
        except (JoseError, ValueError):
            continue
        return opened.plaintext or b""
    raise Refused("jose.jwe_tag", "The encrypted token was not made for this key, or was changed.")


def _header(token: str) -> dict[str, Json]:
    """The header, after all that could go wrong before the cryptography has been looked at."""
    parts = token.split(".")
    if len(parts) != 5 or not token.isascii():
        raise Malformed("jose.compact", "The encrypted token is not five parts divided by dots.")
    head, encrypted_key, iv, ciphertext, tag = (unb64url(part, what="encrypted token") for part in parts)
    header = read_json_object(head, what="encrypted token's header", max_bytes=MAX_JWE_HEADER)
    _check_algorithms(header)
    # RFC 7516 §5.2 step 10 (direct agreement has no encrypted key), RFC 7518 §5.3 (96-bit IV, 128-bit tag)
    if encrypted_key or len(iv) != 12 or len(tag) != 16 or not ciphertext:
        raise Malformed("jose.compact", "The encrypted token's parts are not of the size that its algorithms need.")
    for name in ("kid", "apu", "apv"):
        if not isinstance(header.get(name, ""), str):
            raise Malformed("jose.jwe_header", f"{name!r} in the encrypted token's header is not a string.")
    for name in ("apu", "apv"):
        unb64url(header.get(name, ""), what="encrypted token's header")
    _check_ephemeral(header.get("epk"))
    return header


def _check_ephemeral(epk: Json) -> None:
    """RFC 7518 §4.6.1.1: a public key on the recipient's curve. Members beyond the point (`kid`) are let pass."""
    if not isinstance(epk, Mapping) or not all(isinstance(value, str) for value in epk.values()):
        raise Malformed("jose.jwe_header", "The encrypted token has no ephemeral key.")
    if _point(epk).algorithm.crv != "P-256":
        raise Malformed("jose.jwe_header", "The encrypted token's ephemeral key is not on P-256.")


def _check_algorithms(header: Mapping[str, Json]) -> None:
    if header.get("alg") != ALG:
        raise Unsupported("jose.jwe_alg", "The token's key agreement is not one this service accepts.")
    if header.get("enc") not in ENC_VALUES:
        raise Unsupported("jose.jwe_enc", "The token's content encryption is not one this service accepts.")
    if "zip" in header:  # a few bytes could become gigabytes, and the secret's length could show
        raise Unsupported("jose.jwe_zip", "Compressed encrypted tokens are not accepted.")
    if "crit" in header:
        raise Unsupported("jose.crit", "The token demands header extensions that this service does not know.")


def _point(jwk: Mapping[str, Json]) -> PublicKey:
    """The key's point, checked to lie on its curve; members such as `alg`, `kid` and `use` are not about the point."""
    return PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y", "d") if name in jwk})
