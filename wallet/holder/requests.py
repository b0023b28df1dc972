"""Requests under way: what was asked, and what has become of it? Kept sealed until it is answered or forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from ssi.encoding import Json, seconds
from ssi.errors import Refused
from wallet.holder.history import Who
from wallet.holder.vault import Record, Vault, changed

KIND: Final = "request"
LIFETIME: Final = timedelta(hours=1)
LEASE: Final = timedelta(seconds=20)
MAX_OPEN: Final = 30
_NOBODY: Final = Who("", "", verified=False)


class State(Enum):
    """Open until shared, declined, or refused by the asker."""

    OPEN = "open"
    SHARED = "shared"
    DECLINED = "declined"
    FAILED = "failed"


@dataclass(frozen=True)
class Page:
    """A page that asked through the browser (OpenID4VP 1.0 Appendix A): how, what, and from which origin."""

    protocol: str
    data: Json
    origin: str


@dataclass(frozen=True)
class Request:
    """A request as it came, and how it was answered. `event` is the id of its record in the history, once it has one.

    `token` is None when the link itself held the request. `redirect_uri` is where the asker wants the person to go on;
    `carried` says that the answer is in there, for the person's browser to take along. `page` is set instead of a link
    for what a page has asked through the browser, and `answer` is then what to hand to that page.
    """

    record: Record
    link: str
    token: str | None = field(repr=False)
    wallet_nonce: str | None
    page: Page | None = field(default=None, repr=False)
    state: State = State.OPEN
    who: Who = _NOBODY
    event: str = ""
    attempts: int = 0
    redirect_uri: str | None = None
    problem: tuple[str, str] | None = None
    busy_until: int = 0
    answer: Mapping[str, Json] | None = field(default=None, repr=False)
    carried: bool = False

    @property
    def id(self) -> str:
        """The record's id, which is the request's address."""
        return self.record.id


def fresh(
    vault: Vault,
    *,
    link: str = "",
    token: str | None = None,
    wallet_nonce: str | None = None,
    page: Page | None = None,
    now: datetime,
) -> Request:
    """A request as it came, not kept yet."""
    return Request(vault.new(KIND, {}, until=now + LIFETIME), link, token, wallet_nonce, page)


def begin(vault: Vault, request: Request) -> Request:
    """Keep a request that a person is about to look at; the oldest give way when somebody opens very many."""
    old = vault.all(KIND)[MAX_OPEN - 1 :]
    return read(vault.commit(as_record(request), remove=old)[0])


def get_request(vault: Vault, id: str, *, now: datetime) -> Request:
    """A request that is not forgotten yet. Raises Refused (`record.absent`)."""
    record = vault.get(KIND, id)
    if record.expires is not None and record.expires < seconds(now):
        raise Refused("record.absent", "This request is no longer open. Ask them for a new one.")
    return read(record)


def reserve(
    vault: Vault, request: Request, event: Record, *, who: Who, now: datetime, spent: Iterable[Record] = ()
) -> tuple[Request, Record]:
    """Take the request for one answer, together with its record in the history and the cards whose copies it uses.

    Raises Refused (`request.busy`) while another answer to it is on its way.
    """
    if request.busy_until > seconds(now):
        raise Refused("request.busy", "Your answer is on its way. Wait a moment, then look again.")
    taken = replace(
        request,
        busy_until=seconds(now + LEASE),
        attempts=request.attempts + 1,
        event=event.id,
        who=who,
        problem=None,
    )
    record, kept, *_ = vault.commit(as_record(taken), event, *spent)
    return read(record), kept


def as_record(request: Request) -> Record:
    """The request's record, for changes that are kept together with others."""
    data: dict[str, Json] = {
        "link": request.link,
        "token": request.token,
        "wallet_nonce": request.wallet_nonce,
        "state": request.state.value,
        "who": [request.who.name, request.who.address, request.who.verified],
        "event": request.event,
        "attempts": request.attempts,
        "redirect_uri": request.redirect_uri,
        "problem": None if request.problem is None else list(request.problem),
        "busy_until": request.busy_until,
        "page": None if request.page is None else [request.page.protocol, request.page.data, request.page.origin],
        "answer": request.answer,
        "carried": request.carried,
    }
    return changed(request.record, **data)


def read(record: Record) -> Request:
    """The request in a record."""
    data = record.data
    name, address, verified = data["who"]
    problem = data["problem"]
    return Request(
        record=record,
        link=data["link"],
        token=data["token"],
        wallet_nonce=data["wallet_nonce"],
        state=State(data["state"]),
        who=Who(name, address, verified),
        event=data["event"],
        attempts=data["attempts"],
        redirect_uri=data["redirect_uri"],
        problem=None if problem is None else (problem[0], problem[1]),
        busy_until=data["busy_until"],
        page=Page(*data["page"]) if data.get("page") else None,
        answer=data.get("answer"),
        carried=data.get("carried", False),
    )
