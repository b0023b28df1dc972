"""OAuth 2.0 as issuance uses it: how does a client get and use an access token? Both sides, no I/O."""

from __future__ import annotations

from ssi.oauth import clients, dpop, pkce
from ssi.oauth.authorization import AuthorizationQuery, Callback, PushedResponse, authorize_url, check
from ssi.oauth.clients import AttestedClient
from ssi.oauth.dpop import DpopProof
from ssi.oauth.errors import OAuthError, read_error
from ssi.oauth.server import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN, AuthorizationServer

__all__ = [
    "AUTHORIZATION_CODE",
    "PRE_AUTHORIZED_CODE",
    "REFRESH_TOKEN",
    "AttestedClient",
    "AuthorizationQuery",
    "AuthorizationServer",
    "Callback",
    "DpopProof",
    "OAuthError",
    "PushedResponse",
    "authorize_url",
    "check",
    "clients",
    "dpop",
    "pkce",
    "read_error",
]
