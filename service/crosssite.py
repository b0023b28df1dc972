"""Cross-site requests: did a foreign page send this form with the person's cookies?

Every state-changing request is refused when the browser says that another origin caused it. Browsers say so in
Sec-Fetch-Site, and older ones in Origin; what sends neither is no browser and carries no one's cookies. Another port
of the same host is another origin too. Endpoints made for foreign callers opt out with `@open_to_all`, and read no
cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, current_app, request

from service.settings import ServiceSettings
from ssi.errors import Refused

View = TypeVar("View", bound=Callable[..., Any])
_MARK: Final = "facet_open_to_all"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def open_to_all(view: View) -> View:
    """Mark an endpoint that other wallets and verifiers call: any origin may, and every answer is JSON.

    Write it below `@route`. Such a view takes its authority from the request body or a bearer token, never a cookie.
    """
    view.__dict__[_MARK] = True
    return view


def is_open_to_all() -> bool:
    """Is the view of this request marked so?"""
    return getattr(current_app.view_functions.get(request.endpoint or ""), _MARK, False)


def install(app: Flask, settings: ServiceSettings) -> None:
    """Refuse cross-site state changes in an app."""

    def guard() -> None:
        if request.method not in _SAFE and not is_open_to_all() and is_foreign(settings.origin):
            raise Refused("request.cross_site", "The form was not sent from this service's own page.")

    app.before_request(guard)


def is_foreign(origin: str) -> bool:
    """Did another origin cause the current request (Fetch Metadata; RFC 6454)?"""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    sender = request.headers.get("Origin")
    return sender is not None and sender.lower() != origin
