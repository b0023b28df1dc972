"""Trusted authorities: was a credential's issuer certified by one that the asker names (OpenID4VP 1.0 §6.1.1)?

This only spares the holder an answer that would be refused; trust itself is judged by `ssi.trust`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from cryptography import x509

from ssi.dcql.query import Authorities
from ssi.encoding import b64url
from ssi.model import Issuer

Certified = Callable[[str, str, Issuer], bool]
"""Does the authority of this kind ("etsi_tl", "openid_federation") and name certify the issuer?"""


def nobody(kind: str, value: str, issuer: Issuer) -> bool:
    """Whoever has no trusted list and no federation knows of nobody that they certify."""
    return False


def certified_by_any(authorities: Sequence[Authorities], issuer: Issuer, *, certified: Certified = nobody) -> bool:
    """Does at least one entry match, or is none asked for? `aki` is judged here, other kinds by `certified`."""
    return not authorities or any(_matches(entry, issuer, certified) for entry in authorities)


def _matches(entry: Authorities, issuer: Issuer, certified: Certified) -> bool:
    if entry.type != "aki":
        return any(certified(entry.type, value, issuer) for value in entry.values)
    return any(_authority_key_id(der) in entry.values for der in issuer.x5c)


@lru_cache(maxsize=256)
def _authority_key_id(der: bytes) -> str | None:
    """The certificate's AuthorityKeyIdentifier (RFC 5280 §4.2.1.1) as base64url; None when it has none."""
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        found = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return None
    return None if found is None else b64url(found)
