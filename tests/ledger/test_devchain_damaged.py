"""A file of the embedded chain that was cut short or written over: no answer, or the right one, and no other error."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import SsiError
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.devchain import CHAIN_ID, DevChain
from tests.ledger.raw import KEEPER, dynamic, word

NOW = 1_795_400_000
COLUMNS = [
    ("nodes", "body"),
    ("facts", "value"),
    *(("blocks", name) for name in ("hash", "at", "header", "withdrawals")),
    *(("transactions", name) for name in ("sender", "raw", "receipt", "gas_used", "price", "created")),
    *(("logs", name) for name in ("address", "topic0", "data")),
]
VALUES = ["x''", "x'00'", "x'c0'", "'text'", "'12'"]


@dataclass(frozen=True)
class Sound:
    """The bytes of a sound file, and what is answered from it."""

    content: bytes
    questions: tuple[tuple[str, list[Any]], ...]
    answers: tuple[Any, ...]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    path = tmp_path_factory.mktemp("sound") / "c.db"
    account = SoftwareAccount.generate()
    with DevChain(path, clock=lambda: NOW, faucet=[account.address], playground=True) as chain:
        sent = chain.call("eth_sendRawTransaction", [dynamic(account, chain_id=CHAIN_ID, nonce=0, data=KEEPER)])
        made: Any = chain.call("eth_getTransactionReceipt", [sent])
        keeper = made["contractAddress"]
        to = bytes.fromhex(keeper[2:])
        for nonce in range(1, 6):
            data = word(nonce) + word(nonce)
            chain.call("eth_sendRawTransaction", [dynamic(account, chain_id=CHAIN_ID, nonce=nonce, to=to, data=data)])
        chain.call("facet_give", [account.address, "0x1"])
        asked = {"to": keeper, "data": "0x" + word(3).hex()}
        questions: tuple[tuple[str, list[Any]], ...] = (
            ("eth_blockNumber", []),
            ("eth_getBlockByNumber", ["latest", True]),
            ("eth_getBlockByNumber", ["0x3", True]),
            ("eth_getBlockReceipts", ["0x3"]),
            ("eth_getTransactionReceipt", [sent]),
            ("eth_getTransactionByHash", [sent]),
            ("eth_getProof", [keeper, ["0x3"], "latest"]),
            ("eth_getCode", [keeper, "latest"]),
            ("eth_getBalance", [account.address, "latest"]),
            ("eth_call", [asked, "latest"]),
            ("eth_estimateGas", [asked, "latest"]),
            ("eth_feeHistory", ["0x5", "latest", [50]]),
            ("eth_getLogs", [{"fromBlock": "0x0"}]),
        )
        answers = tuple(chain.call(method, params) for method, params in questions)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode = DELETE")
    return Sound(path.read_bytes(), questions, answers)


def answers(path: Path, sound: Sound) -> list[Any]:
    """What is answered from the file: None where it is refused in a way that callers know; nothing else may come."""
    found: list[Any] = []
    for method, params in sound.questions:
        try:
            with DevChain(path, clock=lambda: NOW) as chain:
                found.append(chain.call(method, params))
        except SsiError:
            found.append(None)
    return found


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[".".join(pair) for pair in COLUMNS])
def test_a_value_that_is_none(table: str, column: str, sound: Sound, tmp_path: Path) -> None:
    vouched = column in ("body", "header", "raw", "receipt")  # by its hash, or by its block
    for place, value in enumerate(VALUES):
        path = tmp_path / f"{place}.db"
        path.write_bytes(sound.content)
        with sqlite3.connect(path) as file:
            file.execute(f"UPDATE OR IGNORE {table} SET {column} = {value}")
        found = answers(path, sound)
        if vouched:
            assert None in found
            assert all(one in (None, right) for one, right in zip(found, sound.answers, strict=True)), value


def test_code_that_is_gone_is_not_an_account_without_code(sound: Sound, tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(sound.content)
    with sqlite3.connect(path) as file:  # the code is what the constructor's eleven bytes are followed by
        file.execute("DELETE FROM nodes WHERE body = ?", (KEEPER[11:],))
    for (method, _), found, right in zip(sound.questions, answers(path, sound), sound.answers, strict=True):
        assert found == (None if method in ("eth_getCode", "eth_call", "eth_estimateGas") else right), method


@pytest.mark.parametrize("seed", range(12))
def test_a_file_that_is_cut_or_written_over(seed: int, sound: Sound, tmp_path: Path) -> None:
    chance, content = random.Random(seed), bytearray(sound.content)
    if seed % 3 == 0:
        del content[chance.randrange(len(content)) :]
    else:
        for _ in range(chance.choice((1, 5, 40, 400))):
            content[chance.randrange(100 if seed % 3 == 1 else 0, len(content))] = chance.randrange(256)
    path = tmp_path / "c.db"
    path.write_bytes(content)
    answers(path, sound)
