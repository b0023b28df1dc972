"""Who is at the desk? A clerk with the desk token, once per shift by form, or a program with it in each request.

Wrong tokens are counted for each address, and more of them get a shorter answer. The token has 256 bits, so this only
keeps logs quiet: the right one is always let in, for behind a proxy everybody has the same address.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from flask import Request, Response
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.cookies import SealedCookie
from service.store import reading, writing
from ssi.encoding import seconds
from ssi.errors import Refused
from wallet.issuer import codes
from wallet.issuer.store import FAILURES

SHIFT: Final = timedelta(hours=8)
MAX_FAILURES: Final = 5
WINDOW: Final = timedelta(minutes=1)
_WRONG: Final = "That is not the desk token. It stands in the file that set-up made."


@dataclass(frozen=True)
class Gate:
    """Lets clerks and programs in."""

    store: Engine
    cookie: SealedCookie
    desk_token: str = field(repr=False)
    now: Callable[[], datetime]

    def admitted(self, request: Request) -> bool:
        """Does this request come with a session, or with the desk token?

        Raises Refused (`desk.token`) for a wrong token, `desk.throttled` after too many.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self.check(token.strip(), source=request.remote_addr or "")
            return True
        session = self.cookie.get(request, now=self.now())
        return session is not None and session.get("desk") == self._mark()

    def check(self, token: str, *, source: str) -> None:
        """Return when `token` is the desk token. Raises Refused (`desk.token`, `desk.throttled`)."""
        if codes.same(token, self.desk_token):  # first: strangers behind the same proxy must not lock the desk
            return
        now = seconds(self.now())
        if self._failures(source, now) >= MAX_FAILURES:
            raise Refused("desk.throttled", "Too many wrong tokens. Wait a minute, then try again.")
        self._count(source, now)
        raise Refused("desk.token", _WRONG)

    def enter(self, response: Response) -> None:
        """Begin a clerk's shift."""
        self.cookie.put(response, {"desk": self._mark()}, now=self.now())

    def leave(self, response: Response) -> None:
        """End it."""
        self.cookie.drop(response)

    def _mark(self) -> str:
        """What a session holds of the token: sessions end when the token is changed."""
        return codes.hashed(f"facet desk session {self.desk_token}")

    def _failures(self, source: str, now: int) -> int:
        query = select(FAILURES.c.count).where(
            FAILURES.c.source == codes.hashed(source), FAILURES.c.since > now - int(WINDOW.total_seconds())
        )
        with reading(self.store) as connection:
            return int(connection.execute(query).scalar() or 0)

    def _count(self, source: str, now: int) -> None:
        key = codes.hashed(source)
        with suppress(IntegrityError), writing(self.store) as connection:  # two first failures at once: one counts
            connection.execute(delete(FAILURES).where(FAILURES.c.since <= now - int(WINDOW.total_seconds())))
            counted = update(FAILURES).where(FAILURES.c.source == key).values(count=FAILURES.c.count + 1)
            if connection.execute(counted).rowcount == 0:
                connection.execute(insert(FAILURES).values(source=key, since=now, count=1))
