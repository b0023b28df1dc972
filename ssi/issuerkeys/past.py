"""The past of a DID: which key did it have once, and since when no longer?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ssi.dids import Resolved
from ssi.errors import Unsupported
from ssi.keys import PublicKey


def retired(
    versions: Sequence[Resolved], url: str, *, relationship: str, now: datetime
) -> tuple[PublicKey, datetime] | None:
    """A key that a DID's earlier versions allow and its present one does not, and since when it does not.

    `versions`: all of them, the oldest first. None where the key was never there; where it is there now; where nobody
    can tell when it went; and where the name was given twice (to two keys, or to one that went and came back): what was
    signed in between cannot then be told from what was signed before. Raises Unsupported (`did.key_type`).
    """
    listed = [version.document.relationships.get(relationship, ()) for version in versions]
    allowed = [number for number, urls in enumerate(listed) if url in urls]
    found = [versions[number].document.methods.get(url) for number in allowed]
    if not allowed or allowed != list(range(allowed[0], allowed[-1] + 1)):
        return None
    method = found[-1]
    if method is None or any(each is None or each.key != method.key for each in found):
        return None
    ends: list[datetime | None] = [method.until] if method.until is not None and method.until <= now else []
    if versions[-1].deactivated:
        ends.append(versions[-1].since)
    if allowed[-1] + 1 < len(versions):
        ends.append(versions[allowed[-1] + 1].since)
    told = [end for end in ends if end is not None]
    if not told or len(told) != len(ends):
        return None
    if method.key is None:
        raise Unsupported("did.key_type", "The DID's key is of a type this service does not accept.")
    return method.key, min(told)
