"""Encrypted tokens: who alone can read these bytes?

JWE compact serialization with direct key agreement, ECDH-ES on P-256 (RFC 7518 §4.6), and A128GCM or A256GCM: what
OpenID4VP 1.0 §8.3, OpenID4VCI 1.0 §10 and HAIP 1.0 §5 need for encrypted messages, and nothing else. Compression (DEF)
only where the protocol asks for it, and then never beyond a size that the reader sets.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from ssi.encoding import Json, b64url, read_json_object, required_text, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import ecdhes
from ssi.keys import PublicKey

ALG = "ECDH-ES"
ENC_VALUES = ("A256GCM", "A128GCM")
"""Content encryption algorithms, best first (HAIP 1.0 §5: who has both should use A256GCM)."""

MAX_JWE_BYTES = 1_048_576
MAX_JWE_HEADER = 8_192
MAX_JWE_KEYS = 8
DEFLATE = "DEF"


def _deflated(plain: bytes) -> bytes:
    """Raw DEFLATE (RFC 7516 §4.1.3, RFC 1951)."""
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(plain) + made.flush()


def _inflated(packed: bytes, limit: int) -> bytes:
    """The whole bytes. Raises Malformed (`jose.jwe_zip`) beyond the limit, and for what is no DEFLATE stream."""
    opened = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        made = opened.decompress(packed, limit + 1)
    except zlib.error:
        raise Malformed("jose.jwe_zip", "The compressed content cannot be read.") from None
    if len(made) > limit or not opened.eof or opened.unused_data:
        raise Malformed("jose.jwe_zip", f"The compressed content is cut, or larger than {limit} bytes.")
    return made


@dataclass(frozen=True)
class DecryptionKey:
    """A P-256 key to which others encrypt; HAIP 1.0 §5 wants a fresh one for every request."""

    kid: str
    public: PublicKey
    _native: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    @staticmethod
    def generate() -> DecryptionKey:
        """Make a fresh key; its name is its thumbprint."""
        native = ec.generate_private_key(ec.SECP256R1())
        public = PublicKey.from_native(native.public_key())
        return DecryptionKey(public.kid, public, native)

    @property
    def public_jwk(self) -> dict[str, str]:
        """The JWK to hand out (OpenID4VP 1.0 §5.1: with `kid`; §8.3: with `alg`)."""
        return {**self.public.jwk, "use": "enc", "alg": ALG, "kid": self.kid}

    @property
    def thumbprint(self) -> bytes:
        """The raw SHA-256 JWK thumbprint, which mdoc presentations are bound to (OpenID4VP 1.0 B.2.6.1)."""
        return self.public.thumbprint

    @property
    def native(self) -> ec.EllipticCurvePrivateKey:
        """The loaded `cryptography` key."""
        return self._native

    def to_json(self) -> bytes:
        """The secret as a JWK, for a store that encrypts it. Never log, send or print it."""
        secret = self._native.private_numbers().private_value.to_bytes(32, "big")
        return write_json({**self.public.jwk, "d": b64url(secret), "kid": self.kid})

    @staticmethod
    def from_json(data: bytes) -> DecryptionKey:
        """Read what `to_json` wrote. Raises Malformed (`jose.jwe_key`, `encoding.*`)."""
        members = read_json_object(data, what="decryption key")
        secret = unb64url(required_text(members, "d", what="decryption key"), what="decryption key")
        kid = required_text(members, "kid", what="decryption key")
        try:
            public = _point({name: value for name, value in members.items() if name != "d"})
            native = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        except (SsiError, ValueError):
            raise Malformed("jose.jwe_key", "The decryption key is not a P-256 key.") from None
        if native.public_key() != public.native:
            raise Malformed("jose.jwe_key", "The decryption key is not the one that it says.")
        return DecryptionKey(kid, public, native)


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
    payload: bytes,
    *,
    jwk: Mapping[str, Json],
    enc: str,
    apu: str | None = None,
    apv: str | None = None,
    zip: str | None = None,  # noqa: A002  (the header's own name)
    cty: str | None = None,
) -> str:
    """Encrypt to a P-256 JWK; its `kid`, if any, goes into the header (OpenID4VP 1.0 §8.3).

    `apu` and `apv` are base64url text; `zip` is None or "DEF", where the reader has asked for it; `cty` says what a
    nested token is (RFC 7519 §5.2).
    Raises Unsupported (`jose.jwe_key`, `jose.jwe_enc`, `jose.jwe_zip`).
    """
    if not is_usable(jwk):
        raise Unsupported("jose.jwe_key", "The key is not one that this service can encrypt to.")
    if enc not in ENC_VALUES:
        raise Unsupported("jose.jwe_enc", "The content encryption is not one this service can make.")
    if zip not in (None, DEFLATE):
        raise Unsupported("jose.jwe_zip", "The compression is not one this service can make.")
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    epk = PublicKey.from_native(ephemeral.public_key()).jwk
    optional = {"kid": jwk.get("kid"), "apu": apu, "apv": apv, "zip": zip, "cty": cty}
    header = {"alg": ALG, "enc": enc, "epk": epk, **{name: one for name, one in optional.items() if one is not None}}
    head, plain = b64url(write_json(header)), payload if zip is None else _deflated(payload)
    other, terms = _point(jwk), _terms(header)
    sealed = ecdhes.seal(plain, own=ephemeral, other=other, terms=terms, header=head.encode("ascii"))
    cut, end = ecdhes.IV_BYTES, len(sealed) - ecdhes.TAG_BYTES
    return ".".join((head, "", b64url(sealed[:cut]), b64url(sealed[cut:end]), b64url(sealed[end:])))


def decrypt(
    token: str, *, keys: Sequence[DecryptionKey], max_bytes: int = MAX_JWE_BYTES, inflate: int | None = None
) -> bytes:
    """Decrypt with the key that the token's `kid` names, or, when it names none, with the first of `keys` that fits.

    A compressed token is accepted only with `inflate`, the most bytes that may come out of it.

    Raises Malformed (`jose.size`, `jose.compact`, `jose.jwe_header`, `jose.jwe_zip`, `encoding.*`, `key.*`),
    Unsupported (`jose.jwe_alg`, `jose.jwe_enc`, `jose.jwe_zip`, `jose.crit`), Refused (`jose.jwe_key`, `jose.jwe_tag`).
    """
    if len(token) > max_bytes:
        raise Malformed("jose.size", f"The encrypted token is larger than {max_bytes} bytes.")
    sealed = _read(token, zipped=inflate is not None)
    kid = sealed.header.get("kid")
    fitting = [key for key in keys if kid is None or key.kid == kid][:MAX_JWE_KEYS]
    if not fitting:
        raise Refused("jose.jwe_key", "The token is not encrypted to a key of this request.")
    plain = _unsealed(sealed, fitting)
    return _inflated(plain, inflate) if inflate is not None and "zip" in sealed.header else plain


class _Sealed(NamedTuple):
    """A token taken apart, and all that could go wrong before the cryptography looked at."""

    header: dict[str, Json]
    head: bytes
    content: bytes
    sender: PublicKey


def _unsealed(sealed: _Sealed, keys: Sequence[DecryptionKey]) -> bytes:
    """What the first fitting key opens; the refusal of the last one where none does."""
    terms, last = _terms(sealed.header), keys[-1]
    for key in keys[:-1]:
        try:
            return _opened(sealed, key, terms)
        except Refused:
            continue
    return _opened(sealed, last, terms)


def _opened(sealed: _Sealed, key: DecryptionKey, terms: ecdhes.Terms) -> bytes:
    return ecdhes.unseal(sealed.content, own=key.native, other=sealed.sender, terms=terms, header=sealed.head)


def _terms(header: Mapping[str, Json]) -> ecdhes.Terms:
    apu, apv = (unb64url(header.get(name, ""), what="encrypted token's header") for name in ("apu", "apv"))
    return ecdhes.Terms(header["enc"], apu, apv)


def _read(token: str, *, zipped: bool) -> _Sealed:
    parts = token.split(".")
    if len(parts) != 5 or not token.isascii():
        raise Malformed("jose.compact", "The encrypted token is not five parts divided by dots.")
    head, encrypted_key, iv, ciphertext, tag = (unb64url(part, what="encrypted token") for part in parts)
    header = read_json_object(head, what="encrypted token's header", max_bytes=MAX_JWE_HEADER)
    _check_algorithms(header, zipped=zipped)
    # RFC 7516 §5.2 step 10 (direct agreement has no encrypted key), RFC 7518 §5.3 (96-bit IV, 128-bit tag)
    if encrypted_key or len(iv) != ecdhes.IV_BYTES or len(tag) != ecdhes.TAG_BYTES or not ciphertext:
        raise Malformed("jose.compact", "The encrypted token's parts are not of the size that its algorithms need.")
    for name in ("kid", "apu", "apv"):
        if not isinstance(header.get(name, ""), str):
            raise Malformed("jose.jwe_header", f"{name!r} in the encrypted token's header is not a string.")
    for name in ("apu", "apv"):
        unb64url(header.get(name, ""), what="encrypted token's header")
    return _Sealed(header, parts[0].encode("ascii"), iv + ciphertext + tag, _ephemeral(header.get("epk")))


def _ephemeral(epk: Json) -> PublicKey:
    """RFC 7518 §4.6.1.1: a public key on the recipient's curve. Members beyond the point (`kid`) are let pass."""
    if not isinstance(epk, Mapping) or not all(isinstance(value, str) for value in epk.values()):
        raise Malformed("jose.jwe_header", "The encrypted token has no ephemeral key.")
    point = _point(epk)
    if point.algorithm.crv != "P-256":
        raise Malformed("jose.jwe_header", "The encrypted token's ephemeral key is not on P-256.")
    return point


def _check_algorithms(header: Mapping[str, Json], *, zipped: bool) -> None:
    if header.get("alg") != ALG:
        raise Unsupported("jose.jwe_alg", "The token's key agreement is not one this service accepts.")
    if header.get("enc") not in ENC_VALUES:
        raise Unsupported("jose.jwe_enc", "The token's content encryption is not one this service accepts.")
    if "zip" in header and not (zipped and header["zip"] == DEFLATE):
        # a few bytes could become gigabytes, and the secret's length could show: only where it was asked for
        raise Unsupported("jose.jwe_zip", "Compressed encrypted tokens are not accepted.")
    if "crit" in header:
        raise Unsupported("jose.crit", "The token demands header extensions that this service does not know.")


def _point(jwk: Mapping[str, Json]) -> PublicKey:
    """The key's point, checked to lie on its curve; members such as `alg`, `kid` and `use` are not about the point."""
    return PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y", "d") if name in jwk})
