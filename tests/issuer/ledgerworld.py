"""A desk with the embedded ledger, founded as `facet-issuer bootstrap` does it, in one process."""

from __future__ import annotations

from atexit import register
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import Any

from service.bootstrap import bootstrap
from ssi.encoding import b64url, unb64url
from ssi.formats import by_id
from ssi.ledger import merkle
from tests.issuer.world import BASE, START, World
from tests.support import InMemoryFetch
from wallet.issuer import founding
from wallet.issuer.anchoring import Anchoring, Turn
from wallet.issuer.office import Office, open_office
from wallet.issuer.settings import IssuerSettings, read_settings


@dataclass
class LedgerWorld(World):
    """One desk, its chain, and whoever asks for receipts."""

    def found(self, *, ago: timedelta = timedelta(0)) -> None:
        """Make the set-up, or mend it."""
        made = founding.founder(InMemoryFetch({}))
        bootstrap(self.folder, hosts=(), base_urls={"issuer": BASE}, now=self.clock.at - ago, found=made)

    @cached_property
    def settings(self) -> IssuerSettings:
        if self.clock.at == START and not self.folder.joinpath("issuer").exists():
            copytree(_template(), self.folder, dirs_exist_ok=True)
        else:
            self.found(ago=timedelta(hours=1))
        return self.read()

    def read(self) -> IssuerSettings:
        values = {"FACET_ISSUER_DATA": str(self.folder), "FACET_ISSUER_BASE_URL": BASE}
        options = {"ANCHOR_SECONDS": "3600", **self.options}  # the thread is not to be met by any test
        return read_settings({**values, **{f"FACET_ISSUER_{name}": value for name, value in options.items()}})

    @cached_property
    def office(self) -> Office:
        """The desk's parts, as another process has them."""
        return self.reopened()

    def reopened(self) -> Office:
        """The same after a start of its own."""
        from secrets import token_bytes

        return open_office(
            self.settings,
            matcher=self.matcher,
            fetch=InMemoryFetch({}),
            random=token_bytes,
            clock=lambda: int(self.clock().timestamp()),
        )

    @property
    def anchoring(self) -> Anchoring:
        assert self.office.anchoring is not None
        return self.office.anchoring

    def turn(self, *, close: bool = True) -> Turn:
        """One turn of anchoring."""
        return self.anchoring.turn(now=self.clock(), close=close)

    def promised(self) -> tuple[str, dict[str, str]]:
        """A credential and the promise beside it."""
        answer = self.credential(self.granted())
        assert answer.status_code == 200, answer.text
        (entry,) = answer.json["credentials"]
        return entry["credential"], entry["facet_anchor"]

    def asked(self, *entries: bytes) -> list[Any]:
        """What the desk answers to a wallet that asks for receipts."""
        answer = self.post("/ledger/receipts", json={"entries": [b64url(one) for one in entries]})
        assert answer.status_code == 200, answer.text
        return list(answer.json["receipts"])


@cache
def _template() -> Path:
    """A desk that was founded an hour before the usual start: to make it anew for each test takes a second."""
    folder = Path(mkdtemp(prefix="facet-desk-"))
    register(rmtree, folder, ignore_errors=True)
    LedgerWorld(folder).found(ago=timedelta(hours=1))
    return folder


def leaf(wire: str, promise: dict[str, str], *, kind: str = "dc+sd-jwt") -> bytes:
    """The leaf of a credential, as its wallet computes it."""
    core = by_id(kind).core(wire)
    assert core is not None
    return merkle.entry(unb64url(promise["salt"], what="salt"), core)
