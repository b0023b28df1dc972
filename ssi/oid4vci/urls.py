"""Which URLs may an issuance message name, and where is an issuer's metadata found?"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from ssi.encoding import Json
from ssi.errors import Malformed

MAX_URL = 2048


def web_url(value: Json, *, what: str) -> str:
    """An absolute https URL without user name or fragment, returned as it was.

    Plain http is read for loopback hosts only; whether it is ever fetched is the fetcher's policy.
    Raises Malformed (`oid4vci.url`).
    """
    _split(value, what=what)
    return str(value)


def issuer_url(value: Json, *, what: str = "credential issuer") -> str:
    """A Credential Issuer Identifier (OpenID4VCI 1.0 §12.2.1): a web URL without query, compared byte by byte.

    Raises Malformed (`oid4vci.url`).
    """
    if _split(value, what=what).query or "?" in value:
        raise Malformed("oid4vci.url", f"The {what} is not an issuer's address: it has a query.")
    return str(value)


def metadata_url(issuer: str) -> str:
    """Where an issuer publishes its metadata (OpenID4VCI 1.0 §12.2.2): a trailing slash of its path stays.

    >>> metadata_url("https://issuer.example/tenant")
    'https://issuer.example/.well-known/openid-credential-issuer/tenant'
    """
    return _inserted(issuer, "openid-credential-issuer", strip=False)


def authorization_server_url(issuer: str) -> str:
    """Where an authorization server publishes its metadata (RFC 8414 §3.1): a trailing slash goes.

    >>> authorization_server_url("https://as.example/tenant/")
    'https://as.example/.well-known/oauth-authorization-server/tenant'
    """
    return _inserted(issuer, "oauth-authorization-server", strip=True)


def _inserted(issuer: str, name: str, *, strip: bool) -> str:
    parts = _split(issuer, what="credential issuer")
    path = parts.path.rstrip("/") if strip else parts.path
    return urlunsplit((parts.scheme, parts.netloc, f"/.well-known/{name}{path}", "", ""))


def _split(value: Json, *, what: str) -> SplitResult:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > MAX_URL:
        raise Malformed("oid4vci.url", f"The {what} is not a web address.")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Malformed("oid4vci.url", f"The {what} is not a web address.") from None
    if not host or " " in value or "\\" in value or "@" in parts.netloc or "#" in value:
        raise Malformed("oid4vci.url", f"The {what} is not a plain web address.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise Malformed("oid4vci.url", f"The {what} does not use https.")
    return parts


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
