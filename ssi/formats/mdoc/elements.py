"""Element values: what CBOR does each data element need, and how does a value look as JSON?

To JSON as RFC 8949 §6.1 says. To CBOR by a table of the elements that have types JSON does not know: ISO/IEC 18013-5
§7.2.1 (mDL) and the PID Rulebook of the EUDI Wallet; what no table knows is written as JSON has it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from ssi.cose.cbor import MAX_DEPTH, Cbor, Tag
from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed

MDL: Final = "org.iso.18013.5.1"
PID: Final = "eu.europa.ec.eudi.pid.1"
MDL_TYPE: Final = "org.iso.18013.5.1.mDL"
PID_TYPE: Final = PID

TDATE: Final = 0
FULL_DATE: Final = 1004
_BIGNUMS: Final = (2, 3)
_SAME: Final = frozenset((str, int, bool, type(None)))
_AGE_OVER: Final = re.compile(r"age_over_[0-9]{2}")
_TEMPLATE: Final = "biometric_template_"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_LARGEST: Final = 2**64

Writer = Callable[[Json], Cbor]


# --- to JSON ----------------------------------------------------------------------------------------------------------


def to_json(value: Cbor, *, depth: int = 0) -> Json:
    """A value as JSON (RFC 8949 §6.1): bytes as base64url, dates as text, what JSON lacks as null.

    Raises Malformed (`mdoc.value`) where the advice ends: map keys that are no texts, and deep nesting.
    """
    if type(value) in _SAME:
        return value
    if isinstance(value, bytes):
        return b64url(value)
    if depth >= MAX_DEPTH:
        raise Malformed("mdoc.value", "An element's value is nested too deep.")
    if isinstance(value, list | tuple):
        return [to_json(each, depth=depth + 1) for each in value]
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise Malformed("mdoc.value", "An element's value has members that are not named by texts.")
        return {name: to_json(each, depth=depth + 1) for name, each in value.items()}
    return _other(value, depth)


def _other(value: Cbor, depth: int) -> Json:
    """Bignums as base64url, negative ones after a tilde; any other tag says nothing that JSON could."""
    if isinstance(value, Tag):
        if value.tag in _BIGNUMS and isinstance(value.value, bytes):
            return ("~" if value.tag == 3 else "") + b64url(value.value)
        return to_json(value.value, depth=depth + 1)
    return value if isinstance(value, float) and math.isfinite(value) else None  # `undefined` has no JSON either


# --- to CBOR ----------------------------------------------------------------------------------------------------------


def to_cbor(namespace: str, element: str, value: Json) -> Cbor:
    """A JSON value as the element's CBOR. Raises Malformed (`mdoc.element_type`, `encoding.base64url`)."""
    return _writer(namespace, element)(value)


@lru_cache(maxsize=1024)
def _writer(namespace: str, element: str) -> Writer:
    table = _TABLES.get(namespace)
    if table is None:
        return _plain
    if element in table:
        return table[element]
    if _AGE_OVER.fullmatch(element):
        return _bool
    return _bytes if element.startswith(_TEMPLATE) else _plain


def _wrong(expected: str) -> Malformed:
    return Malformed("mdoc.element_type", f"An element's value is not {expected}.")


def _plain(value: Json, depth: int = 0) -> Cbor:
    if isinstance(value, str):
        return value
    if depth >= MAX_DEPTH - 4:
        raise _wrong("flat enough")
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise _wrong("one that JSON knows")
        return {name: _plain(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, depth + 1) for each in value]
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise _wrong("a number of at most 64 bits")
    if value is None or isinstance(value, int | float):
        return value
    raise _wrong("one that JSON knows")


def _bool(value: Json) -> Cbor:
    if not isinstance(value, bool):
        raise _wrong("true or false")
    return value


def _uint(value: Json) -> Cbor:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise _wrong("a whole number from 0")
    return value


def _text(value: Json) -> Cbor:
    if not isinstance(value, str):
        raise _wrong("a text")
    return value


def _bytes(value: Json) -> Cbor:
    if not isinstance(value, str):
        raise _wrong("bytes as base64url")
    return unb64url(value, what="element's value")


def _full_date(value: Json) -> Cbor:
    """RFC 8943: tag 1004 over `YYYY-MM-DD`."""
    if not isinstance(value, str) or not _DATE.fullmatch(value) or not _parses(date.fromisoformat, value):
        raise _wrong("a date (YYYY-MM-DD)")
    return Tag(FULL_DATE, value)


def _tdate(value: Json) -> Cbor:
    """RFC 8949 §3.4.1: tag 0 over a date and time."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value) or not _parses(datetime.fromisoformat, value):
        raise _wrong("a date and time")
    return Tag(TDATE, value)


def _date_or_time(value: Json) -> Cbor:
    return _tdate(value) if isinstance(value, str) and "T" in value else _full_date(value)


def _privileges(value: Json) -> Cbor:
    """ISO/IEC 18013-5 §7.2.4: each privilege may have dates of issue and expiry."""
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise _wrong("a list of driving privileges")
    dates = ("issue_date", "expiry_date")
    return [
        {name: _full_date(part) if name in dates else _plain(part) for name, part in each.items()} for each in value
    ]


def _texts(value: Json) -> Cbor:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise _wrong("a list of texts")
    return value


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _table(**writers: str) -> Mapping[str, Writer]:
    kinds = {name: writer for writer in _BY_NAME for name in writers.get(writer, "").split()}
    return MappingProxyType({name: _BY_NAME[kind] for name, kind in kinds.items()})


_BY_NAME: Final[Mapping[str, Writer]] = MappingProxyType(
    {
        "full_date": _full_date,
        "tdate": _tdate,
        "date_or_time": _date_or_time,
        "bytes_": _bytes,
        "uint": _uint,
        "text": _text,
        "texts": _texts,
        "privileges": _privileges,
    }
)

_TABLES: Final[Mapping[str, Mapping[str, Writer]]] = MappingProxyType(
    {
        MDL: _table(
            full_date="birth_date",
            tdate="portrait_capture_date",
            date_or_time="issue_date expiry_date",
            bytes_="portrait signature_usual_mark",
            uint="sex height weight age_in_years age_birth_year",
            text="family_name given_name issuing_country issuing_authority document_number un_distinguishing_sign "
            "administrative_number eye_colour hair_colour birth_place resident_address issuing_jurisdiction "
            "nationality resident_city resident_state resident_postal_code resident_country "
            "family_name_national_character given_name_national_character",
            privileges="driving_privileges",
        ),
        PID: _table(
            full_date="birth_date",
            date_or_time="issuance_date expiry_date",
            bytes_="portrait",
            uint="sex age_in_years age_birth_year",
            text="family_name given_name family_name_birth given_name_birth issuing_authority issuing_country "
            "document_number personal_administrative_number issuing_jurisdiction resident_address resident_country "
            "resident_state resident_city resident_postal_code resident_street resident_house_number email_address "
            "mobile_phone_number trust_anchor attestation_legal_category",
            texts="nationality",
        ),
    }
)
"""Which elements need which type; `age_over_NN` (a truth value) and `biometric_template_xx` (bytes) go by name."""
