"""Resolution options: in which version and form is a document asked for (DID Resolution, "DID Resolution Options")?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ssi.dids import keyformats
from ssi.dids.document import RELATIONSHIPS
from ssi.dids.keyformats import Form
from ssi.dids.problems import Problem
from ssi.dids.sources import CURRENT, Version, moment
from ssi.errors import Malformed

VERSIONS: Final = ("versionId", "versionTime", "versionNumber")
"""Ways to name a version; `versionNumber` is did:webvh's own."""
_MAX_VERSION_ID: Final = 512


@dataclass(frozen=True)
class Options:
    """What was asked for. `relationship`: the verification relationship that a dereferenced key must have."""

    version: Version = CURRENT
    expand: bool = False
    relationship: str | None = None
    form: Form = field(default_factory=Form)


def read(given: Mapping[str, str]) -> Options:
    """Read options as a query or a DID URL has them; ones that nobody defined are ignored.

    Raises Problem (`invalidOptions`, and `featureNotSupported` for `hl`).
    """
    if "hl" in given:
        raise Problem("featureNotSupported", "Documents are not compared with a hash link here.")
    relationship = given.get("verificationRelationship")
    if relationship is not None and relationship not in RELATIONSHIPS:
        raise Problem("invalidOptions", "The verification relationship asked for is not known.")
    name = given.get("publicKeyFormat", keyformats.MULTIKEY)
    encryption = given.get("enableEncryptionKeyDerivation", "").lower() == "true"
    return Options(_version(given), _flag(given, "expandRelativeUrls"), relationship, Form(name, encryption=encryption))


def _version(given: Mapping[str, str]) -> Version:
    named = [name for name in VERSIONS if name in given]
    if len(named) > 1:
        raise Problem("invalidOptions", "A version is asked for in more than one way.")
    identifier, time, number = (given.get(name) for name in VERSIONS)
    if identifier is not None and not (
        0 < len(identifier) <= _MAX_VERSION_ID and identifier.isascii() and identifier.isprintable()
    ):
        raise Problem("invalidOptions", "The version's id is not a short text of ASCII characters.")
    if number is not None and not (number.isascii() and number.isdigit() and len(number) <= 9 and int(number) > 0):
        raise Problem("invalidOptions", "A version's number is a whole number, from 1 on and of 9 digits at most.")
    try:
        at = None if time is None else moment(time)
    except Malformed as malformed:
        raise Problem("invalidOptions", malformed.detail) from None
    return Version(identifier, at, None if number is None else int(number))


def _flag(given: Mapping[str, str], name: str) -> bool:
    if (value := given.get(name, "false")) not in ("true", "false"):
        raise Problem("invalidOptions", f"The option {name} is neither true nor false.")
    return value == "true"
