"""Names: what is a format called in front of people? A few plain words; pages use them where two cards look alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ssi.encoding import Json, read_json
from ssi.errors import Malformed
from ssi.model import Credential

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dc+sd-jwt": "SD-JWT credential",
        "vc+jwt": "W3C credential as JWT",
        "vc+sd-jwt": "W3C credential as SD-JWT",
        "vc+cose": "W3C credential as COSE",
        "jwt_vc_json": "W3C credential 1.1 as JWT",
        "ldp_vc": "W3C credential",
        "mso_mdoc": "Mobile document (mdoc)",
    }
)


_SUITES: Final[Mapping[str, str]] = MappingProxyType({"bbs-2023": "BBS"})
"""Proofs of which a person may want to know, because a showing under them is another thing."""


def name(format_id: str) -> str:
    """The name of the format with this identifier; the identifier itself where it has none.

    >>> name("mso_mdoc"), name("something-else")
    ('Mobile document (mdoc)', 'something-else')
    """
    return _NAMES.get(format_id, format_id)


def of(credential: Credential) -> str:
    """What the form of a credential is called: its format's name, and the kind of its proof where that matters.

    >>> of(Credential("ldp_vc", '{"proof": {"cryptosuite": "bbs-2023"}}')), of(Credential("ldp_vc", "{}"))
    ('W3C credential (BBS)', 'W3C credential')
    """
    known = name(credential.format)
    kinds = [_SUITES[suite] for suite in _suites(credential.wire) if suite in _SUITES]
    return f"{known} ({', '.join(dict.fromkeys(kinds))})" if kinds else known


def _suites(wire: str) -> list[str]:
    """The cryptosuites of the proofs in a document; none where the wire is no such document."""
    if not wire.startswith("{"):
        return []
    try:
        document = read_json(wire, what="credential")
    except Malformed:
        return []
    proof: Json = document.get("proof", [])
    proofs = proof if isinstance(proof, list) else [proof]
    return [str(one.get("cryptosuite")) for one in proofs if isinstance(one, Mapping)]
