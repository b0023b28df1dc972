"""Documents of the W3C VC Data Model for tests: right ones, and how to break them one member at a time."""

from __future__ import annotations

import copy
from typing import Any

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
GONE = object()
"""Put in place of a value: the member is taken away."""


def credential(**changes: Any) -> dict[str, Any]:
    """A VCDM 2.0 credential with these members changed; `context` stands for `@context`."""
    return changed(
        {
            "@context": [V2],
            "id": "urn:uuid:7a5d4b1e-21bc-4a8e-9e7b-0a0d9a3f5c11",
            "type": ["VerifiableCredential"],
            "issuer": "did:example:issuer",
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2027-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:subject", "name": "Erika"},
        },
        changes,
    )


def credential_1(**changes: Any) -> dict[str, Any]:
    """A VCDM 1.1 credential."""
    return changed(
        {
            "@context": [V1],
            "type": ["VerifiableCredential"],
            "issuer": "did:example:issuer",
            "issuanceDate": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:subject"},
        },
        changes,
    )


def presentation(**changes: Any) -> dict[str, Any]:
    """A VCDM 2.0 presentation of one credential."""
    return changed(
        {
            "@context": [V2],
            "type": ["VerifiablePresentation"],
            "holder": "did:example:subject",
            "verifiableCredential": [credential()],
        },
        changes,
    )


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with members replaced or, by GONE, removed."""
    merged = {**copy.deepcopy(document), **{"@context" if k == "context" else k: v for k, v in changes.items()}}
    return {name: value for name, value in merged.items() if value is not GONE}
