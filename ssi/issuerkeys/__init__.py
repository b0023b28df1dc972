"""Issuer keys: which key did this issuer or holder sign with?

What the credential says decides, in one fixed order (SD-JWT VC, "Issuer Verification Key Discovery and Validation"): a
certificate chain; else a DID; else the JWT VC Issuer Metadata of an `iss` URL. Whether that issuer is to be trusted is
`ssi.trust`'s question.
"""

from __future__ import annotations

from ssi.issuerkeys.metadata import KeySet
from ssi.issuerkeys.resolver import KEEP, RETRY, Keys

__all__ = ["KEEP", "RETRY", "KeySet", "Keys"]
