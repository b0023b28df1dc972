"""Sessions: how does an unlocked vault stay unlocked between two requests, with nothing kept on the server?

The vault key travels in the person's own cookie, sealed with the service's key, so any replica can serve it and none
stores it. It dies by idleness, by age, and when the vault's epoch is raised: then a stolen copy is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flask import Request, Response

from service.cookies import SealedCookie
from ssi.encoding import Json, b64url, seconds, unb64url
from ssi.errors import Refused, SsiError
from wallet.holder.sealing import Key
from wallet.holder.servicekeys import ServiceKeys
from wallet.holder.vault import Vault

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)


@dataclass(frozen=True)
class Session:
    """What an unlocked cookie says: which vault, its key, in which epoch, since when, and when it was last used."""

    vault: str
    key: Key = field(repr=False)
    epoch: int
    started: int
    seen: int

    @staticmethod
    def begin(vault: Vault, *, now: datetime) -> Session:
        """A session of a vault that has just been opened."""
        return Session(vault.id, vault.key, vault.epoch, seconds(now), seconds(now))

    def ends(self) -> int:
        """When it dies if nothing more happens (seconds since 1970)."""
        return min(self.seen + int(IDLE.total_seconds()), self.started + int(ABSOLUTE.total_seconds()))


@dataclass(frozen=True)
class Sessions:
    """The session cookie of one wallet service. `name` and `secure` come from `ServiceSettings`."""

    keys: ServiceKeys
    name: str
    secure: bool

    def read(self, request: Request, *, now: datetime) -> Session:
        """The live session that a request carries. Raises Refused (`account.locked`) without saying why."""
        found = self._cookie(IDLE).get(request, now=now)
        if found is None:
            raise locked()
        try:
            session = Session(found["v"], Key(unb64url(found["k"])), found["e"], found["b"], found["s"])
            live = session.started <= session.seen <= seconds(now) + 60 and seconds(now) < session.ends()
        except (SsiError, KeyError, TypeError):
            raise locked() from None
        if not live:
            raise locked()
        return session

    def write(self, response: Response, session: Session, *, now: datetime) -> None:
        """Let the browser carry a session that was used just now."""
        used = replace(session, seen=seconds(now))
        content: dict[str, Json] = {
            "v": used.vault,
            "k": b64url(used.key.secret),
            "e": used.epoch,
            "b": used.started,
            "s": used.seen,
        }
        self._cookie(timedelta(seconds=used.ends() - used.seen)).put(response, content, now=now)

    def drop(self, response: Response) -> None:
        """Make the browser forget its session."""
        self._cookie(IDLE).drop(response)

    def _cookie(self, lifetime: timedelta) -> SealedCookie:
        return SealedCookie(self.name, [key.cookies.secret for key in self.keys.ring], lifetime, self.secure)


def locked() -> Refused:
    """The answer to whoever has no live session."""
    return Refused("account.locked", "Your wallet is locked. Unlock it to go on.")
