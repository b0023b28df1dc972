"""Drafts: is this a request from before OpenID4VP 1.0, and from which draft?

Drafts differ in what is signed and how it is answered; guessing would be worse than saying so. A request that is
complete by 1.0 is read as 1.0 even with a leftover beside it, for unknown parameters must be ignored (§5).
"""

from __future__ import annotations

from collections.abc import Mapping

from ssi.encoding import Json
from ssi.errors import SsiError, Unsupported

_PARAMETERS = (
    ("client_metadata_uri", "draft 20 or older"),
    ("client_id_scheme", "draft 21 or older"),
    ("presentation_definition", "draft 25 or older"),
    ("presentation_definition_uri", "draft 25 or older"),
    ("verifier_attestations", "draft 26, 27 or 28"),
)
_METADATA = (
    ("vp_formats", "draft 26 or older"),
    ("authorization_encrypted_response_alg", "draft 25 or older"),
    ("authorization_encrypted_response_enc", "draft 27 or older"),
)
_CLIENT_IDS = (
    ("did:", "draft 25 or older"),
    ("https:", "draft 25 or older"),
    ("x509_san_uri:", "draft 24 or older"),
)


def version(parameters: Mapping[str, Json]) -> str | None:
    """Which draft these parameters follow by their oldest mark; None without any.

    >>> version({"client_id": "did:example:1", "presentation_definition": {}})
    'draft 25 or older'
    """
    for name, draft in _PARAMETERS:
        if name in parameters:
            return draft
    metadata, client_id = parameters.get("client_metadata"), parameters.get("client_id")
    for name, draft in _METADATA:
        if isinstance(metadata, Mapping) and name in metadata:
            return draft
    for start, draft in _CLIENT_IDS:
        if isinstance(client_id, str) and client_id.startswith(start):
            return draft
    return None


def refusal(parameters: Mapping[str, Json], otherwise: SsiError) -> SsiError:
    """The error to raise: `oid4vp.draft` with the draft's name where the parameters show one, else `otherwise`."""
    draft = version(parameters)
    if draft is None:
        return otherwise
    return Unsupported("oid4vp.draft", f"The request is made by {draft} of OpenID4VP; this wallet speaks version 1.0.")
