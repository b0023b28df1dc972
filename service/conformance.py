"""Conformance: hosting for the endpoints that specifications' test suites call, never where people are served.

A command of its own, off until somebody runs it; a port of its own; nothing of the role's environment, store or keys.
What these endpoints sign is signed with keys that are made when the command starts and are gone when it ends. Every
refusal is a 400 in JSON, so that a caller tells "no" from "broken" (VC API: verification and issuance errors).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, Protocol

import click
from flask import Flask, Response, request

from service.app import BODY_LIMIT, json_answer, make_app
from service.crosssite import open_to_all
from service.settings import COMMON, PORTS, Option, ServiceSettings
from service.settings import read as read_settings
from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Malformed, Refused, SsiError

ABOUT: Final = "/conformance"
"""Where a conformance service says what it is, for the ready line: an object that holds nothing secret."""

DEFAULT_PORTS: Final[Mapping[str, int]] = {"issuer": 9441, "verifier": 9443}
_TAKEN_OVER: Final = (
    "host",
    "port",
    "base-url",
    "data",
    "tls-cert",
    "tls-key",
    "ca-file",
    "allow-loopback",
    "plain-http",
)
OPTIONS: Final = tuple(option for option in COMMON if option.name in _TAKEN_OVER)


def command(role: str, *, factory: str) -> click.Command:
    """The role's `conformance` command. `factory` makes the WSGI application in the worker, as for `serve`."""

    def run(**flags: Any) -> None:
        from service import serve as server  # noqa: PLC0415  (loaded only here: other commands start without a server)

        settings = prepare(role, flags, os.environ)
        raise SystemExit(server.run(factory, settings, about=ABOUT))

    for option in reversed(OPTIONS):
        run = _option(role, option)(run)
    text = f"Serve the {role}'s endpoints for W3C test suites, with keys made for this run. Never in production."
    return click.command("conformance", help=text)(run)


def _option(role: str, option: Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    name = f"--{option.name}"
    if option.flag:
        return click.option(name, is_flag=True, default=False, help=option.help)
    default = str(DEFAULT_PORTS[role]) if option.name == "port" else option.default
    text = "Port to listen on; not one that a role serves people on." if option.name == "port" else option.help
    return click.option(name, metavar="TEXT", default=default, show_default=default is not None, help=text)


def prepare(role: str, flags: Mapping[str, Any], environ: MutableMapping[str, str]) -> ServiceSettings:
    """Settings from flags alone, and put in place of the role's own in `environ`, which the worker reads.

    Raises Refused (`settings.port`) for a port that a role serves people on, by default or by the environment, and
    what `service.settings.read` raises.
    """
    values = {
        option.variable(role): str(flags[option.name.replace("-", "_")]).lower() if option.flag else str(given)
        for option in OPTIONS
        if (given := flags.get(option.name.replace("-", "_"))) not in (None, False)
    }
    values[f"FACET_{role}_WORKERS".upper()] = "1"  # its keys are in its memory, and nowhere else
    settings = read_settings(role, values)
    kept = {str(port) for port in PORTS.values()} | {environ.get(f"FACET_{name}_PORT".upper(), "") for name in PORTS}
    if str(settings.port) in kept:
        detail = f"Port {settings.port} is where people are served: the conformance service needs another --port."
        raise Refused("settings.port", detail)
    for name in [name for name in environ if name.startswith(f"FACET_{role}_".upper())]:
        del environ[name]
    environ.update(values)
    return settings


def make(import_name: str, settings: ServiceSettings, *, about: Callable[[], Mapping[str, Json]]) -> Flask:
    """An application that answers every refusal with 400 and `{"error": …, "error_description": …}`.

    `about()` is told at `ABOUT` and in the ready line.
    """
    app = make_app(import_name, role=settings.role, settings=settings, health=_well)
    app.register_error_handler(SsiError, refused)

    @open_to_all
    def told() -> Response:
        return json_answer(dict(about()))

    app.add_url_rule(ABOUT, "conformance", told)
    return app


class Resolution(Protocol):
    """What is answered for a DID: a status, a media type and a JSON body, or where to go on."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def content_type(self) -> str:
        """The media type, with its parameters."""

    @property
    def body(self) -> Mapping[str, Json]:
        """The body."""

    @property
    def location(self) -> str | None:
        """The address to go on to; then there is no body."""


def resolve_dids(app: Flask, resolve: Callable[[str, str | None, Mapping[str, str]], Resolution]) -> None:
    """Add `GET /identifiers/<DID or DID URL>`; `resolve` gets that, the Accept header and the query."""

    @open_to_all
    def identifiers(name: str) -> Response:
        found = resolve(name, request.headers.get("Accept"), request.args.to_dict())
        if found.location is not None:
            return Response(b"", found.status, {"Location": found.location}, content_type=found.content_type)
        return Response(write_json(found.body), found.status, content_type=found.content_type)

    app.url_map.merge_slashes = False  # what is asked about is one name, whatever it holds
    app.add_url_rule("/identifiers/<path:name>", "identifiers", identifiers)


def _well() -> None:
    """There is no store that could be away."""


def refused(error: SsiError, **more: Json) -> Response:
    """The answer to a request that was refused, whatever the reason: 400."""
    return json_answer({"error": error.code, "error_description": error.detail, **more}, status=400)


def read_body() -> tuple[dict[str, Json], dict[str, Json]]:
    """The request's JSON object and its `options`, {} when it has none.

    Raises Malformed (`request.media_type`, `request.options`, `encoding.*`).
    """
    if not request.is_json:
        raise Malformed("request.media_type", "The request's body is not application/json.")
    body = read_json_object(request.get_data(cache=False), what="request", max_bytes=BODY_LIMIT)
    options = body.get("options")
    if options is None:
        return body, {}
    if not isinstance(options, dict):
        raise Malformed("request.options", "'options' in the request is not an object.")
    return body, options
