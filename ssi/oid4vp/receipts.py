"""Receipts: what may come beside a presentation, to show since when its credential is on a ledger?

OpenID4VP has no place for it, so it is a parameter of its own beside `vp_token`, under the same ids and in the same
order; verifiers that do not know it ignore it (RFC 6749 §3.1). It needs no signature: a receipt proves itself or
nothing. One that cannot be read makes no presentation unreadable: it counts for nothing, and the finding says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import SsiError

PARAMETER: Final = "facet_receipts"
MAX_BYTES: Final = 65_536
"""The longest receipt that is read. A ledger of a hundred million accounts makes some 20,000."""

Receipt = Mapping[str, Json]
Receipts = Mapping[str, tuple[Receipt | None, ...]]
"""By credential query: a receipt or None for each presentation."""

UNREADABLE: Final[Receipt] = MappingProxyType({})
"""Stands where something came that is no receipt."""


def members(vp_token: Mapping[str, Sequence[str]], receipts: Mapping[str, Sequence[Receipt | None]]) -> dict[str, Json]:
    """The parameter beside a `vp_token`; none where no presentation has a receipt.

    >>> members({"pid": ["one", "two"]}, {"pid": [None, {"version": 1}]})
    {'facet_receipts': {'pid': [None, {'version': 1}]}}
    >>> members({"pid": ["one"]}, {"pid": [None]})
    {}
    """
    found = {
        name: [None if one is None else dict(one) for one in some]
        for name, some in receipts.items()
        if name in vp_token and any(one is not None for one in some)
    }
    return {PARAMETER: found} if found else {}


def read(value: Json, vp_token: Mapping[str, Sequence[str]]) -> Receipts:
    """The receipts that came: text of JSON in a form, an object elsewhere. Raises nothing.

    >>> read('{"pid": [null, 7]}', {"pid": ["one", "two"]})
    {'pid': (None, mappingproxy({}))}
    """
    if value is None:
        return {}
    everywhere = {name: (UNREADABLE,) * len(some) for name, some in vp_token.items()}
    try:
        found = read_json_object(value, what="receipts") if isinstance(value, str) else value
    except SsiError:
        return everywhere
    if not isinstance(found, Mapping):
        return everywhere
    return {name: _each(found[name], len(some)) for name, some in vp_token.items() if name in found}


def _each(value: Json, count: int) -> tuple[Receipt | None, ...]:
    if not isinstance(value, list) or len(value) != count:
        return (UNREADABLE,) * count
    return tuple(None if one is None else _one(one) for one in value)


def _one(value: Json) -> Receipt:
    try:
        small = isinstance(value, Mapping) and len(write_json(value)) <= MAX_BYTES
    except SsiError:
        return UNREADABLE
    return value if small else UNREADABLE
