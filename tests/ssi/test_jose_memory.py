"""Headers are remembered between tokens: only small ones, nobody can change them, and `typ` is asked each time."""

from __future__ import annotations

import pytest

from ssi.errors import Malformed, Unsupported
from ssi.jose import jws
from ssi.keys import SoftwareSigner

SIGNER = SoftwareSigner.generate("ES256")


def token(**header: object) -> str:
    return jws.sign({}, signer=SIGNER, header=header)


def remembered() -> int:
    return jws._header.cache_info().currsize


def test_a_small_header_is_read_once() -> None:
    jws._header.cache_clear()
    first, second = (jws.parse(token(typ="a+jwt"), typ=("a+jwt",)) for _ in range(2))
    assert first.header is second.header
    assert remembered() == 1


def test_a_large_header_is_read_and_forgotten() -> None:
    jws._header.cache_clear()
    assert jws.parse(token(kid="k" * 10_000), typ=None).header["kid"] == "k" * 10_000
    assert remembered() == 0


def test_a_remembered_header_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        jws.parse(token(typ="a+jwt"), typ=None).header["alg"] = "none"  # type: ignore[index]


def test_a_remembered_header_is_still_of_one_type_only() -> None:
    jws.parse(token(typ="a+jwt"), typ=("a+jwt",))
    with pytest.raises(Malformed):
        jws.parse(token(typ="a+jwt"), typ=("b+jwt",))


def test_what_was_refused_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(Unsupported):
            jws.parse(token(crit=["exp"]), typ=None)
