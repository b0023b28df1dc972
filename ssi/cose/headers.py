"""COSE headers: with which algorithm, by whose key, and is anything demanded that this house does not know?

RFC 9052 §3. Protected headers are read from the bytes that were signed; unprotected ones are hints.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from ssi.cose.cbor import Cbor, decode_map, encode, labelled
from ssi.errors import Malformed, Unsupported

ALG: Final = 1
CRIT: Final = 2
CONTENT_TYPE: Final = 3
KID: Final = 4
TYP: Final = 16
X5CHAIN: Final = 33

Headers = Mapping[Any, Cbor]
"""Headers by label: integers and texts only, once they are read."""

MAX_CERTIFICATES: Final = 8
_MAX_PROTECTED: Final = 65_536
_REMEMBERED: Final = 256
_UNDERSTOOD: Final = frozenset((ALG, CRIT, CONTENT_TYPE, KID, TYP, X5CHAIN))

NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {-7: "ES256", -35: "ES384", -36: "ES512", -8: "EdDSA", -9: "ES256", -51: "ES384", -52: "ES512", -19: "EdDSA"}
)
"""JOSE names of COSE's signature algorithms (RFC 9053 §2), the fully specified ones (RFC 9864) included."""

NUMBERS: Final[Mapping[str, int]] = MappingProxyType({"ES256": -7, "ES384": -35, "ES512": -36, "EdDSA": -8})
"""The number that this house writes for each."""


def signature_algorithm(protected: Headers) -> str:
    """The JOSE name of the algorithm in the protected headers. Raises Unsupported (`cose.alg`)."""
    number = protected.get(ALG)
    if type(number) is not int or number not in NAMES:
        raise Unsupported("cose.alg", "The signature algorithm is not one that this service accepts.")
    return NAMES[number]


def number_of(name: str) -> int:
    """The COSE number of a signature algorithm. Raises Unsupported (`cose.alg`)."""
    if name not in NUMBERS:
        raise Unsupported("cose.alg", "The key's algorithm makes no COSE signatures.")
    return NUMBERS[name]


def write_protected(headers: Headers) -> bytes:
    """Protected headers as they are signed: encoded, or nothing at all when there are none (RFC 9052 §3)."""
    return encode(dict(headers)) if headers else b""


def read_protected(data: Cbor) -> Headers:
    """The protected headers from their byte string. Raises Malformed (`cose.protected`, `cbor.*`), Unsupported."""
    if not isinstance(data, bytes) or len(data) > _MAX_PROTECTED:
        raise Malformed("cose.protected", "The protected headers are not a byte string of acceptable size.")
    return _remembered(data) if len(data) <= _REMEMBERED else _read(data)


def read_unprotected(value: Cbor, protected: Headers) -> Headers:
    """The unprotected headers. No label stands in both (RFC 9052 §3), and `crit` must be protected (§3.1).

    Raises Malformed (`cose.unprotected`, `cose.label_twice`, `cbor.label`).
    """
    if not isinstance(value, dict):
        raise Malformed("cose.unprotected", "The unprotected headers are not a map.")
    labelled(value, what="unprotected headers")
    if CRIT in value:
        raise Malformed("cose.unprotected", "Only protected headers can say which headers are critical.")
    if not protected.keys().isdisjoint(value):
        raise Malformed("cose.label_twice", "A header stands among the protected and the unprotected ones.")
    return value


def x5chain(protected: Headers, unprotected: Headers) -> tuple[bytes, ...]:
    """The certificates that came along (RFC 9360 §2) as DER, leaf first; () without any.

    They prove nothing until a trust policy has judged them. A list of one is accepted, though one certificate should
    come without a list. Raises Malformed (`cose.x5chain`).
    """
    value = protected.get(X5CHAIN, unprotected.get(X5CHAIN))
    if value is None:
        return ()
    chain = value if isinstance(value, list) else [value]
    if not 0 < len(chain) <= MAX_CERTIFICATES or not all(isinstance(der, bytes) and der for der in chain):
        raise Malformed("cose.x5chain", f"The certificate chain is not 1 to {MAX_CERTIFICATES} certificates.")
    return tuple(chain)


def _read(data: bytes) -> Headers:
    headers = decode_map(data, what="protected headers") if data else {}
    labelled(headers, what="protected headers")
    _refuse_unknown_critical(headers)
    return MappingProxyType(headers)


_remembered = lru_cache(maxsize=256)(_read)
"""Protected headers are few and short (`{1: -7}`), and come again and again."""


def _refuse_unknown_critical(headers: Headers) -> None:
    """RFC 9052 §3.1: `crit` is a non-empty array of labels, all present, and all understood or the message is not."""
    if CRIT not in headers:
        return
    critical = headers[CRIT]
    if not isinstance(critical, list) or not critical:
        raise Malformed("cose.crit", "The list of critical headers is no list, or empty.")
    for label in critical:
        if type(label) not in (int, str) or label not in headers:
            raise Malformed("cose.crit", "A header that is said to be critical is not there.")
        if label not in _UNDERSTOOD:
            raise Unsupported("cose.crit", "The message demands headers that this service does not know.")
