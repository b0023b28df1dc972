"""A toy service to start as a real process: `python -m tests.service.process <factory> serve ...`."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

from flask import Flask, request

from service import cli, settings
from service.app import make_app


def wsgi() -> Flask:
    app = make_app(
        "tests.service", role="verifier", settings=settings.read("verifier", os.environ), health=lambda: None
    )

    @app.get("/slow")
    def slow() -> str:
        Path(request.query_string.decode()).touch()
        time.sleep(0.5)
        return "finished"

    @app.get("/pid")
    def pid() -> str:
        return str(os.getpid())

    return app


def broken() -> Flask:
    raise RuntimeError("cannot start")


@cli.group("verifier")
def main() -> None:
    """A toy."""


if __name__ == "__main__":
    factory = f"tests.service.process:{sys.argv.pop(1)}"
    main.add_command(cli.serve_command("verifier", factory=factory, check=partial(settings.read, "verifier")))
    main()
