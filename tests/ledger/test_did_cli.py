"""`facet-wallet did` with logs and ledgers: made, changed, given up; what was killed half-way can be repeated."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ssi import dids
from ssi.dids import Sources
from ssi.dids.webvh import writing
from ssi.keys import PublicKey, SoftwareSigner
from ssi.ledger import declared
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.chain import Chain
from tests.ledger.deployed import deploy
from tests.ledger.nodes import ETHER, Node, served
from tests.support import InMemoryFetch
from wallet.holder import didcli, didlogs
from wallet.holder.cli import main

URL = "https://example.test/people/ann"
LOG = URL + "/did.jsonl"


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(main, ["did", *arguments], input=given)


def done(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def versions(folder: Path, did: str) -> list[Any]:
    fetch = InMemoryFetch({LOG: (folder / "did.jsonl").read_bytes()})
    return list(dids.history(did, sources=Sources(fetch), now=datetime.now(UTC)))


def public(folder: Path, name: str = "key.pem") -> SoftwareSigner:
    return SoftwareSigner.from_pkcs8((folder / name).read_bytes())


def allows(version: Any, key: PublicKey) -> bool:
    """May this key sign in the DID's name, by this version?"""
    return f"{version.document.id}#{key.kid}" in version.document.relationships["assertionMethod"]


# --- did:webvh ---


def test_a_webvh_is_made_rotated_and_given_up(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert run("create", "webvh", str(tmp_path / "nowhere")).exit_code == 2
    made = done("create", "webvh", str(folder), "--url", URL)
    assert made["did"].startswith("did:webvh:")
    assert any(LOG in note for note in made["notes"])
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("key.pem", "update.pem")} == {0o600}
    first = public(folder).public
    assert run("rotate", str(folder), given="n\n").exit_code == 1
    assert "can never be taken back" in run("rotate", str(folder), given="n\n").output
    changed = done("rotate", str(folder), "--alg", "EdDSA", "--yes")
    assert changed["did"] == made["did"]
    assert public(folder, f"key.{first.kid}.pem").public == first
    old, new = versions(folder, made["did"])
    assert allows(old, first)
    assert allows(new, public(folder).public)
    assert not allows(new, first)
    done("deactivate", str(folder), "--yes")
    assert versions(folder, made["did"])[-1].deactivated
    for command in ("rotate", "deactivate"):
        again = run(command, str(folder), "--yes")
        assert (again.exit_code, "[did.ended]" in again.output) == (1, True)


@pytest.mark.parametrize("kill", ["write_bytes", "_put_in_place"])
def test_a_rotation_that_was_killed_is_mended(tmp_path: Path, kill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    did = done("create", "webvh", str(folder), "--url", URL)["did"]

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(didlogs, kill, dies)
        assert run("rotate", str(folder), "--yes").exit_code != 0
    done("rotate", str(folder), "--yes")
    assert not list(folder.glob("*.new.pem"))
    found = versions(folder, did)
    assert len(found) == (2 if kill == "write_bytes" else 3)
    assert allows(found[-1], public(folder).public)


def test_a_webvh_keeps_its_services(tmp_path: Path) -> None:
    service = tmp_path / "service.json"
    service.write_text('{"id": "#hub", "type": "Hub", "serviceEndpoint": "https://hub.test/"}')
    folder = tmp_path / "mine"
    did = done("create", "webvh", str(folder), "--url", URL, "--service", str(service))["did"]
    done("rotate", str(folder), "--yes")
    for version in versions(folder, did):
        assert f"{did}#hub" in [one.id for one in version.document.services]
    assert len(writing.read((folder / "did.jsonl").read_bytes(), now=datetime.now(UTC)).log.versions) == 2


# --- did:ethr ---


@dataclass(frozen=True)
class Place:
    """A ledger over HTTP, and what gives money to accounts there."""

    node: Node
    asking: tuple[str, ...]

    def fund(self, folder: Path) -> SoftwareAccount:
        account = SoftwareAccount.from_pem((folder / "account.pem").read_bytes())
        self.node.give(account.address, ETHER)
        return account


@pytest.fixture(scope="module")
def place(embedded_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    contracts = deploy(embedded_node)
    chain = Chain(embedded_node.rpc, chain_id=embedded_node.chain_id, genesis=None)
    path = tmp_path_factory.mktemp("ledger") / "ledger.json"
    with served(embedded_node.rpc) as url:
        path.write_bytes(
            declared.write(
                chain=chain,
                name="trial",
                development=True,
                rpc=(url,),
                registry=contracts.registry,
                anchor=contracts.anchor,
            )
        )
        yield Place(embedded_node, ("--ledger", str(path), "--allow-loopback"))


def test_an_ethr_is_made_handed_on_and_given_up(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    made = done("create", "ethr", str(folder), *place.asking)
    assert made["did"].startswith("did:ethr:0xface7:0x")
    assert any("Nothing was written" in note for note in made["notes"])
    assert stat.S_IMODE((folder / "account.pem").stat().st_mode) == 0o600
    poor = run("rotate", str(folder), "--yes", *place.asking)
    assert (poor.exit_code, "[ledger.funds]" in poor.output) == (1, True)
    assert "facet-issuer chain --fund 0x" in poor.output
    old = place.fund(folder)
    declined = run("rotate", str(folder), *place.asking, given="n\n")
    assert (declined.exit_code, "stays there for ever" in declined.output) == (1, True)
    changed = done("rotate", str(folder), "--yes", *place.asking)
    assert any("on the ledger in block" in note for note in changed["notes"])
    new = place.fund(folder)
    assert new.address != old.address
    document = done("resolve", made["did"], *place.asking)["didDocument"]
    assert document == json.loads((folder / "did.json").read_text())
    assert new.address in json.dumps(document).lower()
    done("deactivate", str(folder), "--yes", *place.asking)
    assert run("resolve", made["did"], *place.asking).exit_code == 1
    ended = run("rotate", str(folder), "--yes", *place.asking)
    assert (ended.exit_code, "[did.ended]" in ended.output) == (1, True)
    assert not (folder / "account.new.pem").exists()
    told = done("history", str(folder), *place.asking)
    assert told["versions"][-1]["changes"][-1] == "deactivated"
    assert any(
        f"handed to account eip155:1027303:{new.address}" in one.lower() for one in told["versions"][1]["changes"]
    )
    assert not told["versions"][0]["ledger"], "no block says what an account is from the start"
    assert "given up" in run("resolve", str(folder), *place.asking).output
    assert "in block" in run("history", str(folder), *place.asking).output


@pytest.mark.parametrize(
    "wish",
    [("ethr", "--alg", "EdDSA"), ("key", "--url", URL), ("jwk", "--service", "none.json"), ("ethr", "--url", URL)],
)
def test_an_option_that_would_change_nothing_is_refused(wish: tuple[str, ...], tmp_path: Path) -> None:
    result = run("create", wish[0], str(tmp_path / "mine"), *wish[1:])
    assert (result.exit_code, "means nothing for a did:" in result.output) == (2, True)
    assert not (tmp_path / "mine").exists()


def test_a_did_on_a_ledger_that_was_not_named(tmp_path: Path) -> None:
    for command in ("resolve", "history"):
        result = run(command, f"did:ethr:0xface7:0x{'ab' * 20}")
        assert (result.exit_code, "--ledger FILE" in result.output) == (2, True)


def test_an_ethr_without_a_ledger_is_wrong_usage(tmp_path: Path) -> None:
    result = run("create", "ethr", str(tmp_path / "mine"))
    assert (result.exit_code, "needs --ledger" in result.output) == (2, True)


def test_a_ledger_that_is_away_is_told_apart(place: Place, tmp_path: Path) -> None:
    declaration = json.loads(Path(place.asking[1]).read_text())
    declaration["rpc"] = ["http://127.0.0.1:9"]
    (tmp_path / "ledger.json").write_text(json.dumps(declaration))
    away = ("--ledger", str(tmp_path / "ledger.json"), "--allow-loopback")
    assert run("create", "ethr", str(tmp_path / "mine"), *away).exit_code == 3
    assert list((tmp_path / "mine").iterdir()) == []


def test_versions_that_one_block_speaks_for_say_so_once() -> None:
    said = {"block": 5, "block_at": 1_795_417_685, "finality": "finalized"}
    steps = [{"at": None, "version": str(number), "changes": [], "ledger": said} for number in (1, 2)]
    lines = didcli._history_lines({"did": "did:example:1", "versions": steps})
    told = [line for line in lines if "block" in line]
    assert [line.strip() for line in told] == [
        "these 2 versions: on the ledger in block 5 of 2026-11-23T07:08:05Z (finalized)"
    ]
