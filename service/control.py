"""Control: may programs drive this service without signing in, because it is a trial on one machine?

Benchmarks and interop programs make offers and requests through `/control/…`. The flag that opens these addresses is
off by default and refused wherever others could reach them.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import request

from service.crosssite import is_foreign
from service.settings import Option, ServiceSettings, Source, is_loopback
from ssi.encoding import Json, read_json_object
from ssi.errors import Refused, Unsupported

OPTION: Final = Option(
    "control",
    "Let programs on this machine drive the service without signing in (/control/…), for trials and benchmarks.",
    flag=True,
)


def allowed(source: Source, service: ServiceSettings) -> bool:
    """Is the flag set? Raises Refused (`settings.control`) unless address and name are this machine's own."""
    if not source.flag(OPTION.name):
        return False
    if not is_loopback(service.host) or not is_loopback(urlsplit(service.base_url).hostname or ""):
        detail = "--control is only for a loopback --host and --base-url: whoever reaches it needs no password."
        raise Refused("settings.control", detail)
    return True


def check_caller(service: ServiceSettings) -> None:
    """Return for a program that calls this machine by its own name.

    A page of another origin is refused, also one whose host's name server has lately said that it is this machine (DNS
    rebinding): to the browser it is then of the same origin, but the name that it calls is still its own. Raises
    Refused (`request.cross_site`).
    """
    called = request.host.rpartition("@")[2]
    name = called.partition("]")[0].lstrip("[") if called.startswith("[") else called.partition(":")[0]
    if is_foreign(service.origin) or not is_loopback(name):
        raise Refused("request.cross_site", "This address is for programs, not for pages.")


def read_body(service: ServiceSettings) -> dict[str, Json]:
    """The JSON object that a program has posted; no page of another origin can make a browser send one.

    Raises Refused (`request.cross_site`), Unsupported (`request.media_type`), Malformed (`encoding.*`).
    """
    check_caller(service)
    if request.mimetype != "application/json":
        raise Unsupported("request.media_type", "The body must be of type application/json.")
    return read_json_object(request.get_data(cache=False), what="request")
