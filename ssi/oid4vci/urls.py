"""Which URLs may an issuance message name, and where is an issuer's metadata found?"""

from __future__ import annotations

from ssi.oauth.urls import MAX_URL, authorization_server_url, issuer_url, web_url, well_known

__all__ = ["MAX_URL", "authorization_server_url", "issuer_url", "metadata_url", "web_url"]


def metadata_url(issuer: str) -> str:
    """Where an issuer publishes its metadata (OpenID4VCI 1.0 §12.2.2): a trailing slash of its path stays.

    >>> metadata_url("https://issuer.example/tenant")
    'https://issuer.example/.well-known/openid-credential-issuer/tenant'
    """
    return well_known(issuer, "openid-credential-issuer", strip=False)
