"""Issuance refused: the error codes of OpenID4VCI 1.0 stand with OAuth's in one table (`ssi.oauth.errors`)."""

from __future__ import annotations

from ssi.oauth.errors import STATUS, OAuthError, plain, read_error

__all__ = ["STATUS", "OAuthError", "plain", "read_error"]
