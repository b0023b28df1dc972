"""The lean entry answers as the framework would, to the letter; and only what is plain takes it."""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.test import EnvironBuilder

from service.app import BODY_LIMIT, json_answer, make_app
from service.crosssite import open_to_all
from service.lean import Lean
from service.settings import read
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unavailable, Unsupported

FORM = "application/x-www-form-urlencoded"
_TROUBLE = {
    b"malformed": Malformed("toy.malformed", "Cannot be read."),
    b"unsupported": Unsupported("toy.unsupported", "Not known here."),
    b"refused": Refused("toy.refused", "Not allowed."),
    b"unavailable": Unavailable("toy.unavailable", "Not now."),
    b"away": OperationalError("SELECT 1", {}, Exception("gone")),
    b"wait": ServiceUnavailable(retry_after=5),
    b"bug": RuntimeError("secret inside"),
    b"unwritable": None,
}


def take(thing: str, body: bytes) -> tuple[int, Json]:
    if body == b"unwritable":
        return 200, {"set": {1}}
    if body in _TROUBLE:
        raise _TROUBLE[body]  # type: ignore[misc]
    if body.startswith(b"status"):
        return int(body[6:]), {"thing": thing}
    return 200, {"thing": thing, "body": body.decode()}


class Toy:
    """One role with one address that has both ways in, and a count of who came by which."""

    def __init__(self, **settings: str) -> None:
        values = {f"FACET_VERIFIER_{name.upper()}": value for name, value in settings.items()}
        self.app: Flask = make_app("tests.service", role="verifier", settings=read("verifier", values), health=print)
        self.views = self.taken = 0

        @self.app.post("/things/<thing>/go")
        @open_to_all
        def go(thing: str) -> Any:
            self.views += 1
            body = request.get_data(cache=False)
            if request.mimetype != FORM:
                raise Unsupported("toy.type", "Not that type.")
            status, told = take(thing, body)
            return json_answer(told, status=status)

        def counted(thing: str, body: bytes) -> tuple[int, Json]:
            self.taken += 1
            return take(thing, body)

        self.lean = Lean(self.app, before="/things/", after="/go", media_type=FORM, take=counted)


def plain(body: bytes = b"a=b", path: str = "/things/x-1_Y/go", **changes: Any) -> dict[str, Any]:
    """What an ordinary client's request is to WSGI; `None` takes a variable away."""
    environ = EnvironBuilder(path=path, method="POST", data=body, content_type=FORM).get_environ()
    environ |= {"wsgi.input_terminated": True} | changes
    return {name: value for name, value in environ.items() if value is not None}


def answer_of(way: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    told: list[Any] = []
    result = way(dict(environ), lambda status, headers, _info=None: told.append((status, list(headers))))
    body = b"".join(result)
    if hasattr(result, "close"):
        result.close()
    ((status, headers),) = told
    without_reference = re.sub(rb"reference [0-9a-f]{8}", b"reference", body)
    return status, sorted(headers), without_reference


@pytest.fixture(scope="module")
def toy() -> Iterator[Toy]:
    return Toy()


LEAN: dict[str, dict[str, Any]] = {
    "an answer": {},
    "an answer of another kind": {"body": b"status400"},
    "a status of one's own": {"body": b"status409"},
    "the largest body": {"body": b"x" * BODY_LIMIT},
    "a query beside it": {"QUERY_STRING": "a=b&x=%zz"},
    "from a page elsewhere": {"HTTP_ORIGIN": "https://elsewhere.example", "HTTP_SEC_FETCH_SITE": "cross-site"},
    "a page wanted": {"HTTP_ACCEPT": "text/html"},
    "with a cookie": {"HTTP_COOKIE": "session=1"},
    **{name.decode(): {"body": name} for name in _TROUBLE},
}
WHOLE: dict[str, dict[str, Any]] = {
    "GET": {"REQUEST_METHOD": "GET"},
    "HEAD": {"REQUEST_METHOD": "HEAD"},
    "OPTIONS": {"REQUEST_METHOD": "OPTIONS"},
    "PUT": {"REQUEST_METHOD": "PUT"},
    "an odd method": {"REQUEST_METHOD": "post"},
    "another type": {"CONTENT_TYPE": "application/json"},
    "no type": {"CONTENT_TYPE": None},
    "a type with a parameter": {"CONTENT_TYPE": f"{FORM}; charset=utf-8"},
    "a type in capitals": {"CONTENT_TYPE": FORM.upper()},
    "no length": {"CONTENT_LENGTH": None},
    "an empty length": {"CONTENT_LENGTH": ""},
    "a length that is none": {"CONTENT_LENGTH": "three"},
    "a negative length": {"CONTENT_LENGTH": "-3"},
    "a length in other digits": {"CONTENT_LENGTH": "\u0663"},
    "a length with a sign": {"CONTENT_LENGTH": "+3"},
    "a length beyond all numbers": {"CONTENT_LENGTH": "9" * 5000},
    "too much": {"body": b"x" * (BODY_LIMIT + 1)},
    "more said than sent": {"CONTENT_LENGTH": "30"},
    "chunks": {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": None},
    "chunks and a length": {"HTTP_TRANSFER_ENCODING": "chunked"},
    "another address": {"path": "/things/x/stop"},
    "a longer address": {"path": "/things/x/go/on"},
    "a slash at the end": {"path": "/things/x/go/"},
    "a slash in the middle": {"path": "/things/x/y/go"},
    "two slashes": {"path": "/things//x/go"},
    "a name with a dot": {"path": "/things/x.y/go"},
    "a name that is long": {"path": f"/things/{'x' * 65}/go"},
    "a name in other letters": {"path": "/things/%C3%A9/go"},
    "a line break at the end": {"path": "/things/x/go%0A"},
}


@pytest.mark.parametrize("changes", [*LEAN.values(), *WHOLE.values()], ids=[*LEAN, *WHOLE])
def test_the_answer_is_the_frameworks_own(toy: Toy, changes: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    told, logged = [], []
    for way in (toy.lean._whole, toy.lean):
        caplog.clear()
        with caplog.at_level(logging.INFO, "facet"):
            told.append(answer_of(way, plain(**changes)))
        kept = ("levelname", "message", "code", "status", "endpoint", "kind")
        logged.append([{name: vars(record).get(name) for name in kept} for record in caplog.records])
    assert told[0] == told[1]
    assert logged[0] == logged[1]


@pytest.mark.parametrize("changes", LEAN.values(), ids=LEAN)
def test_what_is_plain_is_taken_without_the_framework(toy: Toy, changes: dict[str, Any]) -> None:
    before = (toy.views, toy.taken)
    answer_of(toy.lean, plain(**changes))
    assert (toy.views, toy.taken) == (before[0], before[1] + 1)


@pytest.mark.parametrize("changes", WHOLE.values(), ids=WHOLE)
def test_what_is_unusual_is_left_to_the_framework(toy: Toy, changes: dict[str, Any]) -> None:
    before = toy.taken
    answer_of(toy.lean, plain(**changes))
    assert toy.taken == before


def test_a_service_on_a_real_name_sends_its_own_headers() -> None:
    toy = Toy(base_url="https://verifier.example")
    answer = answer_of(toy.lean, plain())
    assert answer == answer_of(toy.lean._whole, plain())
    assert "Strict-Transport-Security" in dict(answer[1])
    assert dict(answer[1])["Cache-Control"] == "no-store"


def test_a_body_that_comes_in_pieces_is_read_to_its_end(toy: Toy) -> None:
    class Pieces(io.RawIOBase):
        def __init__(self) -> None:
            self.left = [b"a", b"=", b"b"]

        def read(self, size: int = -1) -> bytes:
            return self.left.pop(0) if self.left else b""

    status, _headers, body = answer_of(toy.lean, plain(**{"wsgi.input": Pieces()}))
    assert (status, body) == ("200 OK", b'{"thing":"x-1_Y","body":"a=b"}')


def test_a_body_that_must_not_be_waited_for_is_answered_as_the_framework_does(toy: Toy) -> None:
    class Full:
        def read(self, _size: int = -1) -> bytes:
            raise ServiceUnavailable(retry_after=5)

    answers = [answer_of(way, plain(**{"wsgi.input": Full()})) for way in (toy.lean._whole, toy.lean)]
    assert answers[0] == answers[1]
    assert answers[1][0] == "503 SERVICE UNAVAILABLE"
    assert dict(answers[1][1])["Retry-After"] == "5"


def test_who_waits_for_somebody_slow_goes_ahead(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    held, told = threading.Event(), []

    def slow(thing: str, _body: bytes) -> tuple[int, Json]:
        if thing == "slow":
            assert held.wait(10)
        return 200, {"thing": thing}

    monkeypatch.setattr(toy.lean, "_take", slow)
    first = threading.Thread(target=lambda: told.append(answer_of(toy.lean, plain(path="/things/slow/go"))[2]))
    first.start()
    assert answer_of(toy.lean, plain(path="/things/quick/go"))[2] == b'{"thing":"quick"}'
    assert told == []
    held.set()
    first.join()
    assert told == [b'{"thing":"slow"}']
    assert toy.lean._turn.acquire(blocking=False)  # whoever took a turn has given it back
    toy.lean._turn.release()
