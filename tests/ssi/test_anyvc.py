"""Credentials that come over HTTP: the media type says which format they are in."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import vcdm
from ssi.encoding import unb64url, write_json
from ssi.errors import SsiError, Unsupported
from ssi.formats import anyvc
from ssi.issuerkeys import Keys
from ssi.model import Check, Opened, Outcome
from tests.ssi.drafts import JWT_VC, LDP, VC_COSE, VC_JWT, VC_SD_JWT, Sample
from tests.support import NOW, InMemoryFetch

KEYS = Keys(InMemoryFetch({}))
MEDIA_TYPES = {
    "application/vc+jwt": VC_JWT,
    "application/vc+sd-jwt": VC_SD_JWT,
    "application/vc+cose": VC_COSE,
    "application/jwt": JWT_VC,
    "application/vc": LDP,
    "application/ld+json": LDP,
    "application/json": LDP,
}
every = pytest.mark.parametrize(("media_type", "sample"), MEDIA_TYPES.items(), ids=list(MEDIA_TYPES))


def body(sample: Sample) -> bytes:
    wire = sample.issued().wire
    return unb64url(wire) if sample is VC_COSE else wire.encode()


def opened(data: bytes, media_type: str) -> Opened:
    return anyvc.opener(KEYS)(data, media_type, now=NOW)


def is_of(found: Opened, sample: Sample) -> bool:
    signed = next(finding for finding in found.findings if finding.check is Check.SIGNATURE)
    return (found.format, signed.outcome) == (sample.format.ID, Outcome.PASS)


@every
def test_every_media_type_has_its_format(media_type: str, sample: Sample) -> None:
    assert is_of(opened(body(sample), f"{media_type.upper()}; charset=utf-8"), sample)


@pytest.mark.parametrize("sample", [VC_JWT, VC_SD_JWT, VC_COSE, LDP], ids=lambda sample: sample.id)
def test_a_host_that_says_nothing_is_no_obstacle(sample: Sample) -> None:
    for media_type in ("", "text/plain", "application/octet-stream"):
        assert is_of(opened(body(sample), media_type), sample)


@pytest.mark.parametrize("sample", [VC_JWT, VC_SD_JWT, VC_COSE, JWT_VC], ids=lambda sample: sample.id)
def test_envelopes_are_opened(sample: Sample) -> None:
    media_type = next(name for name, one in MEDIA_TYPES.items() if one is sample)
    assert is_of(opened(write_json(vcdm.envelop(body(sample), media_type)), "application/json"), sample)


def test_what_is_not_known_is_not_guessed() -> None:
    again = vcdm.envelop(write_json(vcdm.envelop(body(VC_JWT), "application/vc+jwt")), "application/vc")
    for data, media_type in (
        (body(VC_JWT), "text/html"),
        (b"<html>", ""),
        (write_json(again), "application/vc"),
        (write_json(vcdm.envelop(b"x", "text/html")), "application/vc"),
    ):
        with pytest.raises(Unsupported) as refused:
            opened(data, media_type)
        assert refused.value.code == "anyvc.media_type"


@every
@given(data=st.binary(max_size=60) | st.binary(max_size=40).map(base64.urlsafe_b64encode))
def test_readers_raise_only_ssi_error(media_type: str, sample: Sample, data: bytes) -> None:
    with pytest.raises(SsiError):
        opened(data, media_type)
