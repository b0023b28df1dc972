"""What methods resolve from, which version is asked for, and what comes of it (DID Resolution)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from ssi.dids.document import DidDocument
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.fetch import Fetch
from ssi.keys import PublicKey
from ssi.ledger.ledger import NO_LEDGERS, Ledgers


@dataclass(frozen=True)
class Sources:
    """Where methods look: the web, the ledgers that this service knows, and what peers told it.

    `peers`: long forms of did:peer that were received once, by their short forms.
    """

    fetch: Fetch
    ledgers: Ledgers = NO_LEDGERS
    peers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """Which version of a document is asked for, in one way at most (DID Resolution, "DID Resolution Options")."""

    id: str | None = None
    time: datetime | None = None
    number: int | None = None


CURRENT: Final = Version()
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


@dataclass(frozen=True)
class Resolved:
    """A document, its metadata (DID Resolution, "DID Document Metadata"), and what was checked on a ledger for it."""

    document: DidDocument
    metadata: Mapping[str, Json] = field(default_factory=dict)
    evidence: Mapping[str, Json] = field(default_factory=dict)

    @property
    def deactivated(self) -> bool:
        """Has the DID been given up? Then none of its keys may be relied on, whatever the document lists."""
        return self.metadata.get("deactivated") is True

    @property
    def since(self) -> datetime | None:
        """When this version came to be, as its method says ("updated", else "created"); None when it does not say."""
        for name in ("updated", "created"):
            said = self.metadata.get(name)
            if isinstance(said, str):
                return moment(said)
        return None

    def key(self, url: str, *, relationship: str, now: datetime) -> PublicKey:
        """The key that `url` names. Raises like `DidDocument.key`, and Refused (`did.deactivated`)."""
        if self.deactivated:
            raise Refused("did.deactivated", "The DID has been deactivated: its keys are no longer in use.")
        return self.document.key(url, relationship=relationship, now=now)


def moment(text: str) -> datetime:
    """A time of DID Resolution ("Datetime"): UTC, whole seconds.

    >>> moment("2020-12-20T19:17:47Z").isoformat()
    '2020-12-20T19:17:47+00:00'

    Raises Malformed (`did.time`).
    """
    try:
        return datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
    except ValueError:
        raise Malformed("did.time", "The time is not written like 2020-12-20T19:17:47Z.") from None


def written(at: datetime) -> str:
    """The same in words: UTC, whole seconds.

    >>> written(datetime(2020, 12, 20, 19, 17, 47, tzinfo=UTC))
    '2020-12-20T19:17:47Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def only_current(version: Version) -> None:
    """For methods whose documents have no past. Raises Unsupported (`did.version`) for any but the present."""
    if version != CURRENT:
        raise Unsupported("did.version", "DIDs of this method have no older versions that could be asked for.")
