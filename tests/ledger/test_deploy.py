"""scripts/deploy.py: both contracts are put onto a chain once, whatever happens on the way; only ours are declared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts import deploy
from ssi.fetch import BoundedFetch
from ssi.ledger import anchor, declared
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.writing import Writer
from tests.ledger import nodes
from tests.ledger.raw import dynamic


@dataclass(frozen=True)
class Site:
    """A node over HTTP, an account with money there, and a directory."""

    node: nodes.Node
    url: str
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "ledger.key"

    @property
    def out(self) -> Path:
        return self.folder / "ledger.json"

    def run(self, *more: str, urls: tuple[str, ...] = ()) -> int:
        named = [part for url in urls or (self.url,) for part in ("--rpc", url)]
        given = ["--name", "Ours", "--key", str(self.key), "--out", str(self.out), "--allow-loopback", *named, *more]
        return deploy.main(given)

    def account(self, *, wei: int = 10 * nodes.ETHER) -> SoftwareAccount:
        made = self.node.account(wei=wei)
        self.key.write_bytes(made.pem())
        return made

    def sent(self, account: SoftwareAccount) -> int:
        return int(self.node.rpc.call("eth_getTransactionCount", [account.address, "latest"]), 16)


@pytest.fixture
def served(node: nodes.Node) -> Iterator[str]:
    if node.url is not None:
        yield node.url
        return
    with nodes.served(node.rpc) as url:
        yield url


@pytest.fixture
def site(node: nodes.Node, served: str, tmp_path: Path) -> Site:
    return Site(node, served, tmp_path)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "POLL_SECONDS", 0.01)


def test_both_contracts_are_made_and_declared(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    account, accreditor = site.account(), SoftwareAccount.generate()
    (site.folder / "accreditor.key").write_bytes(accreditor.pem())
    assert site.run("--accreditor", str(site.folder / "accreditor.key")) == 0
    said = json.loads(site.out.read_bytes())
    assert said["registry"]["address"] in capsys.readouterr().out
    assert (said["rpc"], said["quorum"], said["development"], said["name"]) == ([site.url], 1, False, "Ours")
    assert said["accreditors"] == [f"did:ethr:{hex(site.node.chain_id)}:{accreditor.address}"]
    ledger = declared.read(
        site.out.read_bytes(), fetch=BoundedFetch(allow_loopback=True, ca_file=None), folder=None, sleep=lambda _: None
    )
    assert ledger.registry.ours
    assert ledger.registry.owner(account.address) == account.address
    assert ledger.anchor is not None
    assert ledger.chain.code(ledger.anchor.address) == anchor.code(ledger.registry.address)
    for name in ("registry", "anchor"):
        made = int(site.node.rpc.call("eth_blockNumber"), 16)
        assert 0 <= said[name]["first"] <= made
    first = site.out.read_bytes()
    assert site.run("--accreditor", str(site.folder / "accreditor.key")) == 0
    assert site.out.read_bytes() == first
    assert site.sent(account) == 2  # and nothing was made again


def test_it_goes_on_where_it_was_stopped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    account = site.account()
    own, intents = Writer.write, []

    def stopped(self: Writer, intent: str, *given: Any, **named: Any) -> Any:
        intents.append(intent)
        if intent == "create anchor":
            raise KeyboardInterrupt
        return own(self, intent, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "write", stopped)
        with pytest.raises(KeyboardInterrupt):
            site.run()
    assert not site.out.exists()
    assert site.sent(account) == 1
    assert site.run() == 0
    assert site.sent(account) == 2


def test_without_money_the_account_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    account = site.account(wei=0)
    assert site.run() == 1
    told = capsys.readouterr().err
    assert told.startswith("ledger.funds: ")
    assert account.address in told
    assert not site.out.exists()


def test_what_is_wrong_before_anything_is_paid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run() == 1  # no key
    site.key.write_bytes(b"no key")
    assert site.run() == 1
    account = site.account()
    assert site.run("--accreditor", str(site.folder / "missing.key")) == 1
    assert site.run("--out", str(site.folder / "nowhere" / "ledger.json")) == 1
    assert site.run(urls=("http://127.0.0.1:9",)) == 3
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "settings.file",
        "ledger.key",
        "settings.file",
        "settings.file",
        "ledger.unavailable",
    ]
    assert site.sent(account) == 0


def test_nodes_must_serve_one_chain(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account = site.account()
    with ExitStack() as stack:
        urls = [site.url]
        for place, chain_id in enumerate((site.node.chain_id, 5)):
            (tmp_path / str(place)).mkdir()
            other = stack.enter_context(nodes.embedded(tmp_path / str(place), chain_id=chain_id))
            urls.append(stack.enter_context(nodes.served(other.rpc)))
        assert site.run(urls=(urls[0], urls[1])) == 1  # the same number, another beginning
        assert site.run(urls=(urls[0], urls[2])) == 1
    assert capsys.readouterr().err.count("ledger.wrong_chain") == 2
    assert site.sent(account) == 0
    assert site.run(urls=(site.url, site.url)) == 0  # one node, named twice
    assert json.loads(site.out.read_bytes())["rpc"] == [site.url]


@dataclass(frozen=True)
class Lying:
    """A node that says where the contract lies: at another place."""

    rpc: Any
    place: str

    def call(self, method: str, params: Any = (), **more: Any) -> Any:
        found = self.rpc.call(method, params, **more)
        if method == "eth_getTransactionReceipt" and found is not None:
            return {**found, "contractAddress": self.place}
        return found

    @property
    def door(self) -> Any:
        return self.rpc.door

    def allowance(self) -> Any:
        return self.rpc.allowance()


@pytest.mark.parametrize("code", [b"", b"\x60\x00"], ids=["nothing", "another"])
def test_only_our_code_is_declared(
    code: bytes, embedded_node: nodes.Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = "0x" + "77" * 20
    if code:
        maker = embedded_node.account()
        made = dynamic(maker, chain_id=embedded_node.chain_id, nonce=0, data=bytes.fromhex("600160005360016000f3"))
        found = embedded_node.rpc.call("eth_sendRawTransaction", [made])
        place = embedded_node.rpc.call("eth_getTransactionReceipt", [found])["contractAddress"]
    lying: Any = Lying(embedded_node.rpc, place)
    with nodes.served(lying) as url:
        site = Site(embedded_node, url, tmp_path)
        site.account()
        assert site.run() == 1
    assert capsys.readouterr().err.startswith("ledger.other_contract" if code else "ledger.no_contract")
    assert not site.out.exists()


def test_a_chain_that_takes_nothing_is_asked_again_later(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.account()
    monkeypatch.setattr(deploy, "POLLS", 3)
    offered: list[str] = []
    own = Writer.write
    monkeypatch.setattr(deploy, "_mined", lambda *_: None)
    monkeypatch.setattr(
        Writer, "write", lambda self, *given, **named: offered.append(given[0]) or own(self, *given, **named)
    )
    assert site.run() == 3
    assert offered == ["create registry"] * 3  # each time it may be offered at a better price
    assert capsys.readouterr().err.startswith("ledger.pending: ")
