"""Cards: which credentials does a person hold, and how do they stand today?

A card may be several copies of one credential; `credential`, `key`, `status_refs` and `valid_until` are those of the
copy that is shown next (`wallet.holder.copies`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ssi import formats
from ssi.encoding import Json, b64url, seconds, unb64url
from ssi.formats import names
from ssi.keys import PublicKey
from ssi.model import Check, ClaimPath, Credential, Finding, Format, Issuer, Opened, Outcome, StatusRef
from wallet.holder.claims import Labels, Line, lines, long_date
from wallet.holder.copies import Copy, Source, next_copy, read_copy, read_source, read_status, said, unused
from wallet.holder.vault import Record, Vault

KIND: Final = "card"
SOON: Final = timedelta(days=30)


@dataclass(frozen=True)
class Card:
    """A credential that was checked and kept, with what the wallet learnt about it then.

    `claims` were read from `credential` when its signature was checked; the vault vouches for both since. `status` is
    the last answer to "has it been withdrawn?", at `status_at`.
    """

    credential: Credential
    type: str
    name: str
    issuer: Issuer
    issuer_name: str
    key: PublicKey
    claims: Mapping[str, Json]
    disclosed: tuple[ClaimPath, ...]
    closed: tuple[ClaimPath, ...]
    labels: Labels
    added: int
    status_refs: tuple[StatusRef, ...] = ()
    valid_from: int | None = None
    valid_until: int | None = None
    status: Finding | None = None
    status_at: int | None = None
    copies: tuple[Copy, ...] = ()
    source: Source | None = None
    record: Record | None = None

    @property
    def id(self) -> str:
        """The record's id, which is the card's address."""
        return self.record.id if self.record else ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its claims in plain words."""
        return lines(
            self.claims,
            kind=self.kind,
            labels=self.labels,
            closed=frozenset(self.closed),
            disclosed=frozenset(self.disclosed),
        )

    @property
    def person(self) -> str:
        """Whose card it is, where it says a name."""
        said = {self.kind.within(line.path): line.value for line in self.lines}
        return " ".join(said[path] for path in (("given_name",), ("family_name",)) if path in said)

    @property
    def kind(self) -> Format:
        """Its format."""
        return formats.by_id(self.credential.format)

    @property
    def opened(self) -> Opened:
        """What a format says of it, for matching against requests."""
        return Opened(
            format=self.credential.format,
            type=self.type,
            issuer=self.issuer,
            claims=self.claims,
            findings=(),
            holder=self.key,
            statuses=self.status_refs,
            disclosed=self.disclosed,
            closed=frozenset(self.closed),
        )

    @property
    def stock(self) -> tuple[Copy, ...]:
        """All its copies; a card that was never batched is its only one."""
        return self.copies or (Copy(self.credential.wire, self.key, self.status_refs, self.valid_until),)

    @property
    def receipt(self) -> Mapping[str, Json] | None:
        """The receipt of the copy that is shown next: since when it is on a ledger; None without one."""
        return next((copy.receipt for copy in self.stock if copy.wire == self.credential.wire), None)

    @property
    def recorded(self) -> str:
        """Whether the copy that is shown next is on a ledger, in a sentence; "" where its issuer promised nothing."""
        if self.receipt is not None:
            at = datetime.fromtimestamp(self.receipt["anchored"]["at"], UTC)
            return f"Recorded on the ledger on {long_date(at.date())}."
        promised = any(copy.promise for copy in self.stock if copy.wire == self.credential.wire)
        return "Not yet recorded on the ledger." if promised else ""

    @property
    def unused(self) -> int:
        """How many copies nobody has seen yet."""
        return unused(self.stock)

    @property
    def recognisable(self) -> bool:
        """Would showing it show what others have seen already? Proofs of BBS are made anew each time."""
        return not self.unused and "(BBS)" not in names.of(self.credential)

    def standing(self, *, now: datetime) -> Standing:
        """How it stands: by its own dates, and by the last answer about its status."""
        moment = seconds(now)
        if self.status is not None and self.status.outcome is Outcome.FAIL:
            word = "Suspended" if self.status.code == "status.suspended" else "Withdrawn"
            return Standing("bad", word, self.status.detail)
        if self.valid_until is not None and self.valid_until <= moment:
            return Standing("bad", "Expired", "This card is past its last day. Ask its issuer for a new one.")
        if self.valid_from is not None and self.valid_from > moment:
            return Standing("wait", "Not valid yet", "This card becomes valid later.")
        if self.valid_until is not None and self.valid_until <= moment + SOON.total_seconds():
            return Standing("unknown", "Expires soon", "Ask its issuer for a new one in time.")
        if self.status is not None and self.status.outcome is Outcome.UNKNOWN:
            return Standing("unknown", "Status not known", "Whether it was withdrawn could not be asked the last time.")
        return Standing("good", "Valid", "")


@dataclass(frozen=True)
class Standing:
    """A badge: its kind (good, bad, wait, unknown), its word, and a sentence."""

    kind: str
    word: str
    detail: str

    @property
    def json(self) -> dict[str, Json]:
        """For pages and programs alike."""
        return {"kind": self.kind, "word": self.word, "detail": self.detail}


def all_cards(vault: Vault) -> tuple[Card, ...]:
    """The person's cards, newest first."""
    return tuple(read(record) for record in vault.all(KIND))


def get_card(vault: Vault, id: str) -> Card:
    """One card. Raises Refused (`record.absent`)."""
    return read(vault.get(KIND, id))


def fresh(vault: Vault, card: Card) -> Record:
    """A card as a record that does not exist yet."""
    return vault.new(KIND, _write(card))


def with_status(card: Card, status: Finding, *, now: datetime) -> Record:
    """The card's record with a new answer about its status, to be kept."""
    if card.record is None:
        raise ValueError("a card that was never kept has no status to renew")
    return replace(card.record, data=_write(replace(card, status=status, status_at=seconds(now))))


def with_stock(card: Card, copies: tuple[Copy, ...], source: Source | None) -> Record:
    """The card's record with other copies and another source, to be kept."""
    if card.record is None:
        raise ValueError("a card that was never kept has no stock to change")
    chosen = next_copy(copies)
    credential = replace(card.credential, wire=chosen.wire)
    changed = replace(
        card,
        credential=credential,
        key=chosen.key,
        status_refs=chosen.statuses,
        valid_until=chosen.valid_until,
        copies=copies,
        source=source,
    )
    return replace(card.record, data=_write(changed))


def restocked(card: Card, made: Card) -> tuple[Record, tuple[Copy, ...]]:
    """A card's record with the content and copies of what its issuer has just sent, and the old copies to forget.

    Unused copies stay where the issuer says what it said before; those that were shown go.
    """
    if card.record is None:
        raise ValueError("a card that was never kept has no stock to change")
    same, now = said(card.opened) == said(made.opened), made.added
    staying = tuple(copy for copy in card.stock if same and not copy.uses and (copy.valid_until or now + 1) > now)
    dropped = tuple(copy for copy in card.stock if copy not in staying)
    fresh = replace(made, copies=staying + made.copies, added=card.added, name=card.name)
    return with_stock(replace(fresh, record=card.record), fresh.copies, made.source), dropped


def spend(card: Card, *, now: datetime) -> Record:
    """The card's record after its next copy was shown: to be kept before anything leaves the wallet."""
    stock = card.stock
    shown = next_copy(stock)
    seen = replace(shown, uses=shown.uses + 1, used_at=seconds(now))
    return with_stock(card, tuple(seen if copy is shown else copy for copy in stock), card.source)


def finding_json(finding: Finding) -> dict[str, Json]:
    """A finding as pages, programs and sealed records have it."""
    return {
        "check": finding.check.value,
        "outcome": finding.outcome.value,
        "code": finding.code,
        "detail": finding.detail,
        "evidence": dict(finding.evidence),
    }


def read_finding(data: Mapping[str, Json]) -> Finding:
    """A finding from a sealed record."""
    return Finding(Check(data["check"]), Outcome(data["outcome"]), data["code"], data["detail"], data["evidence"])


def _write(card: Card) -> dict[str, Json]:
    return {
        "format": card.credential.format,
        "wire": card.credential.wire,
        "type": card.type,
        "name": card.name,
        "issuer": [card.issuer.id, card.issuer.kid, [b64url(der) for der in card.issuer.x5c]],
        "issuer_name": card.issuer_name,
        "key": dict(card.key.jwk),
        "claims": dict(card.claims),
        "disclosed": [list(path) for path in card.disclosed],
        "closed": [list(path) for path in card.closed],
        "labels": [[list(path), text] for path, text in card.labels.items()],
        "added": card.added,
        "status_refs": [list(astuple(one)) for one in card.status_refs],
        "valid_from": card.valid_from,
        "valid_until": card.valid_until,
        "status": None if card.status is None else finding_json(card.status),
        "status_at": card.status_at,
        "copies": [copy.json for copy in card.copies],
        "source": None if card.source is None else card.source.json,
    }


def read(record: Record) -> Card:
    """The card in a record."""
    data = record.data
    name, kid, chain = data["issuer"]
    copies = tuple(read_copy(one) for one in data.get("copies", []))
    return Card(
        credential=Credential(data["format"], data["wire"]),
        type=data["type"],
        name=data["name"],
        issuer=Issuer(name, kid, tuple(unb64url(der) for der in chain)),
        issuer_name=data["issuer_name"],
        key=PublicKey.from_jwk(data["key"]),
        claims=data["claims"],
        disclosed=_paths(data["disclosed"]),
        closed=_paths(data["closed"]),
        labels={tuple(path): text for path, text in data["labels"]},
        added=data["added"],
        status_refs=tuple(read_status(one) for one in _written_statuses(data)),
        valid_from=data["valid_from"],
        valid_until=data["valid_until"],
        status=None if data["status"] is None else read_finding(data["status"]),
        status_at=data["status_at"],
        copies=copies,
        source=read_source(data.get("source")),
        record=record,
    )


def _paths(lists: Iterable[list[str | int | None]]) -> tuple[ClaimPath, ...]:
    return tuple(tuple(path) for path in lists)


def _written_statuses(data: Mapping[str, Json]) -> list[list[Json]]:
    """The status entries of a record; records of the first release hold at most one, of four parts."""
    if "status_refs" in data:
        written: list[list[Json]] = data["status_refs"]
        return written
    return [] if data["status_ref"] is None else [[*data["status_ref"], 1, []]]
