"""What makers of hostile inputs share: names, and credentials about whatever the maker wants."""

from __future__ import annotations

from typing import Any

from ssi.dids import key as did_key
from tests.ssi import drafts

Named = tuple[str, bytes]
"""An input and what it is called."""

V2 = "https://www.w3.org/ns/credentials/v2"
MEGABYTE = 1_048_576


def credential(salt: int, *contexts: Any, subject: Any = None, **members: Any) -> dict[str, Any]:
    """A credential about whatever the maker wants, with any further contexts."""
    return {
        "@context": [V2, {"@vocab": f"urn:hostile:{salt}:"}, *contexts],
        "type": ["VerifiableCredential"],
        "issuer": did_key.from_public(drafts.ISSUER.public),
        "credentialSubject": subject if subject is not None else {"id": f"urn:uuid:{salt}"},
        **members,
    }


def nested(depth: int, end: Any) -> Any:
    """So many objects inside one another."""
    for _ in range(depth):
        end = {"within": end}
    return end
