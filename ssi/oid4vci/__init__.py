"""OpenID for Verifiable Credential Issuance 1.0: the messages between a wallet and an issuer, both sides, no I/O."""

from __future__ import annotations

from ssi.oid4vci import proof
from ssi.oid4vci.credential import CredentialRequest, CredentialResponse, NonceResponse
from ssi.oid4vci.errors import OAuthError, read_error
from ssi.oid4vci.metadata import AuthorizationServer, ClaimDescription, Configuration, Display, IssuerMetadata
from ssi.oid4vci.offer import (
    PRE_AUTHORIZED_CODE,
    CredentialOffer,
    OfferReference,
    PreAuthorized,
    TxCode,
    offer_link,
    parse_offer,
    read_offer,
)
from ssi.oid4vci.token import TokenRequest, TokenResponse
from ssi.oid4vci.urls import authorization_server_url, issuer_url, metadata_url, web_url

__all__ = [
    "PRE_AUTHORIZED_CODE",
    "AuthorizationServer",
    "ClaimDescription",
    "Configuration",
    "CredentialOffer",
    "CredentialRequest",
    "CredentialResponse",
    "Display",
    "IssuerMetadata",
    "NonceResponse",
    "OAuthError",
    "OfferReference",
    "PreAuthorized",
    "TokenRequest",
    "TokenResponse",
    "TxCode",
    "authorization_server_url",
    "issuer_url",
    "metadata_url",
    "offer_link",
    "parse_offer",
    "proof",
    "read_error",
    "read_offer",
    "web_url",
]
