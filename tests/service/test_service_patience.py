"""Who waits for whom while bodies come slowly?"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from service.patience import Patient


class Slow(io.BytesIO):
    """A body that comes when it is told to."""

    def __init__(self) -> None:
        super().__init__(b"late")
        self.asked, self.comes = threading.Event(), threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked.set()
        assert self.comes.wait(10)
        return super().read(size)


def reads(environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
    return [environ["wsgi.input"].read(100)] if environ["wsgi.input"] else []


def ask(application: Patient, body: io.BytesIO, answers: list[bytes]) -> None:
    answers.extend(application({"wsgi.input": body}, lambda *_: None))


def test_who_waits_for_a_body_is_not_at_work_and_only_so_many_may_wait() -> None:
    application, slow, answers = Patient(reads, working=1, waiting=1), Slow(), list[bytes]()
    waiting = threading.Thread(target=ask, args=(application, slow, answers))
    waiting.start()
    assert slow.asked.wait(10)
    with pytest.raises(ServiceUnavailable) as full:  # it got to work at once, although one place is all there is
        ask(application, io.BytesIO(b"more"), answers)
    assert dict(full.value.get_headers())["Retry-After"] == "5"
    slow.comes.set()
    waiting.join(10)
    ask(application, io.BytesIO(b"again"), answers)
    assert answers == [b"late", b"again"]


def test_a_body_reads_as_pep_3333_says() -> None:
    found: list[object] = []

    def application(environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        found.extend([body.readline(), body.read(2), next(iter(body)), body.readlines(), body.read()])
        return []

    Patient(application, working=1)({"wsgi.input": io.BytesIO(b"a\nbc\nd\n")}, lambda *_: None)
    assert found == [b"a\n", b"bc", b"\n", [], b""]
