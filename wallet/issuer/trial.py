"""Trial: whom does a program get a card for when there is nobody at the desk (`--control`)?

A made-up person is entered as approved, without pictures, and the card says so in its evidence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, insert

from service.store import writing
from ssi.encoding import Json, seconds
from wallet.issuer import codes
from wallet.issuer.desk import Desk
from wallet.issuer.person import Person
from wallet.issuer.store import APPLICATIONS

PERSON: Final = Person(
    given_name="Erika",
    family_name="Mustermann",
    birthdate="1984-01-26",
    nationalities=("DE",),
    document_type="identity_card",
    document_number="T22000129",
    issuing_country="DE",
    issuing_authority="Nobody: a trial",
    document_expiry="2099-12-31",
)
EVIDENCE: Final[dict[str, Json]] = {"type": ["Evidence"], "verificationMethod": "none", "tier": "trial"}


def approve(store: Engine, desk: Desk, *, now: datetime) -> str:
    """Enter an application of the made-up person as approved; its reference."""
    reference = codes.reference(desk.random)
    with writing(store) as connection:
        connection.execute(
            insert(APPLICATIONS).values(
                id=reference,
                created_at=seconds(now),
                decision="approved",
                reasons=[],
                evidence=EVIDENCE,
                subject=PERSON.json,
                erase_at=seconds(now + desk.keep_approved),
            )
        )
    return reference
