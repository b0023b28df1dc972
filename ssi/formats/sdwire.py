"""SD-JWTs on the wire: which parts stand between the tildes, and which disclosures does a choice of claims take?

RFC 9901 §4, compact serialization. dc+sd-jwt and vc+sd-jwt share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ssi.errors import Malformed, Refused, Unsupported
from ssi.formats.opening import Unpacked
from ssi.formats.paths import select, shown_by
from ssi.model import Disclosure

MAX_BYTES: Final = 1_048_576


class Wire(NamedTuple):
    """The parts between the tildes; `sd_jwt` is all but the key binding, its final tilde included."""

    token: bytes
    texts: list[bytes]
    key_binding: bytes
    sd_jwt: bytes


def split(wire: str | bytes) -> Wire:
    """RFC 9901 §4: the token, disclosures each followed by a tilde, and what follows the last tilde.

    Raises Malformed (`sdjwt.size`, `sdjwt.form`), Unsupported (`sdjwt.json_form`).
    """
    if len(wire) > MAX_BYTES:
        raise Malformed("sdjwt.size", f"The credential is larger than {MAX_BYTES} bytes.")
    try:
        raw = wire if isinstance(wire, bytes) else wire.encode("ascii")
    except UnicodeEncodeError:
        raise Malformed("sdjwt.form", "The credential holds characters that no SD-JWT can hold.") from None
    if raw.startswith(b"{"):
        raise Unsupported("sdjwt.json_form", "SD-JWTs in JSON serialization are not supported.")
    token, *texts = raw.split(b"~")
    if not texts:
        raise Malformed("sdjwt.form", "The credential is not an SD-JWT: it has no `~`.")
    key_binding = texts.pop()
    return Wire(token, texts, key_binding, raw[: len(raw) - len(key_binding)])


def refuse_key_binding(wire: Wire) -> None:
    """Return when there is none: an issuer sends none (RFC 9901 §7.2). Raises Malformed (`sdjwt.kb_on_issuance`)."""
    if wire.key_binding:
        raise Malformed("sdjwt.kb_on_issuance", "An issued credential carries a key binding, which only holders make.")


def joined(token: str, texts: Iterable[bytes]) -> str:
    """A token and its disclosures, the last tilde included."""
    return token + b"~".join((b"", *texts, b"")).decode("ascii")


def chosen(unpacked: Unpacked, texts: list[bytes], disclose: Disclosure) -> Iterable[bytes]:
    """The disclosures that the wanted claims need: theirs, those they stand in, and those inside them.

    Raises Refused (`sdjwt.no_such_claim`), Malformed (`path.*`).
    """
    wanted = []
    for path in disclose.paths:
        found = select(unpacked.claims, path, closed=unpacked.closed)
        if not found:
            raise Refused("sdjwt.no_such_claim", "The credential does not have a claim that was to be shown.")
        wanted += found
    shown = set(shown_by(unpacked.places.values(), wanted))
    return [text for text, digest in zip(texts, unpacked.digests, strict=True) if unpacked.places[digest] in shown]
