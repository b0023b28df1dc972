"""Sealing, service keys, passphrases and session cookies."""

from __future__ import annotations

import base64
import contextlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Request, Response
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from ssi.errors import Malformed, Refused, SsiError, Unavailable
from tests.support import NOW
from wallet.holder import passphrase
from wallet.holder.passphrase import Cost, Derivation, account_name, require_strong
from wallet.holder.sealing import Key, place
from wallet.holder.servicekeys import ServiceKeys, read_service_keys
from wallet.holder.session import Session, Sessions

CHEAP = Cost(memory=64, passes=1)


def test_sealed_data_opens_only_with_its_key_at_its_place_and_unchanged() -> None:
    key = Key.generate()
    sealed = key.seal(b"plain", bound_to=b"here")
    assert key.open(sealed, bound_to=b"here") == b"plain"
    assert b"plain" not in sealed
    for other_key, other_data, other_place in (
        (Key.generate(), sealed, b"here"),
        (key, sealed, b"there"),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), b"here"),
        (key, sealed[:20], b"here"),
        (key, b"", b"here"),
    ):
        with pytest.raises(Refused) as refused:
            other_key.open(other_data, bound_to=other_place)
        assert refused.value.code == "sealing.altered"


def test_no_two_sealings_are_alike_and_no_key_shows_itself() -> None:
    key = Key.generate()
    assert key.seal(b"x", bound_to=b"") != key.seal(b"x", bound_to=b"")
    assert key.secret.hex() not in repr(key)
    assert str(key.secret) not in repr(key)


def test_keys_for_two_purposes_differ() -> None:
    key = Key(bytes(32))
    assert key.derive("a").secret != key.derive("b").secret != key.secret
    assert key.derive("a") == Key(bytes(32)).derive("a")


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_two_places_never_share_an_encoding(one: list[str], other: list[str]) -> None:
    assert (place(*one) == place(*other)) == (one == other)


def test_the_key_file_gives_the_same_keys_to_every_replica_and_rotates(tmp_path: Path) -> None:
    file = tmp_path / "cookie.key"
    file.write_text("a" * 43 + "\n")
    one, other = read_service_keys(file), read_service_keys(file)
    assert one == other
    file.write_text("b" * 43 + "\n" + "a" * 43 + "\n")
    rotated = read_service_keys(file)
    assert rotated.current != one.current
    assert rotated.named(one.current.id) == one.current
    assert rotated.named("other") is None


def test_a_missing_key_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        read_service_keys(tmp_path / "cookie.key")


def test_derivation_depends_on_passphrase_salt_pepper_and_survives_storage() -> None:
    pepper = Key.generate()
    one = Derivation.fresh(CHEAP)
    key = one.key("correct horse battery", pepper=pepper)
    assert Derivation.read(one.json()).key("correct horse battery", pepper=pepper) == key
    assert one.key("correct horse batterx", pepper=pepper) != key
    assert one.key("correct horse battery", pepper=Key.generate()) != key
    assert Derivation.fresh(CHEAP).key("correct horse battery", pepper=pepper) != key


def test_the_cost_that_people_get_is_the_one_promised() -> None:
    assert Cost(memory=65_536, passes=3, lanes=1) == passphrase.DEFAULT_COST


@pytest.mark.parametrize(
    "change",
    [{"kdf": "pbkdf2"}, {"m": 2**40}, {"m": "64"}, {"t": 0}, {"p": 0}, {"salt": 1}, {"salt": "*"}, {"t": None}],
)
def test_absurd_stored_parameters_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(SsiError):
        Derivation.read({**Derivation.fresh(CHEAP).json(), **change})


def test_one_passphrase_typed_on_two_keyboards_is_one() -> None:
    derivation, pepper = Derivation.fresh(CHEAP), Key.generate()
    assert derivation.key("caf\u00e9 terrasse", pepper=pepper) == derivation.key("cafe\u0301 terrasse", pepper=pepper)


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\u0000b", "a\u202eb"])
def test_unusable_names_are_refused(name: str) -> None:
    with pytest.raises(Malformed):
        account_name(name)


@given(st.text())
def test_any_text_is_a_name_or_malformed(name: str) -> None:
    with contextlib.suppress(Malformed):
        assert account_name(account_name(name)) == account_name(name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("elevenchars", "passphrase.short"),
        ("aaaaaaaaaaaaaaaa", "passphrase.guessable"),
        ("123456789012345", "passphrase.guessable"),
        ("passwordpassword", "passphrase.guessable"),
        ("qwertyuiop1234", "passphrase.guessable"),
        ("adaadaadaada12", "passphrase.guessable"),
        ("x1" * 600, "passphrase.long"),
    ],
)
def test_weak_passphrases_are_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        require_strong(text, name="ada")
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["correct horse battery", "Vier Wörter am Fluss", "kX9#mQ2$vL7!"])
def test_good_passphrases_pass(text: str) -> None:
    require_strong(text, name="ada")


def _session(keys: ServiceKeys | None = None) -> tuple[Sessions, Session]:
    one = Session("vault-id", Key.generate(), 3, int(NOW.timestamp()), int(NOW.timestamp()))
    return Sessions(keys or ServiceKeys.generate(), "__Host-facet-wallet", secure=True), one


def _cookie(sessions: Sessions, session: Session, *, now: datetime = NOW) -> str:
    response = Response()
    sessions.write(response, session, now=now)
    return response.headers["Set-Cookie"]


def _back(cookie: str) -> Request:
    return Request(EnvironBuilder(headers={"Cookie": cookie.partition(";")[0]}).get_environ())


def test_a_session_comes_back_as_it_went_in_a_cookie_that_scripts_and_other_sites_cannot_use() -> None:
    sessions, one = _session()
    cookie = _cookie(sessions, one)
    assert sessions.read(_back(cookie), now=NOW) == one
    assert one.vault not in cookie
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=900"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)


def test_a_session_dies_by_idleness_and_by_age() -> None:
    sessions, one = _session()
    cookie = _back(_cookie(sessions, one))
    assert sessions.read(cookie, now=NOW + timedelta(minutes=14, seconds=59)) == one
    with pytest.raises(Refused):
        sessions.read(cookie, now=NOW + timedelta(minutes=15))
    late = NOW + timedelta(hours=7, minutes=55)
    kept_busy = _cookie(sessions, one, now=late)
    assert "max-age=300" in kept_busy.lower()
    sessions.read(_back(kept_busy), now=NOW + timedelta(hours=7, minutes=59))
    with pytest.raises(Refused):
        sessions.read(_back(kept_busy), now=NOW + timedelta(hours=8))


def test_a_session_from_the_future_or_another_service_is_refused() -> None:
    sessions, one = _session()
    with pytest.raises(Refused):
        sessions.read(_back(_cookie(sessions, one, now=NOW + timedelta(hours=1))), now=NOW)
    with pytest.raises(Refused):
        sessions.read(_back(_cookie(_session()[0], one)), now=NOW)


def test_a_retired_service_key_still_opens_its_sessions() -> None:
    old = ServiceKeys.generate()
    sessions, one = _session(old)
    ring, _ = _session(ServiceKeys((ServiceKeys.generate().current, old.current)))
    assert ring.read(_back(_cookie(sessions, one)), now=NOW) == one


@given(st.binary(max_size=80))
def test_no_rubbish_is_a_session_sealed_or_not(plain: bytes) -> None:
    sessions, _ = _session(_KEYS)
    sealed = _KEYS.current.cookies.seal(plain, bound_to=b"__Host-facet-wallet")
    for value in (plain, sealed):
        text = base64.urlsafe_b64encode(value).rstrip(b"=").decode()
        with pytest.raises(Refused):
            sessions.read(_back(f"__Host-facet-wallet={text}"), now=NOW)


@pytest.mark.parametrize("content", [{}, {"v": 1}, {"v": "x", "k": "AA", "e": 1, "b": 1, "s": 1}, {"v": "x", "k": 3}])
def test_a_sealed_cookie_that_is_no_session_is_refused(content: dict[str, object]) -> None:
    sessions, _ = _session()
    response = Response()
    sessions._cookie(timedelta(minutes=1)).put(response, content, now=NOW)
    with pytest.raises(Refused):
        sessions.read(_back(response.headers["Set-Cookie"]), now=NOW)


_KEYS = ServiceKeys.generate()
