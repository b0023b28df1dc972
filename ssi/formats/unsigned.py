"""Unsigned: what is said of a credential whose issuer's signature does not hold?"""

from __future__ import annotations

from ssi.errors import Refused, SsiError, Unavailable
from ssi.model import Check, Finding, Outcome

_ABOUT_THE_ISSUER = "did.webvh_"


def finding(cause: SsiError) -> Finding:
    """UNKNOWN where the key could not be had now, else FAIL; a DID whose log is not whole is told as such."""
    if isinstance(cause, Unavailable):
        return Finding(Check.SIGNATURE, Outcome.UNKNOWN, cause.code, "The issuer's key could not be looked up now.")
    sentence = "The credential is not signed by its issuer's key."
    if isinstance(cause, Refused) and cause.code.startswith(_ABOUT_THE_ISSUER):
        sentence = f"The issuer's key is not known. {cause.detail}"
    return Finding(Check.SIGNATURE, Outcome.FAIL, cause.code, sentence)
