"""Request links: what is one, what is none."""

from __future__ import annotations

import doctest
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, SsiError
from ssi.oid4vp import RequestLink, links, parse_link, request_link, urls

CLIENT = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk"
URI = "https://rp.test/oid4vp/1/request?x=1"


@pytest.mark.parametrize("base", ["openid4vp://", "openid4vp:", "haip-vp://", "https://wallet.test/authorize",
                                  "openid4vp://authorize", "https://wallet.test/a?b=c"])  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_made_link_is_read(base: str, method: str) -> None:
    read = parse_link(f"  {request_link(CLIENT, URI, base=base, method=method)}\n")
    assert (read.client_id, read.request_uri, read.method, read.request) == (CLIENT, URI, method, None)


def test_a_get_link_does_not_name_the_method() -> None:
    assert "request_uri_method" not in request_link(CLIENT, URI)


def test_requests_by_value_are_read() -> None:
    assert parse_link(f"openid4vp://?client_id={CLIENT}&request=a.b.c") == RequestLink(
        CLIENT, request="a.b.c", parameters={"client_id": CLIENT, "request": "a.b.c"}
    )
    inline = parse_link("openid4vp://?" + urlencode({"client_id": "redirect_uri:x", "response_type": "vp_token"}))
    assert inline.parameters["response_type"] == "vp_token"


def link(**parameters: str) -> str:
    return "openid4vp://?" + urlencode(parameters)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "oid4vp.link"),
        ("hello", "oid4vp.link"),
        ("openid4vp://", "oid4vp.link"),
        ("openid4vp://?", "oid4vp.link"),
        ("https://shop.test/", "oid4vp.link"),
        ("https://shop.test/?a=1", "oid4vp.link"),
        ("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fi.test", "oid4vp.link"),
        ("javascript:alert(1)?" + urlencode({"client_id": CLIENT, "request_uri": URI}), "oid4vp.link"),
        ("http://wallet.test/?" + urlencode({"client_id": CLIENT, "request_uri": URI}), "oid4vp.link"),
        (link(request_uri=URI), "oid4vp.link"),
        (link(client_id="", request_uri=URI), "oid4vp.link"),
        (link(client_id=CLIENT), "oid4vp.link"),
        (link(client_id=CLIENT, request_uri=URI, request="a.b.c"), "oid4vp.link"),
        (link(client_id=CLIENT, request_uri=URI) + "&client_id=other", "oid4vp.link"),
        (link(client_id=CLIENT, request_uri="http://rp.test/"), "oid4vp.url"),
        (link(client_id=CLIENT, request_uri="https://a@rp.test/"), "oid4vp.url"),
        (link(client_id=CLIENT, request_uri="https:///"), "oid4vp.url"),
        (link(client_id=CLIENT, request_uri="https://rp.test/#f"), "oid4vp.url"),
        (link(client_id=CLIENT, request_uri="data:text/plain,x"), "oid4vp.url"),
        (link(client_id=CLIENT, request_uri=URI, request_uri_method="POST"), "oid4vp.request_uri_method"),
        (link(client_id=CLIENT, request_uri=URI, request_uri_method="put"), "oid4vp.request_uri_method"),
        (link(client_id=CLIENT, request="a.b.c", request_uri_method="get"), "oid4vp.request_uri_method"),
        ("openid4vp://?client_id=%ff&request=a", "oid4vp.link"),
        ("openid4vp://[?client_id=a&request=a", "oid4vp.link"),
        ("openid4vp://?" + "&".join(f"a{n}=1" for n in range(65)), "oid4vp.link"),
        ("openid4vp://?client_id=" + "a" * 70_000, "oid4vp.link"),
        ("openid4vp://?client_id=é&request=a", "oid4vp.link"),
    ],
)
def test_what_is_no_request_link(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_link(text)
    assert refusal.value.code == code


def test_plain_http_is_for_loopback() -> None:
    local = "http://localhost:8443/r"
    assert parse_link(link(client_id=CLIENT, request_uri=local)).request_uri == local


@given(st.text(max_size=60) | st.builds("openid4vp://?{}".format, st.text(max_size=50)))
def test_reader_raises_only_ssi_error(text: str) -> None:
    try:
        parse_link(text)
    except SsiError:
        return


@given(st.dictionaries(st.sampled_from(["client_id", "request", "request_uri", "request_uri_method"]), st.text()))
def test_reader_raises_only_ssi_error_for_any_parameters(parameters: dict[str, str]) -> None:
    try:
        parse_link(link(**{name: value.encode("utf-8", "replace").decode() for name, value in parameters.items()}))
    except SsiError:
        return


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(links).failed == 0
    assert doctest.testmod(urls).failed == 0


def test_the_plus_of_a_format_survives_where_the_asker_left_it_bare() -> None:
    query = "%7B%22credentials%22%3A%5B%7B%22format%22%3A%22dc+sd-jwt%22%7D%5D%7D"
    link = parse_link(
        f"openid4vp://?client_id=redirect_uri%3Ahttps%3A%2F%2Fa.test&response_type=vp_token&dcql_query={query}"
    )
    assert json.loads(link.parameters["dcql_query"]) == {"credentials": [{"format": "dc+sd-jwt"}]}
    spaced = parse_link("openid4vp://?client_id=a&response_type=vp_token&state=one+two")
    assert spaced.parameters["state"] == "one two"
