"""Keys: public ones verify, private ones are handles that sign. One table of the algorithms this house accepts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, Protocol, runtime_checkable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed, Refused, Unsupported

NativePublic = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
NativePrivate = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Algorithm:
    """One signature algorithm: its JOSE name, the key it needs, and its signature's size in bytes."""

    name: str
    kty: str
    crv: str
    size: int
    curve: ec.EllipticCurve | None = None
    hash: hashes.HashAlgorithm | None = None

    @cached_property
    def scheme(self) -> ec.ECDSA:
        """The ECDSA scheme, made once (EC algorithms only)."""
        if self.hash is None:
            raise Unsupported("key.algorithm", f"{self.name} is not an ECDSA algorithm.")
        return ec.ECDSA(self.hash)


ES256: Final = Algorithm("ES256", "EC", "P-256", 64, ec.SECP256R1(), hashes.SHA256())
ES384: Final = Algorithm("ES384", "EC", "P-384", 96, ec.SECP384R1(), hashes.SHA384())
ES512: Final = Algorithm("ES512", "EC", "P-521", 132, ec.SECP521R1(), hashes.SHA512())
EDDSA: Final = Algorithm("EdDSA", "OKP", "Ed25519", 64)

ALGORITHMS: Final[Mapping[str, Algorithm]] = {algorithm.name: algorithm for algorithm in (ES256, ES384, ES512, EDDSA)}
"""Every signature algorithm accepted anywhere in the house, by JOSE name. `none`, RSA and HMAC are not here."""

ALIASES: Final[Mapping[str, str]] = {"Ed25519": "EdDSA", "ESP256": "ES256", "ESP384": "ES384", "ESP512": "ES512"}
"""Fully specified names (RFC 9864) for the same algorithms."""


BBS: Final = Algorithm("BBS", "OKP", "BLS12381G2", 80)
"""BBS with keys in G2. It signs lists of messages (`ssi.bbs`): no JOSE algorithm, and not in the table."""


_OTHER_NAMES: Final = {name: [alias for alias, of in ALIASES.items() if of == name] for name in ALGORITHMS}


def algorithm(name: object) -> Algorithm:
    """Look an algorithm up by its JOSE name or its RFC 9864 alias.

    >>> algorithm("Ed25519").name
    'EdDSA'

    Raises Unsupported (`key.algorithm`), for `none` too.
    """
    found = ALGORITHMS.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if found is None:
        raise Unsupported("key.algorithm", "The signature algorithm is not one this service accepts.")
    return found


@dataclass(frozen=True)
class PublicKey:
    """A public key and the one algorithm it verifies with. Equal keys compare equal."""

    algorithm: Algorithm
    x: bytes
    y: bytes = b""
    _native: NativePublic | None = field(repr=False, compare=False, kw_only=True)

    @staticmethod
    def from_jwk(jwk: object) -> PublicKey:
        """Read a JWK (RFC 7517, RFC 8037). Private members are refused, so that none is ever stored by accident.

        Raises Malformed (`key.jwk`, `key.private`, `key.use`, `key.point`), Unsupported (`key.type`).
        """
        if not isinstance(jwk, Mapping):
            raise Malformed("key.jwk", "The key is not a JWK object.")
        if "d" in jwk or "k" in jwk:
            raise Malformed("key.private", "The key holds private members where only a public key belongs.")
        operations = jwk.get("key_ops", ["verify"])
        if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
            raise Malformed("key.use", "The key is not meant for verifying signatures.")
        kty, crv = jwk.get("kty"), jwk.get("crv")
        found = next((a for a in ALGORITHMS.values() if (a.kty, a.crv) == (kty, crv)), None)
        if found is None:
            raise Unsupported(
                "key.type", "The key is not of a type this service accepts (P-256, P-384, P-521, Ed25519)."
            )
        if jwk.get("alg") is not None and (jwk["alg"] not in (found.name, *_OTHER_NAMES[found.name])):
            raise Malformed("key.jwk", "The key names an algorithm that it cannot serve.")
        x, y = jwk.get("x"), jwk.get("y", "")
        if not isinstance(x, str) or not isinstance(y, str):
            raise Malformed("key.jwk", "The key's coordinates are missing.")
        return _load(found.name, unb64url(x, what="key"), unb64url(y, what="key"))

    @staticmethod
    def from_native(native: object) -> PublicKey:
        """Wrap a `cryptography` public key. Raises Unsupported (`key.type`), Malformed (`key.point`)."""
        if isinstance(native, ed25519.Ed25519PublicKey):
            return PublicKey(EDDSA, _of_large_order(native.public_bytes_raw()), _native=native)
        if isinstance(native, ec.EllipticCurvePublicKey):
            for known in (ES256, ES384, ES512):
                if known.curve is not None and native.curve.name == known.curve.name:
                    half, point = known.size // 2, native.public_numbers()
                    x, y = point.x.to_bytes(half, "big"), point.y.to_bytes(half, "big")
                    return PublicKey(known, x, y, _native=native)
        raise Unsupported("key.type", "The key is not of a type this service accepts (P-256, P-384, P-521, Ed25519).")

    @staticmethod
    def bbs(raw: bytes) -> PublicKey:
        """A BBS key from its 96 bytes (a compressed point in G2); whether it is on the curve is for `ssi.bbs` to say.

        Raises Malformed (`key.point`).
        """
        if len(raw) != 96:
            raise Malformed("key.point", "The key's coordinates are of the wrong size.")
        return PublicKey(BBS, raw, _native=None)

    @property
    def native(self) -> NativePublic:
        """The loaded `cryptography` key. Raises Unsupported (`key.algorithm`) for a BBS key, which has none."""
        if self._native is None:
            raise Unsupported("key.algorithm", "The key signs lists of messages, not single ones.")
        return self._native

    @cached_property
    def jwk(self) -> Mapping[str, str]:
        """The public JWK, required members only (RFC 7638 §3.2 order)."""
        head = {"crv": self.algorithm.crv, "kty": self.algorithm.kty, "x": b64url(self.x)}
        return {**head, "y": b64url(self.y)} if self.y else head

    @cached_property
    def thumbprint(self) -> bytes:
        """SHA-256 JWK thumbprint (RFC 7638), 32 bytes."""
        canonical = "{" + ",".join(f'"{name}":"{value}"' for name, value in sorted(self.jwk.items())) + "}"
        return hashlib.sha256(canonical.encode()).digest()

    @cached_property
    def kid(self) -> str:
        """The thumbprint as base64url: the key's name wherever nobody gave it another."""
        return b64url(self.thumbprint)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return when `signature` (JOSE form: r || s for ECDSA, RFC 7518 §3.4) is this key's over `message`.

        Raises Refused (`key.signature`).
        """
        if self._native is None:
            raise Unsupported("key.algorithm", "The key signs lists of messages, not single ones.")
        if len(signature) != self.algorithm.size:
            raise Refused("key.signature", "The signature does not match.")
        try:
            self._check(message, signature)
        except InvalidSignature:
            raise Refused("key.signature", "The signature does not match.") from None

    def _check(self, message: bytes, signature: bytes) -> None:
        native: Any = self._native  # its class is its algorithm's; to ask it costs more than all else here
        if self.algorithm.curve is None:
            native.verify(signature, message)
            return
        half = self.algorithm.size // 2
        der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        native.verify(der, message, self.algorithm.scheme)


def _of_large_order(x: bytes) -> bytes:
    """The same Ed25519 key, unless it is one of the points under which signatures hold that nobody made (RFC 8032 §8).

    Raises Malformed (`key.point`).
    """
    if x[:-1] + bytes((x[-1] & 0x7F,)) in _SMALL_ORDER:  # the last bit is the sign
        raise Malformed("key.point", "The key is a point of small order, under which anybody can sign.")
    return x


_PRIME: Final = 2**255 - 19
_SMALL_ORDER: Final = frozenset(
    (
        *(number.to_bytes(32, "little") for number in (0, 1, _PRIME - 1, _PRIME, _PRIME + 1)),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    )
)
"""Every encoding of the eight points whose order divides eight, without the sign."""


@lru_cache(maxsize=4096)
def _load(name: str, x: bytes, y: bytes) -> PublicKey:
    """Load and check a point once per key (a compressed or off-curve point costs, and keys come back)."""
    found = ALGORITHMS[name]
    if (len(x), len(y)) != (found.size // 2, found.size // 2 if found.curve else 0):
        raise Malformed("key.point", "The key's coordinates are of the wrong size.")
    try:
        native: NativePublic
        if found.curve is None:
            native = ed25519.Ed25519PublicKey.from_public_bytes(_of_large_order(x))
        else:
            native = ec.EllipticCurvePublicKey.from_encoded_point(found.curve, b"\x04" + x + y)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("key.point", "The key is not a point on its curve.") from None
    return PublicKey(found, x, y, _native=native)


class Signer(Protocol):
    """A private key as a handle: it signs and names itself, and never shows its secret."""

    @property
    def kid(self) -> str:
        """The name the key goes by in its store."""

    @property
    def public(self) -> PublicKey:
        """The key's public half."""

    def sign(self, message: bytes) -> bytes:
        """Sign in JOSE form (r || s for ECDSA)."""


@runtime_checkable
class MessagesSigner(Protocol):
    """A private key that signs a list of messages at once, each of which its holder can later hide (BBS)."""

    @property
    def kid(self) -> str:
        """The name the key goes by in its store."""

    @property
    def public(self) -> PublicKey:
        """The key's public half."""

    def sign_all(self, header: bytes, messages: Sequence[bytes]) -> bytes:
        """Sign the header and all messages, in their order (80 bytes)."""


@runtime_checkable
class Agreement(Protocol):
    """A private key that agrees on a secret with another party's public key (ECDH)."""

    def exchange(self, peer: PublicKey) -> bytes:
        """The raw shared secret. Raises Refused (`key.agreement`) when the keys are not of one curve."""


class KeyStore(Protocol):
    """Where a role keeps its keys: a file, a vault, an HSM or a KMS look the same."""

    def create(self, alg: str) -> Signer:
        """Make a key for a JOSE algorithm name and keep it before returning."""

    def get(self, kid: str) -> Signer:
        """The handle of a kept key. Raises Refused (`key.unknown`)."""


@dataclass(frozen=True)
class SoftwareSigner:
    """A key held in this process's memory."""

    public: PublicKey
    _native: NativePrivate = field(repr=False, compare=False)
    name: str = ""

    @property
    def kid(self) -> str:
        """Its given name, else its thumbprint."""
        return self.name or self.public.kid

    @staticmethod
    def generate(alg: str) -> SoftwareSigner:
        """Make a fresh key for a JOSE algorithm name. Raises Unsupported."""
        found = algorithm(alg)
        native: NativePrivate
        native = ec.generate_private_key(found.curve) if found.curve else ed25519.Ed25519PrivateKey.generate()
        return SoftwareSigner(PublicKey.from_native(native.public_key()), native)

    @staticmethod
    def from_pkcs8(data: bytes, *, name: str = "") -> SoftwareSigner:
        """Load unencrypted PKCS#8, DER or PEM. Raises Malformed (`key.pkcs8`), Unsupported."""
        load: Callable[..., Any] = serialization.load_der_private_key
        if data.lstrip().startswith(b"-----"):
            load = serialization.load_pem_private_key
        try:
            native = load(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Malformed("key.pkcs8", "The private key cannot be read.") from None
        if not isinstance(native, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
            raise Unsupported("key.type", "The private key is not of a type this service accepts.")
        return SoftwareSigner(PublicKey.from_native(native.public_key()), native, name)

    @property
    def native(self) -> NativePrivate:
        """The loaded `cryptography` key, for signing certificates."""
        return self._native

    def pkcs8(self) -> bytes:
        """The secret as PKCS#8 DER, for a store that encrypts it. Never log, send or print it."""
        return self._native.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """Sign in JOSE form (r || s for ECDSA)."""
        native: Any = self._native  # see `PublicKey._check`
        found = self.public.algorithm
        if found.curve is None:
            signature: bytes = native.sign(message)
            return signature
        half = found.size // 2
        r, s = decode_dss_signature(native.sign(message, found.scheme))
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")

    def exchange(self, peer: PublicKey) -> bytes:
        """The secret shared with the peer (ECDH). Raises Refused (`key.agreement`) for a key of another curve."""
        if self.public.algorithm.curve is None or peer.algorithm is not self.public.algorithm:
            raise Refused("key.agreement", "The two keys are not of one kind that can agree on a secret.")
        native: Any = self._native
        shared: bytes = native.exchange(ec.ECDH(), peer.native)
        return shared


def jwk_set(keys: Mapping[str, PublicKey]) -> dict[str, list[dict[str, Json]]]:
    """A JWK Set (RFC 7517 §5) of public keys by kid."""
    return {"keys": [{**key.jwk, "kid": kid, "alg": key.algorithm.name, "use": "sig"} for kid, key in keys.items()]}
