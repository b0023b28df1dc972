"""Response headers: what may a browser do with our pages, and who may keep a copy?

One strict policy for every response; a view asks for more with `@allows`, and gets only that. Inline scripts and styles
are allowed nowhere, and Trusted Types keep text from becoming script.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from service.settings import ServiceSettings, is_loopback

Feature = Literal["camera", "wasm", "previews", "worker"]
"""camera: getUserMedia, and blob previews of what it took. previews: show chosen files before they are sent.
wasm: compile WebAssembly (the QR decoder). worker: start a worker of our own origin, through a Trusted Types policy
named "facet"."""

View = TypeVar("View", bound=Callable[..., Any])
_MARK: Final = "facet_allows"
_STATIC: Final = frozenset({"static", "facet.static"})
_FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def allows(*features: Feature) -> Callable[[View], View]:
    """Mark a view whose page needs a browser feature; write it below `@route`."""

    def mark(view: View) -> View:
        view.__dict__[_MARK] = frozenset(features)
        return view

    return mark


def install(app: Flask, settings: ServiceSettings) -> None:
    """Put the headers on every response of an app, error pages too."""
    transport = tuple(_transport(settings).items())

    def apply(response: Response) -> Response:
        if request.endpoint in _STATIC and response.status_code in {200, 206, 304}:
            fresh = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
            response.headers["Cache-Control"] = fresh
        there = {name.lower() for name in response.headers.keys()}  # noqa: SIM118  (iterating gives pairs)
        for name, value in (*_always(_features()), *transport):
            if name.lower() not in there:
                response.headers.add(name, value)
        return response

    app.after_request(apply)


def content_security_policy(features: frozenset[str]) -> str:
    """The Content-Security-Policy of a page that needs these features (CSP Level 3, Trusted Types).

    >>> "wasm-unsafe-eval" in content_security_policy(frozenset())
    False
    """
    images = "'self' blob:" if features & {"camera", "previews"} else "'self'"
    scripts = "'self' 'wasm-unsafe-eval'" if "wasm" in features else "'self'"
    policy = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": "'self'",
        "img-src": images,
        "connect-src": "'self'",
        "worker-src": "'self'" if "worker" in features else "'none'",
        "media-src": "'self' blob:" if "camera" in features else "'none'",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "facet" if "worker" in features else "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _features() -> frozenset[str]:
    """What the view of this request asked for. A worker's script carries the policy that the worker runs under."""
    if request.endpoint in _STATIC:
        return frozenset({"wasm"})
    view = current_app.view_functions.get(request.endpoint or "")
    found: frozenset[str] = getattr(view, _MARK, frozenset())
    return found


@lru_cache(maxsize=64)
def _always(features: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """What every response of such a view carries unless the view has set it itself."""
    policies = {
        "Content-Security-Policy": content_security_policy(features),
        "Permissions-Policy": _permissions(features),
        "Cache-Control": "no-store",
    }
    return (*_FIXED.items(), *policies.items())


def _permissions(features: frozenset[str]) -> str:
    camera = "(self)" if "camera" in features else "()"
    return f"camera={camera}, clipboard-write=(self), microphone=(), geolocation=(), payment=(), usb=()"


def _transport(settings: ServiceSettings) -> dict[str, str]:
    """HSTS on real names only: browsers apply it to all ports, and a trial on localhost is not alone there."""
    host = urlsplit(settings.base_url).hostname or ""
    if not settings.secure or is_loopback(host):
        return {}
    return {"Strict-Transport-Security": "max-age=31536000"}
