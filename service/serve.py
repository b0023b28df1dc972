"""Serving: a role's application behind granian, over TLS, from the first ready line to a clean end.

Worker processes are spawned, never forked: the process that starts them has threads. SIGTERM and SIGINT let requests in
flight finish. Standard output carries one line of JSON, when the service answers; everything else goes to stderr.
"""

from __future__ import annotations

import atexit
import gc
import http.client
import importlib
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from service import logs
from service.patience import WAITING, Patient
from service.settings import ServiceSettings
from ssi.errors import Malformed, Unavailable

FINISH_SECONDS: Final = 20
"""How long requests in flight have to finish after SIGTERM."""
_READY_SECONDS: Final = 60


def run(factory: str, settings: ServiceSettings, *, about: str | None = None) -> int:
    """Serve until told to stop; returns the process's exit code, 0 after SIGTERM or SIGINT.

    `factory` is called in each worker without arguments and reads the environment. `about` is the path of an endpoint
    whose JSON object joins the ready line; a worker that told something so is not replaced when it crashes, since its
    successor would tell something else. Raises Malformed (`settings.tls_*`) and Unavailable (`serve.address`) before
    anything is started.
    """
    _check_tls(settings)
    _check_address(settings)
    multiprocessing.set_start_method("spawn", force=True)
    server = _server(factory, settings)
    watcher = threading.Thread(target=_announce, args=(server, settings, about), name="ready", daemon=True)
    server.on_startup(watcher.start)
    try:
        server.serve(target_loader=partial(load, factory, settings.threads), wrap_loader=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _server(factory: str, settings: ServiceSettings) -> MPServer:
    return MPServer(
        factory,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads + WAITING,  # threads that wait for a body are not at work
        http=HTTPModes.http1,  # with HTTP/2 beside it, connections on which nobody says anything would stay for ever
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        log_dictconfig=logs.configuration(logs.level_of(os.environ)),
        ssl_cert=None if settings.plain_http else settings.tls_cert,
        ssl_key=None if settings.plain_http else settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        workers_kill_timeout=FINISH_SECONDS,
    )


def load(factory: str, threads: int) -> Callable[..., Any]:
    """Make the application in a worker process, which from now on ends when the process that started it is gone.

    Without that, workers of a killed service would go on holding its port.
    """
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    module, _, name = factory.partition(":")
    application = getattr(importlib.import_module(module), name)()
    gc.collect()
    gc.freeze()  # what is there now stays: nobody need look through it again and again
    atexit.register(gc.unfreeze)  # and goes at the end, or native libraries call it leaked
    return Patient(application, working=threads)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _check_tls(settings: ServiceSettings) -> None:
    """The certificate and key are there and belong together. Raises Malformed with what to do about it."""
    if settings.plain_http:
        return
    for name, path in (("tls-cert", settings.tls_cert), ("tls-key", settings.tls_key)):
        if not path.is_file():
            raise Malformed(
                f"settings.{name.replace('-', '_')}",
                f"There is no file {path}. Run `facet-issuer bootstrap` to make certificates for a trial, "
                f"or name your own with --{name}.",
            )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except (ssl.SSLError, OSError):
        detail = f"{settings.tls_cert} and {settings.tls_key} are not a certificate and its private key."
        raise Malformed("settings.tls_cert", detail) from None


def _check_address(settings: ServiceSettings) -> None:
    """Nobody else listens there; workers share the port on purpose, so that the server itself would not notice."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            detail = f"Cannot listen on {settings.host}:{settings.port} ({error.strerror})."
            raise Unavailable("serve.address", detail) from None


def _announce(server: MPServer, settings: ServiceSettings, about: str | None) -> None:
    """Print the ready line once the service answers its own health check; from then on crashed workers are replaced.

    A service that is slow to start says so in its log, and is announced all the same when it has started.
    """
    end = time.monotonic() + _READY_SECONDS
    while True:
        if _asked(settings, "/healthz") is not None:
            server.respawn_failed_workers = about is None
            line = {"ready": True, "role": settings.role, "url": settings.base_url, "pid": os.getpid()}
            more = json.loads(_asked(settings, about) or b"{}") if about else {}
            sys.stdout.write(json.dumps(line | more) + "\n")
            sys.stdout.flush()
            return
        if time.monotonic() >= end:
            logging.getLogger(__name__).warning("The service has not answered its own health check yet.")
            end = time.monotonic() + _READY_SECONDS
        time.sleep(0.05)


def _asked(settings: ServiceSettings, path: str) -> bytes | None:
    """What this process's own port answers at a path; None unless that is a 200."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  (compared with, not bound to)
    connection: http.client.HTTPConnection
    if settings.plain_http:
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    else:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # we ask ourselves, and only whether we live
        connection = http.client.HTTPSConnection(host, settings.port, timeout=5, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
