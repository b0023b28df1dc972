"""A person as an application states them: typed from the document, checked once, and put into claims."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.model import ClaimPath
from wallet.issuer.countries import CODES

AGES: Final = (16, 18, 21, 65)
DOCUMENT_TYPES: Final[Mapping[str, str]] = {
    "passport": "Passport",
    "identity_card": "Identity card",
    "residence_permit": "Residence permit",
    "driving_licence": "Driving licence",
}
MAX_NATIONALITIES: Final = 4
_OLDEST_YEARS: Final = 130
_NUMBER: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9 /-]{0,28}[A-Z0-9])?")


class FormError(Malformed):
    """Fields of an application that cannot be accepted: a sentence for each, by the field's name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("application.invalid", "Some details need another look: " + ", ".join(fields) + ".")
        self.fields = dict(fields)


@dataclass(frozen=True)
class Person:
    """Who applies, by their document. Dates are ISO 8601; countries are ISO 3166-1 alpha-2."""

    given_name: str
    family_name: str
    birthdate: str
    nationalities: tuple[str, ...]
    document_type: str
    document_number: str
    issuing_country: str
    issuing_authority: str
    document_expiry: str

    @staticmethod
    def read(form: Mapping[str, Sequence[str]], *, today: date) -> Person:
        """Read the fields of an application form. Raises FormError (`application.invalid`), naming every bad field."""
        found: dict[str, str] = {}
        bad: dict[str, str] = {}
        for name, read in _FIELDS.items():
            try:
                found[name] = read(" ".join((form.get(name) or ("",))[0].split()), today)
            except ValueError as error:
                bad[name] = str(error)
        nationalities = _countries(form.get("nationalities") or ())
        if not nationalities:
            bad["nationalities"] = "Choose one to four countries."
        if bad:
            raise FormError(bad)
        return Person(nationalities=nationalities, **found)

    @staticmethod
    def from_json(value: Mapping[str, Json]) -> Person:
        """What `json` wrote."""
        return Person(**{**value, "nationalities": tuple(value["nationalities"])})

    @property
    def json(self) -> dict[str, Json]:
        """For the store, until it is erased."""
        return {**asdict(self), "nationalities": list(self.nationalities)}

    def claims(self, *, today: date, evidence: Mapping[str, Json]) -> dict[str, Json]:
        """The claims of a VerifiedPerson credential issued on `today`."""
        born = date.fromisoformat(self.birthdate)
        return {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "birthdate": self.birthdate,
            **{f"age_over_{years}": is_over(years, born=born, today=today) for years in AGES},
            "nationalities": list(self.nationalities),
            "document": {
                "type": self.document_type,
                "number": self.document_number,
                "issuing_country": self.issuing_country,
                "issuing_authority": self.issuing_authority,
                "expiry_date": self.document_expiry,
            },
            "biometric_evidence": dict(evidence),
        }


def disclosable(claims: Mapping[str, Json]) -> tuple[ClaimPath, ...]:
    """Every claim can be hidden on its own; so can each nationality, and each part of the document."""
    paths: list[ClaimPath] = [(name,) for name in claims]
    paths += [("nationalities", index) for index in range(len(claims["nationalities"]))]
    paths += [("document", name) for name in claims["document"]]
    return tuple(paths)


def is_over(years: int, *, born: date, today: date) -> bool:
    """Has this person completed `years` years? Born on 29 February, they have on 1 March of a common year.

    >>> is_over(18, born=date(2004, 2, 29), today=date(2022, 2, 28))
    False
    """
    return (today.year - born.year - ((today.month, today.day) < (born.month, born.day))) >= years


def _name(value: str, _today: date) -> str:
    text = unicodedata.normalize("NFC", value)
    if not 1 <= len(text) <= 100:
        raise ValueError("Write the name as the document has it, with at most 100 letters.")
    if any(unicodedata.category(c)[0] == "C" for c in text) or not any(c.isalpha() for c in text):
        raise ValueError("The name holds characters that no document has.")
    return text


def _birthdate(value: str, today: date) -> str:
    born = _date(value)
    if not 0 <= (today - born).days <= _OLDEST_YEARS * 366:
        raise ValueError("This birth date cannot be right.")
    return born.isoformat()


def _expiry(value: str, today: date) -> str:
    until = _date(value)
    if until < today:
        raise ValueError("The document has expired. Ask for one that is valid.")
    return until.isoformat()


def _date(value: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("Write the date as year, month and day: 1990-12-31.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such day.") from None


def _document_type(value: str, _today: date) -> str:
    if value not in DOCUMENT_TYPES:
        raise ValueError("Choose one of the listed documents.")
    return value


def _document_number(value: str, _today: date) -> str:
    number = value.upper()
    if not _NUMBER.fullmatch(number):
        raise ValueError("Write the number as the document has it: letters A to Z and digits.")
    return number


def _country(value: str, _today: date) -> str:
    code = value.upper()
    if code not in CODES:
        raise ValueError("Choose a country.")
    return code


def _countries(values: Sequence[str]) -> tuple[str, ...]:
    """Codes from repeated fields or from one with commas; empty when any of them is no country, or too many."""
    given = [code.strip().upper() for value in values for code in value.split(",") if code.strip()]
    codes = tuple(dict.fromkeys(given))
    return codes if 0 < len(codes) <= MAX_NATIONALITIES and all(code in CODES for code in codes) else ()


_FIELDS: Final[Mapping[str, Callable[[str, date], str]]] = {
    "given_name": _name,
    "family_name": _name,
    "birthdate": _birthdate,
    "document_type": _document_type,
    "document_number": _document_number,
    "issuing_country": _country,
    "issuing_authority": _name,
    "document_expiry": _expiry,
}
