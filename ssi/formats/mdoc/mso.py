"""The mobile security object: what did the issuer sign, of which elements, for whose key, and until when?

ISO/IEC 18013-5 §9.1.2.4. Its status is that of Token Status List §6.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from ssi.cose import keys
from ssi.cose.cbor import Cbor, Tag, decode_map, embed, encode_in_order, unembed
from ssi.errors import Malformed, Unsupported
from ssi.formats.mdoc.elements import TDATE
from ssi.formats.mdoc.items import SIZES, known_algorithm
from ssi.keys import PublicKey
from ssi.model import StatusRef

VERSION: Final = "1.0"
STATUS_LIST: Final = "token_status_list"
_VERSIONS: Final = re.compile(r"1\.[0-9]+")
_INTEGER: Final = frozenset((int,))
_BYTES: Final = frozenset((bytes,))
_TDATE_LENGTH: Final = 20
_TDATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True)
class Authorized:
    """What the holder's key may sign for itself: whole namespaces, and single elements (§9.1.2.4 KeyAuthorizations)."""

    namespaces: frozenset[str] = frozenset()
    elements: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def allows(self, namespace: str, element: str) -> bool:
        """May the holder's key sign this element?"""
        return namespace in self.namespaces or element in self.elements.get(namespace, ())


NOTHING: Final = Authorized()


@dataclass(frozen=True)
class Mso:
    """What the issuer signed, read. `digests` are by namespace and digest identifier."""

    doc_type: str
    algorithm: str
    digests: Mapping[str, Mapping[int, bytes]]
    device_key: PublicKey
    signed: datetime
    valid_from: datetime
    valid_until: datetime
    authorized: Authorized = NOTHING
    statuses: tuple[StatusRef, ...] = ()


def write(mso: Mso) -> bytes:
    """MobileSecurityObjectBytes, the payload for the issuer to sign. Raises Unsupported (`mdoc.status`, `key.type`)."""
    members: dict[str, Cbor] = {
        "version": VERSION,
        "digestAlgorithm": mso.algorithm,
        "valueDigests": mso.digests,
        "deviceKeyInfo": {"deviceKey": keys.write(mso.device_key)},
        "docType": mso.doc_type,
        "validityInfo": {
            "signed": _tdate(mso.signed),
            "validFrom": _tdate(mso.valid_from),
            "validUntil": _tdate(mso.valid_until),
        },
    }
    if mso.statuses:
        members["status"] = _write_status(mso.statuses)
    return embed(encode_in_order(members))


def read(payload: bytes) -> Mso:
    """Read a payload that is MobileSecurityObjectBytes.

    Raises Malformed (`mdoc.mso`, `mdoc.digests`, `mdoc.device_key`, `mdoc.date`, `mdoc.status`, `cbor.*`, `key.*`),
    Unsupported (`mdoc.version`, `mdoc.digest_algorithm`, `key.type`).
    """
    members = decode_map(unembed(payload, what="security object"), what="security object")
    if not isinstance(members.get("version"), str) or not _VERSIONS.fullmatch(members["version"]):
        raise Unsupported("mdoc.version", "The credential is of a version that is not known here.")
    doc_type = members.get("docType")
    if not isinstance(doc_type, str) or not doc_type:
        raise Malformed("mdoc.mso", "The credential does not say of what type it is.")
    algorithm = known_algorithm(members.get("digestAlgorithm"))
    key, authorized = _device_key(members.get("deviceKeyInfo"))
    times = _map(members, "validityInfo")
    return Mso(
        doc_type,
        algorithm,
        _digests(members.get("valueDigests"), SIZES[algorithm]),
        key,
        instant(times.get("signed")),
        instant(times.get("validFrom")),
        instant(times.get("validUntil")),
        authorized,
        _read_status(members) if "status" in members else (),
    )


def instant(value: Cbor) -> datetime:
    """A `tdate` as §9.1.2.4 wants it: tag 0, in UTC as `Z`, whole seconds. Raises Malformed (`mdoc.date`)."""
    text = value.value if isinstance(value, Tag) and value.tag == TDATE else None
    moment = _read_tdate(text) if isinstance(text, str) and len(text) == _TDATE_LENGTH else None
    if moment is None:
        raise Malformed("mdoc.date", "A date of the credential is missing, or is not a date and time in UTC.")
    return moment


@lru_cache(maxsize=1024)
def _read_tdate(text: str) -> datetime | None:
    """The same few moments come again and again."""
    if not _TDATE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _tdate(moment: datetime) -> Tag:
    return Tag(TDATE, moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z")


def _map(members: Mapping[Any, Cbor], name: str) -> Mapping[Any, Cbor]:
    value = members.get(name)
    if not isinstance(value, dict):
        raise Malformed("mdoc.mso", "A part of the credential's security object is missing.")
    return value


def _digests(value: Cbor, size: int) -> Mapping[str, Mapping[int, bytes]]:
    """`valueDigests`: at least one namespace, each with digests of the algorithm's size."""
    if not isinstance(value, dict) or not value or not all(_numbered(entries, size) for entries in value.values()):
        raise Malformed("mdoc.digests", "The credential's digests are not of the form that ISO/IEC 18013-5 gives them.")
    if not all(isinstance(namespace, str) for namespace in value):
        raise Malformed("mdoc.digests", "The credential's digests are not sorted into namespaces.")
    return value


def _numbered(entries: Cbor, size: int) -> bool:
    """Digests of one size by whole numbers from 0, at least one."""
    if not isinstance(entries, dict) or set(map(type, entries)) != _INTEGER or min(entries) < 0:
        return False
    return set(map(type, entries.values())) == _BYTES and set(map(len, entries.values())) == {size}


def _device_key(value: Cbor) -> tuple[PublicKey, Authorized]:
    if not isinstance(value, dict) or "deviceKey" not in value:
        raise Malformed("mdoc.device_key", "The credential is bound to no key.")
    authorized = value.get("keyAuthorizations")
    return keys.read(value["deviceKey"]), NOTHING if authorized is None else _authorized(authorized)


def _authorized(value: Cbor) -> Authorized:
    """§9.1.2.4: what a whole namespace allows is not listed once more by element."""
    if isinstance(value, dict):
        whole, single = value.get("nameSpaces", []), value.get("dataElements", {})
        if _texts(whole) and isinstance(single, dict) and all(_texts(each) for each in single.values()):
            if not set(whole).isdisjoint(single):
                raise Malformed("mdoc.authorizations", "What the holder's key may sign is said twice.")
            return Authorized(frozenset(whole), {name: frozenset(each) for name, each in single.items()})
    raise Malformed("mdoc.authorizations", "What the holder's key may sign is not said in the right form.")


def _texts(value: Cbor) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _write_status(statuses: tuple[StatusRef, ...]) -> dict[str, Cbor]:
    if len(statuses) != 1 or statuses[0].kind != STATUS_LIST:
        raise Unsupported("mdoc.status", "The status mechanism is not one that this format can name.")
    return {"status_list": {"idx": statuses[0].index, "uri": statuses[0].uri}}


def _read_status(members: Mapping[Any, Cbor]) -> tuple[StatusRef, ...]:
    """Where the status stands. A mechanism unknown here keeps its name, so that nobody takes it for "no status"."""
    named = members["status"]
    if not isinstance(named, dict) or not named or not all(isinstance(name, str) for name in named):
        raise Malformed("mdoc.status", "The credential's status is not a map that names a mechanism.")
    if "status_list" not in named:
        return (StatusRef(next(iter(named)), "", 0),)
    entry = named["status_list"]
    uri, index = (entry.get("uri"), entry.get("idx")) if isinstance(entry, dict) else (None, None)
    if not isinstance(uri, str) or not uri or type(index) is not int or index < 0:
        raise Malformed("mdoc.status", "The credential's status list entry has no address or no index.")
    return (StatusRef(STATUS_LIST, uri, index),)
