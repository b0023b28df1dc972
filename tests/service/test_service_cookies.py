"""Can a sealed cookie be read, moved, changed or kept alive by anyone else?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from service.cookies import SealedCookie, read_keys
from ssi.encoding import b64url, seconds, unb64url
from ssi.errors import Malformed, Unavailable
from tests.support import NOW

KEY, OTHER = b"k" * 32, b"o" * 32
COOKIE = SealedCookie("__Host-facet-wallet", (KEY,), timedelta(minutes=10), secure=True)
EXPIRES = seconds(NOW + COOKIE.lifetime)


def test_what_was_sealed_can_be_opened_until_it_expires() -> None:
    value = COOKIE.seal({"vault": "secret"}, expires=EXPIRES)
    assert COOKIE.open(value, now=NOW) == {"vault": "secret"}
    assert COOKIE.open(value, now=NOW + timedelta(minutes=10)) is None
    assert "secret" not in value


def test_no_other_name_or_key_opens_it_and_no_expiry_can_be_written_over() -> None:
    value = COOKIE.seal({"a": 1}, expires=EXPIRES)
    assert SealedCookie("__Host-facet-issuer", (KEY,), COOKIE.lifetime, secure=True).open(value, now=NOW) is None
    assert SealedCookie(COOKIE.name, (OTHER,), COOKIE.lifetime, secure=True).open(value, now=NOW) is None
    data = unb64url(value)
    later = b64url((EXPIRES + 1000).to_bytes(8, "big") + data[8:])
    assert COOKIE.open(later, now=NOW) is None


def test_an_old_key_still_opens_and_a_new_one_seals() -> None:
    value = COOKIE.seal({"a": 1}, expires=EXPIRES)
    turned = SealedCookie(COOKIE.name, (OTHER, KEY), COOKIE.lifetime, secure=True)
    assert turned.open(value, now=NOW) == {"a": 1}
    assert COOKIE.open(turned.seal({"a": 1}, expires=EXPIRES), now=NOW) is None


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(b64url)))
def test_anything_else_is_no_cookie(value: str) -> None:
    assert COOKIE.open(value, now=NOW) is None


def test_a_cookie_that_browsers_would_drop_is_refused() -> None:
    with pytest.raises(Malformed, match=r"cookie\.size"):
        COOKIE.seal({"a": "x" * 4000}, expires=EXPIRES)


def test_the_browser_gets_it_with_all_its_guards() -> None:
    app = Flask("toy")

    @app.get("/in")
    def sign_in() -> Response:
        response = Response("in")
        COOKIE.put(response, {"a": 1}, now=NOW)
        return response

    @app.get("/me")
    def me() -> str:
        return str(COOKIE.get(request, now=NOW))

    @app.get("/out")
    def sign_out() -> Response:
        response = Response("out")
        COOKIE.drop(response)
        return response

    client = app.test_client()
    client_url = "https://localhost"
    header = client.get("/in", base_url=client_url).headers["Set-Cookie"]
    for part in ("__Host-facet-wallet=", "Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"):
        assert part in header
    assert "Domain" not in header
    assert client.get("/me", base_url=client_url).text == "{'a': 1}"
    assert "Max-Age=0" in client.get("/out", base_url=client_url).headers["Set-Cookie"]
    assert client.get("/me", base_url=client_url).text == "None"


def test_keys_come_from_a_file_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "cookie.key"
    path.write_text("a" * 40 + "\n" + "b" * 40 + "\n")
    first, second = read_keys(path)
    assert first != second
    assert len(first) == len(second) == 32
    path.write_text("short\n")
    with pytest.raises(Unavailable, match=r"cookie\.key_missing"):
        read_keys(path)
    with pytest.raises(Unavailable, match=r"cookie\.key_missing"):
        read_keys(tmp_path / "none")
