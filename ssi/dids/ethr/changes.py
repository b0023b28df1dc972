"""What a registry's events say: an owner, a delegate, a key, a service, or nothing that a document shows.

did:ethr method specification, "Enumerating Contract Events to build the DID Document". Names and values come from
whoever paid for the transaction. Names that are not UTF-8 are another use of the registry: such events are passed over
entirely, and neither counted nor a version. What else does not fit is counted, so that ids stay stable, and not shown.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from ssi.errors import Refused

MAX_EVENTS: Final = 16_384
MAX_VALUE: Final = 4_096
"""How many bytes a value may have that a document shows: keys and endpoints are smaller, and base58 takes its time."""

NOBODY: Final = "0x" + 40 * "0"
DELEGATES: Final = "delegate"
SERVICES: Final = "service"
_ATTRIBUTE: Final = re.compile(r"did/(pub|svc)/(\w+)(?:/(\w+))?(?:/(\w+))?", re.ASCII)
_COUNTERS: Final = {"did/pub/": DELEGATES, "did/svc/": SERVICES}


class Event(Protocol):
    """An event of the registry (`ssi.ledger.registry.RegistryEvent`)."""

    @property
    def name(self) -> str:
        """`DIDOwnerChanged`, `DIDDelegateChanged` or `DIDAttributeChanged`."""

    @property
    def block_number(self) -> int:
        """The block that it is in."""

    @property
    def at(self) -> int:
        """That block's time, in seconds since 1970."""

    @property
    def fields(self) -> object:
        """The event's fields, by their names in the contract."""


class Entry(NamedTuple):
    """What a document may show: a delegate's address, or a key or service with its name's parts and its value.

    `section` is "delegate", "pub" or "svc"; `algorithm` is the service's type, too; `purpose` is `veriKey`, `sigAuth`,
    `enc`, or something of the author's own.
    """

    section: str
    algorithm: str
    purpose: str | None
    encoding: str | None
    value: bytes


class Change(NamedTuple):
    """One event, read. `subject` says which earlier entry it replaces or takes away; `entry` is what it adds.

    `owner` is the new owner in a change of owner, else None. `counter` is the numbering that it belongs to.
    `until` is the last second for which it holds; 0 in a revocation of an attribute. `known` is whether its name is
    one that the specification gives a form to.
    """

    block: int
    at: int
    owner: str | None = None
    subject: Hashable = None
    entry: Entry | None = None
    counter: str | None = None
    until: int = 0
    known: bool = True


def read(events: Iterable[Event]) -> tuple[Change, ...]:
    """The events that concern documents, in the order of the chain.

    Raises Refused (`did.too_large`) for more than `MAX_EVENTS`.
    """
    found: list[Change] = []
    for place, event in enumerate(events):
        if place >= MAX_EVENTS:
            raise Refused("did.too_large", f"The DID has more than {MAX_EVENTS} changes on its ledger.")
        change = _READERS[event.name](event, event.fields)
        if change is not None:
            found.append(change)
    return tuple(found)


def _owner(event: Event, fields: Any) -> Change:
    return Change(event.block_number, event.at, owner=fields["owner"])


def _delegate(event: Event, fields: Any) -> Change | None:
    kind = text(fields["delegateType"])
    if kind is None:
        return None
    address = fields["delegate"]
    entry = Entry("delegate", "", kind, None, bytes.fromhex(address[2:])) if kind in ("veriKey", "sigAuth") else None
    return Change(event.block_number, event.at, None, ("delegate", kind, address), entry, DELEGATES, fields["validTo"])


def _attribute(event: Event, fields: Any) -> Change | None:
    name, value = text(fields["name"]), fields["value"]
    if name is None:
        return None
    parts = _parts(name)
    entry = None if parts is None else Entry(*parts, value)
    counter = _COUNTERS.get(name[:8])
    return Change(
        event.block_number, event.at, None, (name, value), entry, counter, fields["validTo"], parts is not None
    )


@lru_cache(maxsize=1024)
def _parts(name: str) -> tuple[str, str, str | None, str | None] | None:
    """Section, algorithm or type, purpose, encoding; None for names that a document does not show."""
    match = _ATTRIBUTE.fullmatch(name)
    return None if match is None else (match[1], match[2], match[3], match[4])


@lru_cache(maxsize=1024)
def text(name: bytes) -> str | None:
    """A name of 32 bytes as text, without the zeros at its end; None when it is not UTF-8."""
    try:
        return name.decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        return None


_READERS: Final = {
    "DIDOwnerChanged": _owner,
    "DIDDelegateChanged": _delegate,
    "DIDAttributeChanged": _attribute,
}
