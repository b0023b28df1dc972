"""OpenID4VP 1.0, both sides, as messages without I/O: a verifier asks by signed request, a wallet answers by POST."""

from __future__ import annotations

from ssi.oid4vp.askers import PREFIXES, Asker, x509_hash_client_id
from ssi.oid4vp.links import RequestLink, parse_link, request_link
from ssi.oid4vp.parameters import DIRECT_POST, DIRECT_POST_JWT, RESPONSE_MODES, AuthorizationRequest
from ssi.oid4vp.requests import (
    REQUEST_MEDIA_TYPE,
    SignedRequest,
    open_request,
    read_request_form,
    request_form,
    sign_request,
)
from ssi.oid4vp.responses import (
    RESPONSE_MEDIA_TYPE,
    Response,
    challenge,
    decline,
    error_for,
    read_receipt,
    read_response,
    respond,
)

__all__ = [
    "DIRECT_POST",
    "DIRECT_POST_JWT",
    "PREFIXES",
    "REQUEST_MEDIA_TYPE",
    "RESPONSE_MEDIA_TYPE",
    "RESPONSE_MODES",
    "Asker",
    "AuthorizationRequest",
    "RequestLink",
    "Response",
    "SignedRequest",
    "challenge",
    "decline",
    "error_for",
    "open_request",
    "parse_link",
    "read_receipt",
    "read_request_form",
    "read_response",
    "request_form",
    "request_link",
    "respond",
    "sign_request",
    "x509_hash_client_id",
]
