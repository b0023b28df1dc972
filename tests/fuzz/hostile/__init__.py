"""Hostile inputs: what would somebody send who wants a reader to work for long, or to fill its memory?

By target of `tests.fuzz.targets`. Most are signed as an issuer of ill will would sign them, so that nothing is refused
just because a signature is false. `salt` makes each round's inputs new, so that nothing is remembered of the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.fuzz.hostile import binary, disclosures, linked, others, tokens
from tests.fuzz.hostile.making import MEGABYTE, Named
from tests.fuzz.targets import Target

__all__ = ["Zoo"]


@dataclass(frozen=True)
class Zoo:
    """Inputs of one round."""

    salt: int

    def of(self, target: Target) -> Iterator[Named]:
        """All that is tried on a target."""
        for number, seed in enumerate(target.seeds()):
            for name, data in _changed(seed):
                yield f"{name}-{number}", data
        yield from _shapes()
        for prefix, make in _MAKERS.items():
            if target.name.startswith(prefix):
                yield from make(self.salt, target.name)


def _changed(seed: bytes) -> Iterator[Named]:
    for share in (1, 25, 50, 75, 99):
        yield f"cut-{share}", seed[: len(seed) * share // 100]
    yield "twice", seed * 2
    yield "megabyte-after", seed + b"A" * MEGABYTE
    yield "megabyte-before", b" " * MEGABYTE + seed
    middle = len(seed) // 2
    yield "megabyte-within", seed[:middle] + b"A" * (MEGABYTE - len(seed)) + seed[middle:]


def _shapes() -> Iterator[Named]:
    yield from (
        ("nested-arrays", b"[" * 500_000),
        ("nested-objects", b'{"a":' * 200_000),
        ("nested-32", b"[" * 32 + b"]" * 32),
        ("closed-arrays", b"[" + b"[]," * 300_000 + b"[]]"),
        ("closed-arrays-at-limit", b"[" + b"[]," * 19_998 + b"[]]"),
        ("members", b"{" + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}"),
        ("numbers", b"[" + b"0," * 520_000 + b"0]"),
        ("digits", b"9" * 1_000_000),
        ("exponents", b"[" + b"1e308," * 150_000 + b"1]"),
        ("escapes", b'"' + b"\\u0000" * 170_000 + b'"'),
        ("spaces", b" " * MEGABYTE),
        ("tildes", b"~" * MEGABYTE),
        ("dots", b"." * MEGABYTE),
        ("letters", b"A" * MEGABYTE),
        ("too-large", b"A" * 3 * MEGABYTE),
        ("zeros", bytes(MEGABYTE)),
        ("base58", b"z" + b"1" * MEGABYTE),
        ("not-utf8", b"\xff" * MEGABYTE),
        ("percent", b"%41" * 350_000),
        ("query", b"openid4vp://?" + b"a=b&" * 250_000),
    )


def _both(salt: int, name: str) -> Iterator[Named]:
    yield from tokens.inputs(salt, name)
    yield from disclosures.inputs(salt, name)


_MAKERS: Mapping[str, Callable[[int, str], Iterator[Named]]] = {
    "ldp_vc": linked.inputs,
    "json-ld": linked.inputs,
    "vcdm": linked.inputs,
    "proofs": linked.inputs,
    "vc+jwt": tokens.inputs,
    "vc+cose": tokens.inputs,
    "jwt_vc_json": tokens.inputs,
    "vc+sd-jwt": _both,
    "dc+sd-jwt": disclosures.inputs,
    "cbor": binary.inputs,
    "cose-sign1": binary.inputs,
    "status-cwt": binary.inputs,
    "mso_mdoc": binary.documents,
    "schema": others.schemas,
    "bitstring-list": others.lists,
    "token-list": others.lists,
    "jwe": others.encrypted,
    "dcql": others.queries,
    "did": others.identifiers,
    "multikey": others.identifiers,
    "certificate": others.certificates,
}
"""Who makes inputs for the targets whose names begin so."""
