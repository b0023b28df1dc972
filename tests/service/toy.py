"""A small role to try hosting with: pages, an endpoint for programs, limits, and mistakes."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, request

from service.app import answer, body_limit, make_app
from service.crosssite import open_to_all
from service.headers import allows
from service.settings import read
from ssi.errors import Malformed, Refused, Unavailable, Unsupported


def toy(values: Mapping[str, str] | None = None) -> Flask:
    app = make_app("tests.service", role="verifier", settings=read("verifier", values or {}), health=lambda: None)

    @app.get("/hello")
    def hello() -> Response:
        return answer("facet/error.html", {"status": 200, "title": "Hello", "code": "c", "detail": "<b>you</b>"})

    @app.post("/size")
    def size() -> str:
        return str(len(request.get_data()))

    @app.post("/large")
    @body_limit(1_000_000)
    def large() -> str:
        return str(len(request.get_data()))

    @app.post("/protocol")
    @open_to_all
    def protocol() -> str:
        raise Malformed("toy.bad", "No good.")

    @app.get("/scan")
    @allows("camera", "wasm")
    def scan() -> str:
        return "scan"

    @app.get("/raise/<kind>")
    def fail(kind: str) -> str:
        raise {
            "malformed": Malformed("toy.malformed", "Cannot be read."),
            "unsupported": Unsupported("toy.unsupported", "Not known here."),
            "refused": Refused("toy.refused", "Not allowed."),
            "unavailable": Unavailable("toy.unavailable", "Not now."),
            "bug": RuntimeError("secret inside"),
        }[kind]

    return app
