"""OpenID for Verifiable Credential Issuance 1.0: the messages between a wallet and an issuer, both sides, no I/O."""

from __future__ import annotations

from ssi.oauth.server import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN, AuthorizationServer
from ssi.oid4vci import drafts, encryption, keyattestation, notification, proof, signed
from ssi.oid4vci.configurations import AttestationNeed, ClaimDescription, Configuration
from ssi.oid4vci.credential import CredentialRequest, CredentialResponse, NonceResponse
from ssi.oid4vci.deferred import DeferredRequest
from ssi.oid4vci.display import Display, Picture, in_language
from ssi.oid4vci.encryption import RequestPolicy, ResponseEncryption, ResponsePolicy
from ssi.oid4vci.errors import OAuthError, read_error
from ssi.oid4vci.keyattestation import KeyAttestation
from ssi.oid4vci.metadata import IssuerMetadata
from ssi.oid4vci.notification import Notification
from ssi.oid4vci.offer import (
    AuthorizationCode,
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
    "AUTHORIZATION_CODE",
    "PRE_AUTHORIZED_CODE",
    "REFRESH_TOKEN",
    "AttestationNeed",
    "AuthorizationCode",
    "AuthorizationServer",
    "ClaimDescription",
    "Configuration",
    "CredentialOffer",
    "CredentialRequest",
    "CredentialResponse",
    "DeferredRequest",
    "Display",
    "IssuerMetadata",
    "KeyAttestation",
    "NonceResponse",
    "Notification",
    "OAuthError",
    "OfferReference",
    "Picture",
    "PreAuthorized",
    "RequestPolicy",
    "ResponseEncryption",
    "ResponsePolicy",
    "TokenRequest",
    "TokenResponse",
    "TxCode",
    "authorization_server_url",
    "drafts",
    "encryption",
    "in_language",
    "issuer_url",
    "keyattestation",
    "metadata_url",
    "notification",
    "offer_link",
    "parse_offer",
    "proof",
    "read_error",
    "read_offer",
    "signed",
    "web_url",
]
