"""Verdicts on an mdoc: is it whole, signed by its issuer, untouched, and within its time (ISO/IEC 18013-5 §9.3.1)?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from ssi.cose import sign1
from ssi.cose.cbor import Cbor
from ssi.errors import SsiError, Unavailable
from ssi.formats.mdoc import items
from ssi.formats.mdoc.elements import MDL
from ssi.formats.mdoc.items import MIN_SALT
from ssi.formats.mdoc.mso import Mso
from ssi.formats.mdoc.wire import Issued
from ssi.formats.registered import LEEWAY
from ssi.model import Check, Finding, Issuer, KeyResolver, Outcome
from ssi.trust import iaca, x509

READ: Final = Finding(Check.FORMAT, Outcome.PASS, "mdoc.read", "The credential can be read and is complete.")
BOUND: Final = Finding(
    Check.HOLDER_BINDING,
    Outcome.NOT_ASKED,
    "mdoc.bound",
    "The credential is bound to a key; its possession is proven when the credential is shown.",
)
_BROKEN: Final = MappingProxyType(
    {
        "mdoc.digest": "An element is not as the issuer signed it.",
        "mdoc.digest_missing": "An element is not among those that the issuer signed.",
    }
)
_PLACES: Final = ("issuing_country", "issuing_jurisdiction")
_IN_FORCE: Final = Finding(
    Check.VALIDITY, Outcome.PASS, "mdoc.in_force", "The credential is within its time of validity."
)


def form(issued: Issued, *, doc_type: str, status: int) -> Finding:
    """Does it keep the rules of form that reading it does not depend on?

    FAIL `mdoc.status`, `mdoc.doctype` (§9.3.1 step 4), `mdoc.salt`, `mdoc.digest_repeated` (§9.1.2.5).
    """
    if status != 0:
        return _no(Check.FORMAT, "mdoc.status", "The presentation says of itself that something went wrong.")
    if doc_type != issued.mso.doc_type:
        return _no(Check.FORMAT, "mdoc.doctype", "The document is not of the type that its issuer signed.")
    if issued.items and min([len(item.salt) for item in issued.items]) < MIN_SALT:
        return _no(Check.FORMAT, "mdoc.salt", "An element is not salted enough to keep what is hidden hidden.")
    if len({(item.namespace, item.digest_id) for item in issued.items}) != len(issued.items):
        return _no(Check.FORMAT, "mdoc.digest_repeated", "Two elements share one digest.")
    return READ


def signature(issued: Issued, issuer: Issuer, *, keys: KeyResolver, now: datetime) -> Finding:
    """Did the issuer sign this, each element included (§9.3.1 steps 2 and 3)?

    FAIL `mdoc.digest`, `mdoc.digest_missing`, `mdoc.issuing_place`, or what kept the signature from holding; UNKNOWN
    without the key.
    """
    broken = items.problem(issued.items, issued.mso.digests, algorithm=issued.mso.algorithm)
    if broken is not None:
        return _no(Check.SIGNATURE, broken, _BROKEN[broken])
    alg = issued.auth.alg
    try:
        found = keys.issuer_key(issuer, alg=alg, now=now)
        sign1.verify(issued.auth, found.key)
        in_place = placed({item.element: item.value for item in issued.items if item.namespace == MDL}, issuer)
    except Unavailable as cause:
        return Finding(Check.SIGNATURE, Outcome.UNKNOWN, cause.code, "The issuer's key could not be looked up now.")
    except SsiError as cause:
        return _no(Check.SIGNATURE, cause.code, "The credential is not signed by its issuer's key.")
    if not in_place:
        detail = "The document names another country or state than its issuer's certificate."
        return _no(Check.SIGNATURE, "mdoc.issuing_place", detail)
    evidence = {"alg": alg, "method": found.method}
    return Finding(Check.SIGNATURE, Outcome.PASS, "mdoc.signed", "The credential is signed by its issuer.", evidence)


def placed(licence: Mapping[str, Cbor], issuer: Issuer) -> bool:
    """Do a licence's issuing country and jurisdiction, where shown, agree with the certificate's subject (§9.3.3)?

    A certificate without a state says nothing of it. Raises Malformed (`trust.certificate`).
    """
    if not issuer.x5c or licence.keys().isdisjoint(_PLACES):
        return True
    country, state = iaca.place(issuer.x5c)
    jurisdiction = licence.get("issuing_jurisdiction", state)
    return licence.get("issuing_country", country) == country and (
        state is None or jurisdiction in (state, f"{country}-{state}")
    )


def validity(mso: Mso, issuer: Issuer, *, now: datetime) -> Finding:
    """Is it within its time, and was it signed within its certificate's (§9.3.1 step 5, §9.1.2.4)?

    FAIL `mdoc.expired`, `mdoc.not_yet_valid`, `mdoc.issued_in_future`, `mdoc.validity_order`,
    `mdoc.signed_outside_certificate`.
    """
    if mso.valid_from < mso.signed or mso.valid_until <= mso.valid_from:
        return _no(Check.VALIDITY, "mdoc.validity_order", "The credential's times contradict each other.")
    if now > mso.valid_until:
        return _no(Check.VALIDITY, "mdoc.expired", "The credential has expired.")
    if mso.signed > now + LEEWAY:
        return _no(Check.VALIDITY, "mdoc.issued_in_future", "The credential says that it was issued in the future.")
    if mso.valid_from > now + LEEWAY:
        return _no(Check.VALIDITY, "mdoc.not_yet_valid", "The credential is not valid yet.")
    if issuer.x5c and not within_certificate(issuer, mso.signed):
        detail = "The credential was signed when its issuer's certificate was not valid."
        return _no(Check.VALIDITY, "mdoc.signed_outside_certificate", detail)
    return _IN_FORCE


def within_certificate(issuer: Issuer, moment: datetime) -> bool:
    """Was the issuer's certificate valid then? One that cannot be read is for the signature's finding."""
    try:
        leaf = x509.leaf(issuer.x5c)
    except SsiError:
        return True
    return leaf.not_before <= moment <= leaf.not_after


def _no(check: Check, code: str, detail: str) -> Finding:
    return Finding(check, Outcome.FAIL, code, detail)
