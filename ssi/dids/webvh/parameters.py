"""The parameters of a did:webvh: who may write the next entry, who must witness it (did:webvh 1.0, "Parameters").

Each entry names what it changes; what it does not name stays. A value that the specification does not allow refuses the
entry: nothing malformed is read as "none".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ssi.dids import multikey
from ssi.dids.webvh import place
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import EDDSA

METHOD: Final = "did:webvh:1.0"
MAX_KEYS: Final = 64
MAX_WITNESSES: Final = 64
TTL: Final = 3600
_MAX_TTL: Final = 2**31
_MAX_TEXT: Final = 2048
_WATCHER: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_KEY_DID: Final = "did:key:"


@dataclass(frozen=True)
class Witnesses:
    """Who must approve, and how many of them at least."""

    threshold: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Parameters:
    """The parameters as they stand after an entry. `witness` None: nobody need approve."""

    scid: str
    update_keys: tuple[str, ...] = ()
    next_key_hashes: tuple[str, ...] = ()
    witness: Witnesses | None = None
    watchers: tuple[str, ...] = ()
    portable: bool = False
    deactivated: bool = False
    ttl: int = TTL

    def after(self, changes: Mapping[str, Json]) -> Parameters:
        """The parameters after a later entry with these `changes`.

        Raises Malformed (`did.webvh_parameters`), Unsupported (`did.webvh_version`), Refused (`did.webvh_rotation`).
        """
        if "scid" in changes or changes.get("portable") is True:
            raise Malformed("did.webvh_parameters", "A later entry of the log sets what only the first one may set.")
        if self.next_key_hashes and not {"updateKeys", "nextKeyHashes"} <= changes.keys():
            raise Refused(
                "did.webvh_rotation", "An entry of the log does not name the keys that were announced for it."
            )
        return replace(self, **_read(changes))


def first(changes: Mapping[str, Json]) -> Parameters:
    """The parameters of the first entry. Raises like `Parameters.after`."""
    scid = changes.get("scid")
    if not isinstance(scid, str) or not place.SCID.fullmatch(scid):
        raise Malformed("did.webvh_parameters", "The log's first entry has no self-certifying identifier.")
    if not {"method", "updateKeys"} <= changes.keys():
        raise Malformed("did.webvh_parameters", "The log's first entry does not say what every first entry must say.")
    return replace(Parameters(scid), **_read({name: value for name, value in changes.items() if name != "scid"}))


def _read(changes: Mapping[str, Json]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in _READERS:
            raise Malformed(
                "did.webvh_parameters", "An entry of the log has a parameter that the method does not know."
            )
        field, reader, default = _READERS[name]
        given = default if value is None and name in _NULLABLE else reader(value)
        if field is not None:
            found[field] = given
    return found


def _method(value: Json) -> None:
    if value != METHOD:
        raise Unsupported("did.webvh_version", "The log is of a version of did:webvh that is not read here.")


def _texts(value: Json, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_KEYS or not all(isinstance(each, str) for each in value):
        raise Malformed("did.webvh_parameters", f"{what} in the log are not a list of at most {MAX_KEYS} texts.")
    if any(len(str(each)) > _MAX_TEXT for each in value):
        raise Malformed("did.webvh_parameters", f"{what} in the log are longer than what is read here.")
    return tuple(str(each) for each in value)


def _update_keys(value: Json) -> tuple[str, ...]:
    keys = _texts(value, "updateKeys")
    for key in keys:
        _signs(key)
    return keys


def _hashes(value: Json) -> tuple[str, ...]:
    """Hashes; "just random strings" may stand among them, which no key ever matches."""
    return _texts(value, "nextKeyHashes")


def _watchers(value: Json) -> tuple[str, ...]:
    """Addresses of any scheme ("Publishing Watcher URLs": a DID may stand there); nobody here goes to them."""
    watchers = _texts(value, "watchers")
    if not all(_WATCHER.fullmatch(each) for each in watchers):
        raise Malformed("did.webvh_parameters", "A watcher in the log is not named by a URI.")
    return watchers


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise Malformed("did.webvh_parameters", "A parameter of the log is neither true nor false.")
    return value


def _ttl(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_TTL:
        raise Malformed("did.webvh_parameters", "The log's ttl is not a number of seconds.")
    return value


def _witness(value: Json) -> Witnesses | None:
    """`{}` is "nobody"; anything else must be whole ("The `witness` Parameter")."""
    if value == {}:
        return None
    listed = value.get("witnesses") if isinstance(value, Mapping) else None
    threshold = value.get("threshold") if isinstance(value, Mapping) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_WITNESSES:
        raise Malformed("did.webvh_witness", f"The log's witnesses are not a list of 1 to {MAX_WITNESSES}.")
    ids = [each.get("id") if isinstance(each, Mapping) else None for each in listed]
    names = tuple(each for each in ids if isinstance(each, str))
    if len(names) != len(listed) or len(set(names)) != len(names):
        raise Malformed("did.webvh_witness", "The log's witnesses are not different DIDs.")
    if isinstance(threshold, bool) or not isinstance(threshold, int) or not 1 <= threshold <= len(names):
        raise Malformed("did.webvh_witness", "The log's witness threshold is not between 1 and their number.")
    if not all(name.startswith(_KEY_DID) for name in names):
        raise Malformed("did.webvh_witness", "A witness of the log is not a did:key.")
    if len({_signs(name.removeprefix(_KEY_DID)) for name in names}) != len(names):  # base58 and base64url of one key
        raise Malformed("did.webvh_witness", "Two witnesses of the log are one key.")
    return Witnesses(threshold, names)


def _signs(name: str) -> bytes:
    """The bytes of a key with which entries and approvals can be signed (eddsa-jcs-2022). Raises Malformed."""
    try:
        key = multikey.decode(name)
    except SsiError:
        key = None
    if key is None or key.algorithm is not EDDSA:
        raise Malformed("did.webvh_key", "A key in the log is not one that can sign its entries.")
    return key.x


_READERS: Final[Mapping[str, tuple[str | None, Callable[[Json], Any], Any]]] = {
    "method": (None, _method, None),
    "updateKeys": ("update_keys", _update_keys, ()),
    "nextKeyHashes": ("next_key_hashes", _hashes, ()),
    "witness": ("witness", _witness, None),
    "watchers": ("watchers", _watchers, ()),
    "portable": ("portable", _flag, False),
    "deactivated": ("deactivated", _flag, False),
    "ttl": ("ttl", _ttl, TTL),
}
"""By name in a log: the field here, its reader, and what null stands for."""
_NULLABLE: Final = frozenset({"updateKeys", "nextKeyHashes", "witness", "watchers", "ttl"})
"""Those that older logs have as null, for the default ("General Rules for Parameters")."""
