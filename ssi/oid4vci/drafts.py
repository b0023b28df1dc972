"""Drafts: does this peer speak an OpenID4VCI from before 1.0, and which?

Drafts differ in what is asked and how it is answered; to guess would end in a broken flow. A message that is complete
by 1.0 is read as 1.0 even with a leftover beside it, for unknown parameters must be ignored (§4.1.1, §8.2, §12.2.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json
from ssi.errors import Unsupported
from ssi.oid4vci.errors import OAuthError

_TO_12: Final = "draft 12 or older"
_TO_13: Final = "draft 13 or older"
_TO_14: Final = "draft 14 or older"
_TO_15: Final = "draft 15 or older"
_BEFORE_METADATA: Final = ("display", "claims", "order", "credentialSubject")
"""What stood in a configuration itself before `credential_metadata` was made for it."""


def of_offer(members: Mapping[str, Json]) -> str | None:
    """Which draft made this Credential Offer; None for 1.0.

    >>> of_offer({"credential_issuer": "https://a.example", "credentials": ["Person"]})
    'draft 12 or older'
    """
    if "credential_configuration_ids" not in members and "credentials" in members:
        return _TO_12
    grants = members.get("grants")
    for grant in grants.values() if isinstance(grants, Mapping) else ():
        if isinstance(grant, Mapping) and grant.get("user_pin_required") is True and "tx_code" not in grant:
            return _TO_12
    return None


def of_metadata(members: Mapping[str, Json]) -> str | None:
    """Which draft this Credential Issuer Metadata follows; None for 1.0."""
    if "credential_configurations_supported" not in members:
        return _TO_12 if "credentials_supported" in members else None
    configurations = members["credential_configurations_supported"]
    every = configurations.values() if isinstance(configurations, Mapping) else ()
    entries = [entry for entry in every if isinstance(entry, Mapping)]
    if not entries or any("credential_metadata" in entry for entry in entries):
        return None
    if "batch_credential_endpoint" in members:
        return _TO_13
    if all(entry.get("format") == "vc+sd-jwt" for entry in entries):
        return _TO_14
    return _TO_15 if any(name in entry for entry in entries for name in _BEFORE_METADATA) else None


def of_credential_request(members: Mapping[str, Json]) -> str | None:
    """Which draft made this Credential Request; None for 1.0.

    >>> of_credential_request({"format": "jwt_vc_json", "proof": {"proof_type": "jwt", "jwt": "a.b.c"}})
    'draft 14 or older'
    """
    named = "credential_configuration_id" in members or "credential_identifier" in members
    if not named and "format" in members:
        return _TO_14
    if "proof" in members and "proofs" not in members:
        return _TO_15
    proofs = members.get("proofs")
    return _TO_15 if isinstance(proofs, Mapping) and set(proofs) == {"ldp_vp"} else None


def of_credential_response(members: Mapping[str, Json]) -> str | None:
    """Which draft made this Credential Response; None for 1.0."""
    if "credential" in members and "credentials" not in members:
        return _TO_14
    credentials = members.get("credentials")
    plain = isinstance(credentials, list) and bool(credentials) and all(isinstance(one, str) for one in credentials)
    return _TO_14 if plain else None


def of_token_request(members: Mapping[str, str]) -> str | None:
    """Which draft made this token request with a pre-authorized code; None for 1.0."""
    return _TO_12 if "user_pin" in members and "tx_code" not in members else None


def refuse_offer(members: Mapping[str, Json]) -> None:
    """Raises Unsupported (`oid4vci.draft`) for an offer of a draft."""
    _refuse(of_offer(members), "The credential offer")


def refuse_metadata(members: Mapping[str, Json]) -> None:
    """Raises Unsupported (`oid4vci.draft`) for metadata of a draft."""
    _refuse(of_metadata(members), "The issuer's metadata")


def refuse_credential_response(members: Mapping[str, Json]) -> None:
    """Raises Unsupported (`oid4vci.draft`) for a credential response of a draft."""
    _refuse(of_credential_response(members), "The issuer's response")


def refuse_credential_request(members: Mapping[str, Json]) -> None:
    """Raises OAuthError for a request of a draft, and names the draft.

    The code is invalid_credential_request, or invalid_proof where a request of 1.0 lacks its proofs only (§8.3.1.2).
    """
    draft = of_credential_request(members)
    if draft is not None:
        error = "invalid_credential_request" if draft == _TO_14 else "invalid_proof"
        raise OAuthError(error, f"The request is made by {draft} of OpenID4VCI; this issuer speaks version 1.0.")


def _refuse(draft: str | None, what: str) -> None:
    if draft is not None:
        raise Unsupported("oid4vci.draft", f"{what} is made by {draft} of OpenID4VCI; this wallet speaks version 1.0.")
