"""What of a proof is signed together with the document: its options, as canonical RDF under the document's contexts.

A proof's options hardly differ from one proof to the next, and reading them as JSON-LD costs as much as a small
document. So their canonical form is worked out once for each shape of options, with marks where the values go, and
the values are put in from then on. Whatever is not plain takes the long way, which gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from ssi import jsonld
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.suites import naming
from ssi.suites.options import PURPOSES

Hash = Literal["sha256", "sha384"]

_LITERALS: Final = frozenset(("created", "expires", "challenge", "domain", "nonce"))
_IRIS: Final = frozenset(("id", "verificationMethod", "previousProof"))
_FIXED: Final = frozenset(("type", "cryptosuite"))
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]{1,256}").fullmatch  # what N-Quads writes as it is
_IRI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,15}:(?://)?)[A-Za-z0-9._~:/?#@!$&'()*+,;=-]{1,512}").fullmatch

Shape = tuple[tuple[str, str], ...]
"""The names of the options, each with the part of its value that decides how JSON-LD reads it."""


def canonical_options(
    document: Mapping[str, Json],
    options: Mapping[str, Json],
    *,
    hash: Hash = "sha256",  # noqa: A002  (RDFC-1.0's word)
) -> bytes:
    """A proof's options as canonical N-Quads ("Proof Configuration" of each suite): all but its value.

    Raises Malformed (`suite.context`, `jsonld.*`).
    """
    contexts = document.get("@context")
    if contexts is None or options.get("@context", contexts) != contexts:
        raise Malformed("suite.context", "The document has no contexts, or its proof has others than it.")
    shape = _shape(options)
    if shape is not None and (known := _names(contexts)) is not None and (marked := _marked(known, shape)) is not None:
        return "".join([options[piece] if place % 2 else piece for place, piece in enumerate(marked)]).encode()
    naming.check({**options, "@context": contexts})
    return the_long_way(contexts, options, hash=hash)


def the_long_way(contexts: Json, options: Mapping[str, Json], *, hash: Hash = "sha256") -> bytes:  # noqa: A002  (as above)
    """The same through JSON-LD and RDFC-1.0. Raises Malformed (`jsonld.*`)."""
    return jsonld.canonical({**options, "@context": contexts}, hash=hash)


def _names(contexts: Json) -> tuple[str, ...] | None:
    """The contexts when all are known by name only: others are too many to remember."""
    listed = contexts if isinstance(contexts, list) else [contexts]
    return tuple(listed) if all(isinstance(context, str) for context in listed) else None


def _shape(options: Mapping[str, Json]) -> Shape | None:
    """The shape of plain options, None for any other."""
    shape = []
    for name, value in options.items():
        if not isinstance(value, str):
            return None
        if name in _IRIS:
            if (iri := _IRI(value)) is None:
                return None
            shape.append((name, iri[1]))
        elif name in _LITERALS and _PLAIN(value):
            shape.append((name, ""))
        elif name in _FIXED or (name == "proofPurpose" and value in PURPOSES):
            shape.append((name, value))
        else:
            return None
    return tuple(shape)


@lru_cache(maxsize=256)
def _marked(contexts: tuple[str, ...], shape: Shape) -> tuple[str, ...] | None:
    """Canonical N-Quads in pieces: text and, between two of them, the name of the option that goes there.

    None where a value is not simply written into its place. Raises Malformed (`jsonld.*`).
    """
    marks = {name: f"{start}mark-of-{name}" for name, start in shape if name in _IRIS | _LITERALS}
    text = the_long_way(list(contexts), dict(shape) | marks).decode()
    if "_:" in text.replace("\n_:c14n0 <", "\n<").removeprefix("_:c14n0 "):
        return None  # more than the one node
    for name, mark in marks.items():
        written = f"<{mark}>" if name in _IRIS else f'> "{mark}"'
        expected = text.count("\n") if name == "id" else 1
        if text.count(mark) != expected or text.count(written) != expected:
            return None
        text = text.replace(mark, f"\0{name}\0")
    return tuple(text.split("\0"))
