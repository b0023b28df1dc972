"""A stranger's presentations cannot fill the memory: only small holder keys are remembered between requests."""

from __future__ import annotations

import pytest

from ssi.errors import SsiError
from ssi.formats import keybinding
from ssi.keys import SoftwareSigner

KEY = SoftwareSigner.generate("ES256").public


def remembered() -> int:
    return keybinding._remembered.cache_info().currsize


def test_a_plain_key_is_remembered() -> None:
    keybinding._remembered.cache_clear()
    assert keybinding.public_key({**KEY.jwk, "kid": "1", "use": "sig", "alg": "ES256"}) == KEY
    assert remembered() == 1


@pytest.mark.parametrize("ballast", [{"x5u": "a" * 100_000}, {"a" * 100_000: "b"}, {"x5c": ["a"]}, {"n": 1}])
def test_a_key_with_much_beside_it_is_read_and_forgotten(ballast: dict[str, object]) -> None:
    keybinding._remembered.cache_clear()
    assert keybinding.public_key({**KEY.jwk, **ballast}) == KEY
    assert remembered() == 0


@pytest.mark.parametrize("jwk", [None, [], "key", 1, {"kty": None}, {"kty": 1}, {}])
def test_what_is_no_key_is_still_an_error_of_the_house(jwk: object) -> None:
    with pytest.raises(SsiError):
        keybinding.public_key(jwk)
