"""The declaration of a ledger is read strictly, and what it says is checked before the first answer is used."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import write_json
from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.fetch import BoundedFetch
from ssi.ledger import declared, registry
from ssi.ledger.chain import Chain
from ssi.ledger.ledger import NO_LEDGERS, Checkpoint, Ledger, Ledgers
from ssi.ledger.quorum import QuorumRpc
from tests.ledger import nodes
from tests.ledger.deployed import Deployed, deploy
from tests.ledger.faulty import Down, Web

SAID: dict[str, Any] = {
    "chain_id": 1,
    "name": "somewhere",
    "development": False,
    "genesis": "0x" + "11" * 32,
    "rpc": ["https://a.test/key", "https://b.test", "https://c.test"],
    "quorum": 2,
    "confirmations": 2,
    "finalized": "tag",
    "registry": {"address": "0x" + "22" * 20, "code_hash": "0x" + "33" * 32, "first": 7},
    "anchor": {"address": "0x" + "44" * 20, "code_hash": "0x" + "55" * 32},
    "checkpoints": [{"number": 5, "hash": "0x" + "66" * 32}],
    "accreditors": ["did:ethr:0x1:0x" + "77" * 20],
}


def read(said: Any, **options: Any) -> Ledger:
    content = said if isinstance(said, bytes) else write_json(said)
    return declared.read(content, **{"fetch": Web(Down()), "folder": None, "sleep": time.sleep} | options)


def written(deployed: Deployed, **options: Any) -> bytes:
    chain = Chain(deployed.node.rpc, chain_id=deployed.node.chain_id, genesis=None)
    parts = {"name": "test", "development": True, "rpc": [deployed.node.url or "https://x.test"]}
    return declared.write(
        **{"chain": chain, "registry": deployed.registry, "anchor": deployed.anchor} | parts | options
    )


def test_all_that_is_said_is_read(tmp_path: Path) -> None:
    ledger = read(SAID, folder=tmp_path)
    assert ledger.networks == ("0x1", "mainnet")
    assert (ledger.name, ledger.development) == ("somewhere", False)
    assert ledger.accreditors == ("did:ethr:0x1:0x" + "77" * 20,)
    assert ledger.checkpoints == (Checkpoint(5, b"\x66" * 32),)
    assert ledger.registry.address == "0x" + "22" * 20
    assert ledger.anchor is not None
    assert ledger.anchor.address == "0x" + "44" * 20
    assert ledger.index is not None
    assert isinstance(ledger.chain.rpc, QuorumRpc)
    assert "key" not in repr(ledger.chain.rpc)
    assert (ledger.chain.confirmations, ledger.chain.finalized) == (2, "tag")


def test_what_may_be_absent_may_be_absent() -> None:
    ledger = read({name: value for name, value in SAID.items() if name not in ("anchor", "checkpoints", "accreditors")})
    assert (ledger.anchor, ledger.index, ledger.checkpoints, ledger.accreditors) == (None, None, (), ())


@pytest.mark.parametrize("name", [name for name in SAID if name not in ("anchor", "checkpoints", "accreditors")])
def test_what_must_be_said_must_be_said(name: str) -> None:
    with pytest.raises(Malformed, match=r"ledger\.declaration"):
        read({key: value for key, value in SAID.items() if key != name})


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"chain_id": 0},
        {"chain_id": "1"},
        {"chain_id": True},
        {"name": ""},
        {"development": 1},
        {"genesis": "0x11"},
        {"rpc": []},
        {"rpc": "https://a.test"},
        {"rpc": ["https://a.test"] * 2, "quorum": 2},
        {"rpc": [f"https://{place}.test" for place in range(17)], "quorum": 9},
        {"rpc": [1], "quorum": 1},
        {"quorum": 1},
        {"quorum": 4},
        {"quorum": 0},
        {"confirmations": 0},
        {"finalized": "never"},
        {"finalized": -1},
        {"registry": {"address": "0x" + "22" * 20}},
        {"registry": SAID["registry"] | {"more": 1}},
        {"registry": SAID["registry"] | {"address": "0x"}},
        {"registry": SAID["registry"] | {"first": -1}},
        {"registry": None},
        {"anchor": None},
        {"anchor": []},
        {"anchor": SAID["anchor"] | {"address": SAID["registry"]["address"]}},
        {"checkpoints": [{"number": 1}]},
        {"checkpoints": {"number": 1}},
        {"accreditors": [1]},
    ],
)
def test_what_is_said_wrongly_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read(SAID | change)


def test_a_chain_that_cannot_be_read_is_unsupported() -> None:
    with pytest.raises(Unsupported, match=r"ledger\.chain"):
        read(SAID | {"chain_id": 42_161})


VALUES = st.none() | st.booleans() | st.integers(-2, 10) | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(st.binary(max_size=50) | st.dictionaries(st.sampled_from(sorted(SAID)), VALUES).map(lambda some: SAID | some))
def test_whatever_is_said_it_is_read_or_one_of_our_errors(said: Any) -> None:
    with suppress(Malformed, Unsupported):
        read(said)


def test_what_was_written_reads_and_serves(deployed: Deployed, tmp_path: Path) -> None:
    content = written(deployed, accreditors=("did:ethr:x",))
    ledger = read(content, local=deployed.node.rpc, folder=tmp_path)
    actor = deployed.actor()
    actor.does(deployed.registry, registry.set_attribute(actor.address, b"x", b"y", 100))
    assert len(ledger.registry.events(actor.address)) == 1
    assert ledger.networks == (hex(deployed.node.chain_id),)
    assert Ledgers.of(ledger).named(hex(deployed.node.chain_id)) is ledger
    with pytest.raises(Unsupported, match=r"ledger\.network"):
        NO_LEDGERS.named("mainnet")


def test_the_nodes_named_are_asked(anvil_node: nodes.Node) -> None:
    ledger = read(written(deploy(anvil_node)), fetch=BoundedFetch(allow_loopback=True, ca_file=None))
    assert ledger.chain.head().number > 0
    shut = read(written(deploy(anvil_node)), fetch=BoundedFetch(allow_loopback=False, ca_file=None))
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        shut.chain.head()


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("chain_id", 5, "wrong_chain"),
        ("genesis", "0x" + "00" * 32, "wrong_chain"),
        ("checkpoints", [{"number": 1, "hash": "0x" + "00" * 32}], "wrong_chain"),
        ("registry", {"address": "0x" + "99" * 20, "code_hash": "0x" + "00" * 32}, "no_contract"),
    ],
)
def test_another_chain_than_declared_is_refused(deployed: Deployed, member: str, value: Any, code: str) -> None:
    said = json.loads(written(deployed)) | {member: value}
    with pytest.raises(Refused, match=rf"ledger\.{code}"):
        read(said, local=deployed.node.rpc).registry.events("0x" + "11" * 20)


def test_another_contract_than_declared_is_refused(deployed: Deployed) -> None:
    said = json.loads(written(deployed))
    said["registry"]["address"], said["anchor"]["address"] = deployed.anchor, deployed.registry
    with pytest.raises(Refused, match=r"ledger\.other_contract"):
        read(said, local=deployed.node.rpc).registry.events("0x" + "11" * 20)


def test_contracts_that_are_not_there_are_not_declared(deployed: Deployed) -> None:
    with pytest.raises(Refused, match=r"ledger\.no_contract"):
        written(deployed, registry="0x" + "11" * 20)
