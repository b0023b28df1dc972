"""Which URLs may a message of issuance name, and where is a server's metadata found?"""

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
    """An issuer identifier (OpenID4VCI 1.0 §12.2.1, RFC 8414 §2): a web URL without query, compared byte by byte.

    Raises Malformed (`oid4vci.url`).
    """
    if _split(value, what=what).query or "?" in value:
        raise Malformed("oid4vci.url", f"The {what} is not an issuer's address: it has a query.")
    return str(value)


def authorization_server_url(issuer: str) -> str:
    """Where an authorization server publishes its metadata (RFC 8414 §3.1): a trailing slash goes.

    >>> authorization_server_url("https://as.example/tenant/")
    'https://as.example/.well-known/oauth-authorization-server/tenant'
    """
    return well_known(issuer, "oauth-authorization-server", strip=True)


def well_known(issuer: str, name: str, *, strip: bool) -> str:
    """The address with `/.well-known/<name>` between host and path; `strip` takes a trailing slash of the path away.

    >>> well_known("https://issuer.example/tenant/", "openid-credential-issuer", strip=False)
    'https://issuer.example/.well-known/openid-credential-issuer/tenant/'
    """
    parts = _split(issuer, what="credential issuer")
    path = parts.path.rstrip("/") if strip else parts.path
    return urlunsplit((parts.scheme, parts.netloc, f"/.well-known/{name}{path}", "", ""))


def is_loopback(host: str) -> bool:
    """Does this host name this machine?

    >>> is_loopback("127.0.0.1"), is_loopback("issuer.example")
    (True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise Malformed("oid4vci.url", f"The {what} does not use https.")
    return parts
