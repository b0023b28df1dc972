"""The sentences people read: what a state means and what to do next. Pages and the API use the same ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from ssi.model import Check, ClaimPath, Finding, Outcome


class State(Enum):
    """Where a request stands. The last five are final."""

    CREATED = "created"
    SCANNED = "scanned"
    RECEIVED = "received"
    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    COULD_NOT_CHECK = "could_not_check"
    DECLINED = "declined"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Will nothing more happen?"""
        return self not in {State.CREATED, State.SCANNED, State.RECEIVED}

    @property
    def judged(self) -> bool:
        """Is there a verdict with findings?"""
        return self in {State.VERIFIED, State.NOT_VERIFIED, State.COULD_NOT_CHECK}


@dataclass(frozen=True)
class Words:
    """A state as a page says it: the picture beside the word (a kind of the page's verdict box), title, sentence."""

    kind: str
    title: str
    sentence: str


STATES: Mapping[State, Words] = MappingProxyType(
    {
        State.CREATED: Words("wait", "Waiting", "Nobody has scanned the code yet."),
        State.SCANNED: Words("wait", "Scanned", "A wallet has opened the request. Waiting for the person to answer."),
        State.RECEIVED: Words("wait", "Received", "The answer is here and is being checked."),
        State.VERIFIED: Words("good", "Verified", "Everything that this request needs was checked, and it holds."),
        State.NOT_VERIFIED: Words("bad", "Not verified", "A check failed. Do not rely on this answer."),
        State.COULD_NOT_CHECK: Words(
            "unknown",
            "Could not check",
            "Something needed could not be checked now. This is neither a yes nor a no: ask again with a new request.",
        ),
        State.DECLINED: Words(
            "unknown", "Declined", "The person chose not to share, or has no card that answers. Nothing was sent."
        ),
        State.EXPIRED: Words("unknown", "Expired", "No answer came in time, and none can come any more."),
    }
)

BY_LINK: Mapping[State, Words] = MappingProxyType(
    {
        State.CREATED: Words("wait", "Waiting", "Nobody has opened the link yet."),
        State.SCANNED: Words("wait", "Opened", STATES[State.SCANNED].sentence),
    }
)
"""The words where there is no code to scan, because the answer comes back to the browser that opened the link."""

AWAITING_RETURN = Words("wait", "Received", "The wallet has answered. It will now bring you back to this browser.")
NEVER_RETURNED = Words(
    "unknown",
    "Expired",
    "An answer came, but the wallet did not come back to the browser in which this began, so it was not used.",
)

WAYS: tuple[tuple[str, str], ...] = (
    ("direct_post.jwt", "By code or link, encrypted"),
    ("direct_post", "By code or link, not encrypted to us"),
    ("dc_api.jwt", "By this browser's own wallet, encrypted"),
    ("dc_api", "By this browser's own wallet, not encrypted to us"),
    ("fragment", "Only by a wallet in this browser, in its address"),
)
"""How an answer may come (a response mode), as a page says it; the first is what is best in general."""

CHECKS: Mapping[Check, str] = MappingProxyType(
    {
        Check.FORMAT: "Readable",
        Check.TYPE: "Kind of credential",
        Check.SIGNATURE: "Issuer's signature",
        Check.HOLDER_BINDING: "Sent by its holder, for this request",
        Check.VALIDITY: "In date",
        Check.STATUS: "Not withdrawn",
        Check.TRUST: "Issuer is trusted",
        Check.LEDGER: "On record",
        Check.SCHEMA: "Claims as described",
        Check.PRESENCE: "Person present",
        Check.RULE: "Answers the request",
    }
)
"""What each check is called on a page."""

OUTCOMES: Mapping[Outcome, tuple[str, str]] = MappingProxyType(
    {
        Outcome.PASS: ("good", "Passed"),
        Outcome.FAIL: ("bad", "Failed"),
        Outcome.UNKNOWN: ("unknown", "Could not check"),
        Outcome.NOT_ASKED: ("plain", "Not asked"),
    }
)
"""The badge of each outcome: its kind, and the word that carries the meaning."""

_ADVICE: Mapping[State, tuple[Outcome, str]] = MappingProxyType(
    {
        State.NOT_VERIFIED: (Outcome.FAIL, "Do not rely on this answer."),
        State.COULD_NOT_CHECK: (Outcome.UNKNOWN, "This is neither a yes nor a no: ask again with a new request."),
    }
)


def because(state: State, findings: Sequence[Finding]) -> Words:
    """The words for a judged state, with the first reason that the findings give for it."""
    plain = STATES[state]
    if state not in _ADVICE:
        return plain
    outcome, advice = _ADVICE[state]
    reason = next((finding.detail for finding in findings if finding.outcome is outcome), None)
    return plain if reason is None else Words(plain.kind, plain.title, f"{reason} {advice}")


_CLAIMS: Mapping[str, str] = MappingProxyType(
    {
        "given_name": "Given name",
        "family_name": "Family name",
        "birthdate": "Date of birth",
        "nationalities": "Nationalities",
        "document": "Document",
        "document.type": "Kind of document",
        "document.number": "Document number",
        "document.issuing_country": "Issued in",
        "document.issuing_authority": "Issued by",
        "document.expiry_date": "Document valid until",
        "biometric_evidence": "Face check at issuance",
        "birth_date": "Date of birth",
        "nationality": "Nationality",
        "portrait": "Portrait",
        "image": "Picture",
        "document_number": "Document number",
        "issuing_country": "Issued in",
        "issuing_authority": "Issued by",
        "issue_date": "Issued on",
        "expiry_date": "Valid until",
        "terms_of_use": "Terms of use",
        "id": "Identifier",
    }
)


_HUMP: Final = re.compile(r"(?<=[a-z0-9])[A-Z](?=[a-z])")
"""Where a new word begins inside a name such as `verificationMethod`."""

_AGE: Final = re.compile(r"age_over_([0-9]{1,3})")


def claim_label(path: ClaimPath) -> str:
    """What a claim is called on a page.

    >>> claim_label(("document", "number")), claim_label(("shoe_size", None)), claim_label(("document", "issueDate"))
    ('Document number', 'Shoe size', 'Document: issue date')
    >>> claim_label(("familyName",)), claim_label(("age_over_25",)), claim_label(("evidence", 0, "padTested"))
    ('Family name', 'At least 25', 'Evidence: pad tested')
    """
    names = [_plain(part) for part in path if isinstance(part, str)]
    if not names:
        return "Claim"
    if age := _AGE.fullmatch(names[0]):
        return f"At least {int(age[1])}"
    for count in range(len(names), 0, -1):
        known = _CLAIMS.get(".".join(names[:count]))
        if known is not None:
            return ": ".join((known, *map(_spelt, names[count:])))
    text = ": ".join(map(_spelt, names))
    return text[:1].upper() + text[1:]


def _plain(name: str) -> str:
    return _HUMP.sub(lambda found: f"_{found[0].lower()}", name)


def _spelt(name: str) -> str:
    return name.replace("_", " ")


WALLET_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "invalid_request": "The wallet did not accept the request.",
        "invalid_client": "The wallet did not accept who asks.",
        "unauthorized_client": "The wallet did not accept who asks.",
        "invalid_scope": "The wallet does not know what is asked for.",
        "unsupported_response_type": "The wallet does not give the kind of answer that is asked for.",
        "vp_formats_not_supported": "The wallet holds no credential in a format that this service reads.",
        "invalid_request_uri_method": "The wallet could not fetch the request.",
        "invalid_request_uri": "The wallet could not fetch the request.",
        "invalid_request_object": "The wallet could not read the request.",
        "invalid_transaction_data": "The wallet cannot show or confirm this kind of transaction.",
        "wallet_unavailable": "The wallet is not available now.",
        "temporarily_unavailable": "The wallet is not available now.",
        "server_error": "Something went wrong in the wallet.",
    }
)
"""The error codes that a wallet may answer with (OpenID4VP 1.0 §8.5, RFC 6749 §4.1.2.1, RFC 9101 §7), except
access_denied, which is an answer."""


def wallet_error(code: str | None) -> str:
    """A wallet's error as a sentence; whatever it wrote itself is shown to nobody.

    >>> wallet_error("<b>odd")
    'The wallet answered with an error that this service does not know.'
    """
    return WALLET_ERRORS.get(code or "", "The wallet answered with an error that this service does not know.")
