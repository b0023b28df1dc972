"""The embedded chain over JSON-RPC: for anybody's client, in the protocol's own errors, and for nothing dangerous."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi.errors import Unavailable
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.devchain import CHAIN_ID, DevChain
from ssi.ledger.devchain.facade import MAX_BODY, answer, app
from tests import peers
from tests.ledger import nodes
from tests.ledger.raw import KEEPER, dynamic
from wallet.issuer import chaincli

NOW = 1_795_400_000


@pytest.fixture(scope="module")
def rich() -> SoftwareAccount:
    return SoftwareAccount.generate()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, rich: SoftwareAccount) -> Iterator[DevChain]:
    path = tmp_path_factory.mktemp("chain") / "c.db"
    with DevChain(path, clock=lambda: NOW, faucet=[rich.address], playground=True) as made:
        yield made


def ask(chain: DevChain, body: Any) -> Any:
    found = answer(chain, json.dumps(body).encode())
    return json.loads(found) if found else None


def request(method: str, *params: Any, number: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def test_one_question_and_many(chain: DevChain) -> None:
    assert ask(chain, request("eth_chainId", number="a")) == {"jsonrpc": "2.0", "id": "a", "result": hex(CHAIN_ID)}
    found = ask(chain, [request("eth_chainId", number=2), request("eth_nothing", number=3), {"no": "request"}])
    assert [one["id"] for one in found] == [2, 3, None]
    assert [one.get("error", {}).get("code") for one in found] == [None, -32_601, -32_600]


def test_who_asks_without_a_number_is_not_answered(chain: DevChain) -> None:
    silent = {"jsonrpc": "2.0", "method": "eth_chainId"}
    assert ask(chain, silent) is None
    assert ask(chain, [silent, silent]) is None
    assert len(ask(chain, [silent, request("eth_chainId")])) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32_700),
        (b"[]", -32_600),
        (b"7", -32_600),
        (json.dumps([request("eth_chainId")] * 101).encode(), -32_600),
        (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": {"a": 1}}).encode(), -32_602),
        (json.dumps({"jsonrpc": "2.0", "id": True, "method": "eth_chainId"}).encode(), -32_600),
        (json.dumps(request("facet_give", "0x" + "11" * 20, "0x1")).encode(), -32_601),
        (json.dumps(request("facet_reorg", "0x1")).encode(), -32_601),
        (json.dumps(request("eth_getBalance", "0x1", "latest")).encode(), -32_602),
    ],
)
def test_wrong_questions_get_the_protocols_errors(body: bytes, code: int, chain: DevChain) -> None:
    found = json.loads(answer(chain, body))
    assert found["error"]["code"] == code
    assert "Traceback" not in str(found)


def test_a_refusal_of_a_contract_keeps_its_data(chain: DevChain, rich: SoftwareAccount) -> None:
    sent = ask(chain, request("eth_sendRawTransaction", dynamic(rich, chain_id=CHAIN_ID, nonce=0, data=KEEPER)))
    place = ask(chain, request("eth_getTransactionReceipt", sent["result"]))["result"]["contractAddress"]
    error = ask(chain, request("eth_call", {"to": place}, "latest"))["error"]
    assert (error["code"], error["message"]) == (3, "execution reverted: no")
    assert error["data"].startswith("0x08c379a0")


def test_what_fails_inside_is_not_told(chain: DevChain, monkeypatch: Any) -> None:
    class Broken:
        allowance = chain.allowance

        def call(self, *_: Any, **__: Any) -> Any:
            raise self.trouble

        trouble: Exception = RuntimeError("secret")

    broken: Any = Broken()
    assert ask(broken, request("eth_chainId"))["error"] == {"code": -32_603, "message": "internal error"}
    broken.trouble = Unavailable("ledger.store", "secret")
    assert ask(broken, request("eth_chainId"))["error"] == {"code": -32_002, "message": "resource unavailable"}


def test_an_answer_does_not_grow_without_end(chain: DevChain, monkeypatch: Any) -> None:
    monkeypatch.setattr("ssi.ledger.devchain.facade.MAX_ANSWER", 2_000)
    found = ask(chain, [request("eth_getBlockByNumber", "0x0", False, number=number) for number in range(5)])
    assert [one["id"] for one in found] == list(range(5))
    assert "result" in found[0]
    assert found[-1]["error"]["message"] == "response too large"


def over_http(chain: DevChain, body: bytes = b"", **environ: str) -> tuple[str, dict[str, str], bytes]:
    seen: list[Any] = []
    asked = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    parts = app(chain)(asked, lambda status, headers: seen.extend([status, dict(headers)]))
    return seen[0], seen[1], b"".join(parts)


def test_over_http(chain: DevChain) -> None:
    body = json.dumps(request("eth_chainId")).encode()
    status, headers, found = over_http(chain, body, CONTENT_TYPE="application/json; charset=utf-8")
    assert (status, json.loads(found)["result"]) == ("200 OK", hex(CHAIN_ID))
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(found))
    for expected, environ in {
        "405": {"REQUEST_METHOD": "GET"},
        "415": {"CONTENT_TYPE": "text/plain"},
        "411": {"CONTENT_LENGTH": ""},
        "413": {"CONTENT_LENGTH": str(MAX_BODY + 1)},
    }.items():
        status, headers, found = over_http(chain, body, **environ)
        assert status.startswith(expected)
        assert json.loads(found)["error"]
    assert over_http(chain, b'{"jsonrpc":"2.0","method":"eth_chainId"}')[0] == "204 No Content"


@settings(max_examples=200)
@given(body=st.binary(max_size=80) | st.text(max_size=60).map(lambda text: json.dumps([text, {"id": text}]).encode()))
def test_any_body_gets_an_answer(body: bytes, chain: DevChain) -> None:
    assert json.loads(answer(chain, body))


def test_the_command_serves_what_bootstrap_made(tmp_path: Path, monkeypatch: Any) -> None:
    missing = CliRunner().invoke(chaincli.command, ["--data", str(tmp_path)])
    assert isinstance(missing.exception, Unavailable)
    (tmp_path / "ledger").mkdir()
    chaincli.open_chain(tmp_path).close()
    with monkeypatch.context() as patched:
        patched.setattr("wallet.issuer.chaincli._Server.serve_forever", _interrupted)
        done = CliRunner().invoke(chaincli.command, ["--data", str(tmp_path), "--port", "0", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["url"].startswith("http://127.0.0.1:")
    assert told["chain_id"] == CHAIN_ID
    assert told["account"] == str(tmp_path / "issuer" / "ledger.key")
    poor = "0x" + "ab" * 20
    given = CliRunner().invoke(chaincli.command, ["--data", str(tmp_path), "--fund", poor, "--json"])
    assert (given.exit_code, json.loads(given.output)["account"]) == (0, poor)
    assert CliRunner().invoke(chaincli.command, ["--data", str(tmp_path), "--port", "80000"]).exit_code == 2
    with chaincli.open_chain(tmp_path) as chain, nodes.served(chain) as url:
        assert nodes.UrlRpc(url).call("eth_getBalance", [poor, "latest"]) == hex(10**18)
        assert nodes.UrlRpc(url).call("eth_blockNumber") == "0x1"
        with pytest.raises(Unavailable, match=r"serve\.address"):
            chaincli.server(chain, int(url.rsplit(":", 1)[1]))


def _interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_others_software_writes_and_reads_through_it(chain: DevChain) -> None:
    reason = peers.missing()
    if reason is not None:
        pytest.skip(reason)
    secret = bytes(range(1, 33))
    account = SoftwareAccount.from_secret(secret)
    chain.call("facet_give", [account.address, hex(nodes.ETHER)])
    with nodes.served(chain) as url:
        peer = peers.Peer("chain.mjs")
        try:
            found = peer.ask("use", url=url, secret="0x" + secret.hex())
            assert (found["address"].lower(), found["chainId"]) == (account.address.lower(), CHAIN_ID)
            assert found["balance"] == str(nodes.ETHER)
            wrote = peer.ask("write", value="https://demo.test")
            assert (wrote["status"], wrote["told"], wrote["time"]) == (1, "https://demo.test", NOW)
            assert wrote["changed"] == wrote["block"]
            assert wrote["owner"] == found["address"]
            assert wrote["sameHash"] is True
            block: Any = chain.call("eth_getBlockByNumber", [hex(wrote["block"]), False])
            assert block["hash"] == wrote["blockHash"]
            assert peer.ask("refused")["reasons"] == ["bad_actor", "bad_actor"]
            resolved = peer.ask("resolve", network="0xface7")
            assert resolved["result"]["didResolutionMetadata"].get("error") is None, resolved
            document = resolved["result"]["didDocument"]
            assert document["service"][0]["serviceEndpoint"] == "https://demo.test"
            assert len(document["verificationMethod"]) == 2
        finally:
            peer.close()
