"""What the conformance views work with: desks, status lists, keys of others, the clock and randomness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from flask import Flask, current_app

from ssi.model import KeyResolver
from wallet.issuer.conformance.desks import Desk
from wallet.issuer.conformance.statuses import Lists

_NAME: Final = "facet_issuer_conformance"


@dataclass(frozen=True)
class World:
    """One application's own things."""

    desks: Mapping[str, Desk]
    lists: Lists
    keys: KeyResolver
    now: Callable[[], datetime]
    random: Callable[[int], bytes]

    def attach(self, app: Flask) -> None:
        """Make this the world of an application."""
        app.extensions[_NAME] = self


def world() -> World:
    """The world of the current request."""
    return cast(World, current_app.extensions[_NAME])
