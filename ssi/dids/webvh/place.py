"""did:webvh identifiers, and where their logs lie (did:webvh 1.0, "Method-Specific Identifier", "DID to HTTPS")."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from ssi.errors import Malformed

NAME: Final = "webvh"
PREFIX: Final = "did:webvh:"
PLACEHOLDER: Final = "{SCID}"
SCID: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46}")
TRIAL_HOST: Final = "localhost"
"""No domain name by the method's rules, and read all the same: trials on one machine have no other. `ssi.fetch` goes
there only where an operator allows loopback addresses."""

_MAX: Final = 1024
_IDCHARS: Final = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+")
_PORT: Final = re.compile(r"(.*)%3[Aa]([0-9]{1,5})")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LETTERS: Final = ("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc")
_EXCEPTIONS: Final = "\u00df\u03c2\u06fd\u06fe\u0f0b\u3007"  # RFC 5892 §2.6
_EXCLUDED: Final = (
    range(0x1100, 0x1200),
    range(0xA960, 0xA980),
    range(0xD7B0, 0xD800),
    range(0x034F, 0x0350),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0x20D0, 0x2100),
    range(0x1D165, 0x1D245),
    range(0xFE00, 0xFE10),
    range(0xE0100, 0xE01F0),
)
"""RFC 5892 §2.7, §2.8, §2.9: marks that are not shown, combining marks for symbols and music, old Hangul jamo."""
_DISALLOWED: Final = "\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b"  # RFC 5892 §2.6
_NUMERIC: Final = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")


@dataclass(frozen=True)
class Place:
    """A did:webvh taken apart: its SCID, its host as TLS knows it, its port, and the decoded segments of its path."""

    scid: str
    host: str
    port: int | None
    path: tuple[str, ...]

    @property
    def base(self) -> str:
        """The address under which paths of the DID lie, with a slash at its end (without `.well-known`)."""
        origin = f"https://{self.host}{'' if self.port is None else f':{self.port}'}/"
        return origin + "".join(quote(segment, safe="-._~") + "/" for segment in self.path)

    @property
    def folder(self) -> str:
        """The address under which the log lies, with a slash at its end."""
        return self.base if self.path else f"{self.base}.well-known/"

    @property
    def log(self) -> str:
        """The log's address."""
        return f"{self.folder}did.jsonl"

    @property
    def witnesses(self) -> str:
        """The address of the witnesses' proofs."""
        return f"{self.folder}did-witness.json"


@lru_cache(maxsize=256)
def read(did: str) -> Place:
    """Take a did:webvh apart.

    >>> read("did:webvh:QmXq3qKkf4miH65SnSpkaMbAcXixyR6JU4yt8p4W8ftGWx:example.com%3A3000:dids:issuer").log
    'https://example.com:3000/dids/issuer/did.jsonl'

    Raises Malformed (`did.webvh`).
    """
    scid, colon, rest = did.removeprefix(PREFIX).partition(":")
    if len(did) > _MAX or not did.startswith(PREFIX) or not colon or not SCID.fullmatch(scid):
        raise Malformed("did.webvh", "The text is not a did:webvh: its self-certifying part cannot be read.")
    domain, *path = rest.split(":")
    host, port = _domain(domain)
    return Place(scid, host, port, tuple(_segment(each) for each in path))


def of(host_and_path: str, scid: str = PLACEHOLDER) -> str:
    """The DID for a place ("example.com%3A3000:dids:issuer"). Raises Malformed (`did.webvh`)."""
    did = f"{PREFIX}{scid}:{host_and_path}"
    read(did.replace(PLACEHOLDER, "1" * 46))
    return did


def _domain(text: str) -> tuple[str, int | None]:
    """Step 3 of the transformation: percent-encoding once, the port, IDNA, and no IP address in any dress."""
    match = _PORT.fullmatch(text)
    name, digits = (match[1], match[2]) if match else (text, None)
    port = None if digits is None else int(digits)
    if port is not None and not 1 <= port <= 65_535:
        raise Malformed("did.webvh", "The did:webvh names a port that there is not.")
    decoded = _decoded(name)
    host = ".".join(_a_label(label) for label in unicodedata.normalize("NFC", decoded.lower()).split("."))
    if host == TRIAL_HOST:
        return host, port
    labels = host.split(".")
    if len(labels) < 2 or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Malformed("did.webvh", "The did:webvh does not name a host by a full domain name.")
    if _NUMERIC.fullmatch(labels[-1]) or _is_address(host):
        raise Malformed("did.webvh", "The did:webvh names an IP address where a domain name belongs.")
    return host, port


def _a_label(label: str) -> str:
    """A label as DNS has it (IDNA2008: RFC 5891 §5, RFC 5892). Characters that need their context are not read here.

    >>> _a_label("納豆"), _a_label("faß")
    ('xn--99zt52a', 'xn--fa-hia')

    Raises Malformed (`did.webvh`).
    """
    if label.isascii():
        return label
    if label[2:4] == "--" or unicodedata.category(label[0])[0] == "M" or not all(_is_valid(one) for one in label):
        raise Malformed("did.webvh", "The did:webvh names a host by characters that no domain name holds.")
    return "xn--" + label.encode("punycode").decode("ascii")


def _is_valid(one: str) -> bool:
    """Is the character PVALID (RFC 5892 §3): a letter, digit or mark that compatibility mappings leave as it is?"""
    if one.isascii() or one in _EXCEPTIONS:
        return True
    if any(ord(one) in each for each in _EXCLUDED):
        return False
    mapped = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", one).casefold())
    return unicodedata.category(one) in _LETTERS and mapped == one and one not in _DISALLOWED


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _segment(text: str) -> str:
    """Step 4: one segment of the path, decoded once."""
    decoded = _decoded(text)
    if decoded in (".", "..") or decoded != decoded.strip() or any(one in decoded for one in "/\\\x00"):
        raise Malformed("did.webvh", "The did:webvh names a path that is not allowed.")
    if not decoded.isprintable():
        raise Malformed("did.webvh", "The did:webvh names a path that is not allowed.")
    return decoded


def _decoded(text: str) -> str:
    if not _IDCHARS.fullmatch(text):
        raise Malformed("did.webvh", "A part of the did:webvh is empty, or holds characters that no DID holds.")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Malformed("did.webvh", "A part of the did:webvh is not text.") from None
