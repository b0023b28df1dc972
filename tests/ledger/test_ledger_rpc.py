"""A node is asked patiently, believed only in its protocol's words, and its URL is told to nobody."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import write_json
from ssi.errors import Refused, SsiError, Unavailable
from ssi.fetch import BoundedFetch, Response
from ssi.ledger.rpc import HttpRpc, RpcError, call_many
from tests.ledger import nodes
from tests.ledger.faulty import Web, answer

URL = "https://node.test/v3/sekrit-key"
BUSY = answer({}, status=429)


class Echo:
    """Answers the parameters."""

    def call(self, method: str, params: Any) -> Any:
        if method == "fails":
            raise RpcError(3, "execution reverted", "0x08")
        return params


def rpc(web: Web, slept: list[float] | None = None, **options: Any) -> HttpRpc:
    return HttpRpc(URL, fetch=web, sleep=[].append if slept is None else slept.append, **options)


def error(code: int, message: str = "", **data: Any) -> Response:
    return answer({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, **data}})


def test_the_embedded_chain_is_asked_through_real_sockets(embedded_node: nodes.Node) -> None:
    fetch = BoundedFetch(allow_loopback=True, ca_file=None)
    with nodes.served(embedded_node.rpc) as url:
        asked = HttpRpc(url, fetch=fetch, sleep=time.sleep)
        assert asked.call("eth_chainId", []) == hex(0xFACE7)
        assert asked.call_many([("eth_chainId", []), ("net_version", [])]) == (hex(0xFACE7), str(0xFACE7))
        with pytest.raises(RpcError):
            asked.call("no_such_method", [])
        shut = HttpRpc(url, fetch=BoundedFetch(allow_loopback=False, ca_file=None), sleep=time.sleep)
        with pytest.raises(Unavailable, match=r"may not be asked.*ledger\.unavailable"):
            shut.call("eth_chainId", [])
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        asked.call("eth_chainId", [])


def test_the_real_node_is_asked_through_real_sockets(anvil_node: nodes.Node) -> None:
    assert anvil_node.url is not None
    asked = HttpRpc(anvil_node.url, fetch=BoundedFetch(allow_loopback=True, ca_file=None), sleep=time.sleep)
    assert asked.call_many([("eth_chainId", [])] * 250) == (hex(anvil_node.chain_id),) * 250


def test_who_is_asked_too_often_is_left_alone_for_as_long_as_he_says() -> None:
    slept: list[float] = []
    web = Web(
        Echo(),
        answer({}, status=429, retry_after="7"),
        BUSY,
        error(-32005, "daily request count"),
        answer({}, status=503),
    )
    assert rpc(web, slept).call("x", ["a"]) == ["a"]
    assert slept == [7, 1, 2, 4]
    assert len(web.bodies) == 5


def test_patience_ends() -> None:
    slept: list[float] = []
    with pytest.raises(Unavailable, match=r"ledger\.rate_limited"):
        rpc(Web(Echo(), *[BUSY] * 9), slept).call("x", [])
    assert len(slept) == 4
    slept.clear()
    with pytest.raises(Unavailable, match=r"ledger\.rate_limited"):
        rpc(Web(Echo(), answer({}, status=429, retry_after="3600")), slept).call("x", [])
    assert slept == []


def test_a_pause_named_within_the_error_is_kept() -> None:
    slept: list[float] = []
    web = Web(Echo(), error(-32005, "rate", data={"rate": {"backoff_seconds": 3}}), error(429, "compute units"))
    assert rpc(web, slept).call("x", []) == []
    assert slept == [3, 1]


def test_a_scan_that_is_too_large_is_no_reason_to_wait() -> None:
    slept: list[float] = []
    with pytest.raises(RpcError) as told:
        rpc(Web(Echo(), error(-32005, "query returned more than 10000 results")), slept).call("eth_getLogs", [{}])
    assert (told.value.rpc_code, slept) == (-32005, [])


def test_an_error_is_told_with_its_data() -> None:
    with pytest.raises(RpcError) as told:
        rpc(Web(Echo())).call("fails", [])
    assert (told.value.rpc_code, told.value.message, told.value.data) == (3, "execution reverted", "0x08")
    assert isinstance(told.value, Unavailable)


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html>"),
        answer(b""),
        answer([]),
        answer({}),
        answer({"jsonrpc": "2.0", "id": 2, "result": 1}),
        answer({"jsonrpc": "2.0", "id": 1}),
        answer({"jsonrpc": "2.0", "id": 1, "error": "no"}),
        answer({"jsonrpc": "2.0", "id": 1, "error": {"code": "x"}}),
        answer({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "for somebody else"}}),
        answer(b"{" * 100),
    ],
)
def test_what_is_not_the_protocol_is_no_answer(said: Response) -> None:
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        rpc(Web(Echo(), said)).call("x", [])


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Unavailable("fetch.timeout", ""), "ledger.timeout"),
        (Unavailable("fetch.tls", ""), "ledger.unavailable"),
        (Refused("fetch.too_large", ""), "ledger.too_large"),
        (Refused("fetch.redirect", ""), "ledger.unavailable"),
    ],
)
def test_trouble_on_the_way_is_unavailable_and_never_a_refusal(trouble: Exception, code: str) -> None:
    with pytest.raises(Unavailable) as told:
        rpc(Web(Echo(), trouble)).call("x", [])
    assert told.value.code == code


def test_more_than_is_read_at_once_is_too_large() -> None:
    with pytest.raises(Unavailable, match=r"ledger\.too_large"):
        rpc(Web(Echo(), answer({"jsonrpc": "2.0", "id": 1, "result": "x" * 200})), max_bytes=100).call("x", [])


def test_many_questions_go_in_few_requests_and_answers_are_put_in_order() -> None:
    web = Web(Echo())
    assert rpc(web).call_many([("x", [place]) for place in range(250)]) == tuple([place] for place in range(250))
    assert [len(body) for body in web.bodies] == [100, 100, 50]


def test_who_knows_no_batches_is_asked_one_by_one() -> None:
    web = Web(Echo(), batches=False)
    asked = rpc(web)
    assert asked.call_many([("x", [1]), ("x", [2])]) == ([1], [2])
    assert asked.call_many([("x", [3]), ("x", [4])]) == ([3], [4])
    assert [isinstance(body, list) for body in web.bodies] == [True, False, False, False, False]


def test_a_batch_waits_as_a_single_question_does() -> None:
    slept: list[float] = []
    busy = answer({"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "rate"}})
    inside = answer([{"jsonrpc": "2.0", "id": n, "error": {"code": 429, "message": ""}} for n in (1, 2)])
    assert rpc(Web(Echo(), busy, inside), slept).call_many([("x", [1]), ("x", [2])]) == ([1], [2])
    assert len(slept) == 2


@pytest.mark.parametrize(
    "said", [[], [1], [{"id": 1, "result": 0}], [{"id": 1, "result": 0}, {"id": 1, "result": 0}], "x"]
)
def test_a_batch_with_missing_answers_is_no_answer(said: Any) -> None:
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        rpc(Web(Echo(), answer(said))).call_many([("x", [1]), ("x", [2])])


def test_others_are_asked_one_by_one() -> None:
    assert call_many(Echo(), [("x", [1]), ("y", [2])]) == ([1], [2])


def test_the_url_is_told_to_nobody() -> None:
    leaking = error(-32000, f"invalid key at {URL} in use", data=None)
    assert "sekrit" not in repr(rpc(Web(Echo())))
    assert rpc(Web(Echo())).host == "node.test"
    assert HttpRpc("http://[", fetch=Web(Echo()), sleep=print).host == ""
    for said in (leaking, BUSY, answer(b"x"), answer({}, status=500), Unavailable("fetch.unreachable", "away")):
        with pytest.raises(SsiError) as told:
            rpc(Web(Echo(), *[said] * 5)).call("x", [])
        assert "sekrit" not in str(told.value)
        assert "sekrit" not in repr(told.value)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists).map(write_json)
)
def test_whatever_a_node_says_only_our_errors_come_of_it(body: bytes) -> None:
    for ask in (lambda one: one.call("x", []), lambda one: one.call_many([("x", []), ("y", [])])):
        with suppress(Unavailable):
            ask(rpc(Web(Echo(), *[answer(body)] * 3)))
