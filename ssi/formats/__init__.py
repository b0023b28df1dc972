"""Credential formats: the one table of those that this house issues, holds and verifies."""

from __future__ import annotations

from ssi.errors import Unsupported
from ssi.formats import jwtvcjson, ldp, mdoc, sdjwt, vccose, vcjwt, vcsdjwt
from ssi.model import Format

_ALL: tuple[Format, ...] = (sdjwt, vcjwt, vcsdjwt, vccose, jwtvcjson, ldp, mdoc)


def every() -> tuple[Format, ...]:
    """All formats, for tests, metadata and choices on the command line."""
    return _ALL


def by_id(format_id: str) -> Format:
    """The format with this identifier. Raises Unsupported (`format.unknown`).

    >>> by_id("dc+sd-jwt").ID
    'dc+sd-jwt'
    """
    for known in _ALL:
        if format_id == known.ID:
            return known
    raise Unsupported("format.unknown", "The credential format is not one that this service knows.")
