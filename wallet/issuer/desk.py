"""The desk's counter: an application, a comparison, a decision with its reasons.

Pictures are arguments of `apply` and nothing else: they reach the matcher and are gone when it answers. What an
applicant typed stays only as long as it is needed: until ten minutes after the credential was issued (so that a lost
answer can be repeated), one hour after a refusal (so that another photo can be tried), two weeks after a wallet was
promised what a colleague must release, or `keep_approved` after an approval that nobody makes use of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, insert, select

from biometrics.errors import BiometricsError
from biometrics.matcher import FaceMatcher, MatchDecision, Reason
from service.store import reading, writing
from ssi.encoding import Json, seconds
from ssi.errors import Malformed, Refused, Unavailable
from wallet.issuer import codes
from wallet.issuer.person import Person
from wallet.issuer.store import APPLICATIONS, sweep

KEEP_DECLINED: Final = timedelta(hours=1)
KEEP_HELD: Final = timedelta(days=14)
MAX_SELFIES: Final = 5
MAX_PICTURE: Final = 10 * 1024 * 1024
_LISTED: Final = 200


@dataclass(frozen=True)
class Application:
    """One application as the desk knows it. `person` is None once their data has been erased."""

    id: str
    created_at: datetime
    decision: str
    reasons: tuple[dict[str, Json], ...]
    person: Person | None
    evidence: dict[str, Json] | None
    erase_at: datetime

    @property
    def approved(self) -> bool:
        """Did the faces match?"""
        return self.decision == "approved"


@dataclass(frozen=True)
class Desk:
    """Takes applications, decides, and remembers what it may."""

    store: Engine
    matcher: FaceMatcher
    keep_approved: timedelta
    random: codes.Random

    def apply(self, person: Person, *, portrait: bytes, selfies: Sequence[bytes], now: datetime) -> Application:
        """Compare the portrait with the selfies and record the decision; the pictures are not kept.

        Raises Malformed (`application.pictures`, `image.*`) for what is no usable picture, Unavailable.
        """
        _check_pictures(portrait, selfies)
        try:
            decision = self.matcher.compare(portrait, selfies)
        except BiometricsError as error:
            raise _translated(error) from None
        return self._record(person, decision, now=now)

    def _record(self, person: Person, decision: MatchDecision, *, now: datetime) -> Application:
        made = Application(
            id=codes.reference(self.random),
            created_at=now,
            decision="approved" if decision.accepted else "declined",
            reasons=tuple(_reason(reason) for reason in decision.reasons),
            person=person,
            evidence=dict(decision.evidence.claims(at=now)) if decision.accepted else None,
            erase_at=now + (self.keep_approved if decision.accepted else KEEP_DECLINED),
        )
        with writing(self.store) as connection:
            sweep(connection, now=seconds(now))
            connection.execute(
                insert(APPLICATIONS).values(
                    id=made.id,
                    created_at=seconds(now),
                    decision=made.decision,
                    reasons=list(made.reasons),
                    evidence=made.evidence,
                    subject=person.json,
                    erase_at=seconds(made.erase_at),
                )
            )
        return made

    def application(self, application_id: str) -> Application:
        """One application. Raises Refused (`application.unknown`)."""
        with reading(self.store) as connection:
            found = select(APPLICATIONS).where(APPLICATIONS.c.id == application_id)
            row = connection.execute(found).mappings().first()
        if row is None:
            raise Refused("application.unknown", "There is no such application.")
        return read_application(row)

    def applications(self) -> tuple[Application, ...]:
        """The latest applications, newest first."""
        with reading(self.store) as connection:
            latest = select(APPLICATIONS).order_by(APPLICATIONS.c.created_at.desc(), APPLICATIONS.c.id).limit(_LISTED)
            return tuple(read_application(row) for row in connection.execute(latest).mappings())

    def sweep(self, *, now: datetime) -> int:
        """Erase personal data past its time; returns how many applications lost theirs."""
        with writing(self.store) as connection:
            return sweep(connection, now=seconds(now))


def read_application(row: Mapping[Any, Any]) -> Application:
    """An application from its row."""
    return Application(
        id=row["id"],
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        decision=row["decision"],
        reasons=tuple(row["reasons"]),
        person=None if row["subject"] is None else Person.from_json(row["subject"]),
        evidence=row["evidence"],
        erase_at=datetime.fromtimestamp(row["erase_at"], UTC),
    )


def _check_pictures(portrait: bytes, selfies: Sequence[bytes]) -> None:
    if not portrait:
        raise Malformed("application.pictures", "Add the portrait from the document.")
    if not 1 <= len(selfies) <= MAX_SELFIES or not all(selfies):
        raise Malformed("application.pictures", f"Add one to {MAX_SELFIES} photos of the person at the desk.")
    if any(len(picture) > MAX_PICTURE for picture in (portrait, *selfies)):
        raise Malformed("application.pictures", "A picture is larger than 10 MB. Send a smaller copy of it.")


def _translated(error: BiometricsError) -> Malformed | Unavailable:
    """A picture that cannot be read is the sender's to mend; missing models are ours."""
    if error.code.startswith("image."):
        return Malformed(error.code, error.detail)
    return Unavailable(error.code, error.detail)


def _reason(reason: Reason) -> dict[str, Json]:
    return {"code": reason.code, "detail": reason.detail, "where": reason.where, "frame": reason.frame}
