"""What do our credential types say? Data files, read by name; no code and no network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final

VERIFIED_PERSON: Final = "urn:facet:credential:verified-person:1"

TYPES: Final[Mapping[str, str]] = {VERIFIED_PERSON: "vct/verified-person.json"}
"""The type metadata of every SD-JWT VC type that this house describes, by `vct`."""


@lru_cache(maxsize=64)
def read(name: str) -> bytes:
    """The bytes of a data file of this package, such as `vct/verified-person.json`.

    Raises FileNotFoundError when there is none of that name: names are the house's own, never a peer's.
    """
    return resources.files("schemas").joinpath(*name.split("/")).read_bytes()
