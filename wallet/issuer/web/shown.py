"""What the desk's pages and its API show: plain data about applications, offers and credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from ssi.encoding import Json
from wallet.issuer import kinds
from wallet.issuer.desk import Application
from wallet.issuer.offers import OfferState
from wallet.issuer.records import Record

OFFER_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "waiting": ("wait", "Waiting for the wallet", "Let the person scan the code with their wallet."),
    "opened": ("wait", "The wallet has opened the offer", "Now tell the person the six-digit code."),
    "redeemed": ("wait", "The code was right", "The credential is on its way to the wallet."),
    "held": (
        "wait",
        "Waiting to be released",
        "The wallet waits for the card. A colleague releases or refuses it.",
    ),
    "released": ("wait", "Released", "The wallet gets the card when it asks again."),
    "refused": ("bad", "Refused", "Nothing was issued, and the applicant's data will be erased."),
    "accepted": ("good", "The credential is in the wallet", "You are done. The applicant's data will be erased."),
    "expired": ("unknown", "The offer has expired", "Nothing was issued. Make a new offer when the person is ready."),
    "blocked": ("bad", "Too many wrong codes", "The offer is void. Make a new one and repeat the code."),
    "replaced": ("unknown", "This offer was replaced", "A newer offer takes its place."),
    "ended": ("bad", "This desk's identity was given up", "Nothing was issued, and nothing will be any more."),
}
"""How an offer stands: the kind of badge, a headline, and what to do next."""

_APPLICATION_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "declined": ("bad", "Declined"),
    "approved": ("good", "Ready to offer"),
    "waiting": ("wait", "Offer is waiting"),
    "opened": ("wait", "Offer opened"),
    "redeemed": ("wait", "Being issued"),
    "held": ("wait", "To be released"),
    "released": ("wait", "Released"),
    "refused": ("bad", "Refused"),
    "accepted": ("good", "Issued"),
    "expired": ("unknown", "Offer expired"),
    "blocked": ("unknown", "Offer blocked"),
    "replaced": ("unknown", "Offer replaced"),
    "ended": ("bad", "Desk's identity given up"),
    "erased": ("plain", "Closed, data erased"),
}
WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "code": ("Code in the wallet", "They scan the offer and type six digits into their wallet."),
    "sign-in": ("Sign in here", "Their wallet opens our sign-in page; they type the reference and six digits there."),
}
"""How a person gets to an offer: a name and a line of explanation."""
EVENTS: Final[Mapping[str, str]] = {
    "credential_accepted": "Stored",
    "credential_failure": "Could not be stored",
    "credential_deleted": "The person did not want it",
}
"""What a wallet says became of the card, in words."""
CREDENTIAL_KINDS: Final[Mapping[str, str]] = {
    "valid": "good",
    "suspended": "unknown",
    "revoked": "bad",
    "expired": "plain",
}


def application_state(application: Application, offer: OfferState | None) -> str:
    """One word for where an application stands."""
    if not application.approved:
        return "declined"
    if offer is not None and (offer.word == "accepted" or not offer.final):
        return offer.word
    if application.person is None:
        return "erased"
    return "approved" if offer is None else offer.word


def badge(state: str) -> tuple[str, str]:
    """Kind and text of an application's badge."""
    return _APPLICATION_WORDS[state]


def application(found: Application, offer: OfferState | None, record: Record | None) -> dict[str, Json]:
    """One application, for its page and for programs."""
    return {
        "id": found.id,
        "created_at": found.created_at.isoformat(),
        "decision": found.decision,
        "state": application_state(found, offer),
        "reasons": list(found.reasons),
        "evidence": found.evidence,
        "person": None if found.person is None else found.person.json,
        "erase_at": None if found.person is None else found.erase_at.isoformat(),
        "offer": None if offer is None else offer_state(offer),
        "credential_id": None if record is None else record.id,
    }


def offer_state(offer: OfferState) -> dict[str, Json]:
    """How an offer stands, in words."""
    kind, title, text = OFFER_WORDS[offer.word]
    return {
        "state": offer.word,
        "final": offer.final,
        "kind": kind,
        "title": title,
        "text": text,
        "expires_at": offer.expires_at.isoformat(),
        "type": offer.configuration_id,
        "types": list(offer.configuration_ids),
        "way": offer.way,
        "held": offer.held,
    }


def applications(found: Sequence[Application], offers: Mapping[str, OfferState]) -> dict[str, Json]:
    """The list of applications: names only while they are kept."""
    rows = []
    for each in found:
        person = each.person
        rows.append(
            {
                "id": each.id,
                "created_at": each.created_at.isoformat(),
                "decision": each.decision,
                "state": application_state(each, offers.get(each.id)),
                "name": None if person is None else f"{person.given_name} {person.family_name}",
            }
        )
    return {"applications": rows}


def credentials(found: Sequence[Record], *, now: datetime) -> dict[str, Json]:
    """The list of issued credentials."""
    return {"credentials": [record.json(now=now) for record in found]}


def form(kind_id: str) -> str:
    """What clerks call a form of the card.

    >>> form("VerifiedPersonMdoc")
    'Mobile document (mdoc)'
    """
    kind = kinds.by_id(kind_id)
    return kind_id if kind is None else kind.title


def moment(text: str | None) -> str:
    """An ISO time as people read it.

    >>> moment("2026-11-20T12:05:00+00:00")
    '20 Nov 2026, 12:05 UTC'
    """
    return "" if text is None else datetime.fromisoformat(text).strftime("%d %b %Y, %H:%M UTC").lstrip("0")
