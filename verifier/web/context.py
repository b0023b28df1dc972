"""What the views work with: the requests, the settings, and who may use the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app

from ssi.dids.looking import Looking
from ssi.encoding import Json
from verifier.sessions import Sessions
from verifier.settings import VerifierSettings

_NAME: Final = "facet_verifier"


@dataclass(frozen=True)
class Context:
    """One application's own things. `api_digests` are SHA-256 digests of the keys in the API key file.

    `did_document` is published where wallets know this verifier by a did:web; `looking` looks at its ledger, if any.
    """

    sessions: Sessions
    settings: VerifierSettings
    api_digests: frozenset[str]
    did_document: Mapping[str, Json] | None = None
    looking: Looking | None = None

    def attach(self, app: Flask) -> None:
        """Make this the context of an application."""
        app.extensions[_NAME] = self

    @staticmethod
    def of(app: Flask) -> Context:
        """The context of an application."""
        return cast(Context, app.extensions[_NAME])


def context() -> Context:
    """The context of the current request."""
    return Context.of(current_app)


def sessions() -> Sessions:
    """The requests, for a view."""
    return context().sessions
