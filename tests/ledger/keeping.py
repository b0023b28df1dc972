"""A scene on a node: an account with money, and a contract that keeps words (`tests.ledger.raw`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ssi.ledger.hexes import keccak
from tests.ledger.nodes import Node
from tests.ledger.raw import KEEPER, dynamic, legacy, listed, word


@dataclass
class Scene:
    """An account of one's own on a node, and a contract that keeps words."""

    node: Node
    account: Any
    nonce: int = 0
    keeper: str = ""

    @classmethod
    def of(cls, node: Node) -> Scene:
        scene = cls(node, node.account())
        scene.keeper = scene.send(data=KEEPER)["contractAddress"]
        return scene

    def ask(self, method: str, *params: Any) -> Any:
        return self.node.rpc.call(method, list(params))

    def send(self, **fields: Any) -> dict[str, Any]:
        raw = dynamic(self.account, chain_id=self.node.chain_id, nonce=self.nonce, **fields)
        return self._sent(raw)

    def send_legacy(self, **fields: Any) -> dict[str, Any]:
        return self._sent(legacy(self.account, chain_id=self.node.chain_id, nonce=self.nonce, **fields))

    def send_listed(self, **fields: Any) -> dict[str, Any]:
        return self._sent(listed(self.account, chain_id=self.node.chain_id, nonce=self.nonce, **fields))

    def keep(self, slot: int, value: int) -> dict[str, Any]:
        return self.send(to=bytes.fromhex(self.keeper[2:]), data=word(slot) + word(value))

    def _sent(self, raw: str) -> dict[str, Any]:
        sent = self.ask("eth_sendRawTransaction", raw)
        assert sent == "0x" + keccak(bytes.fromhex(raw[2:])).hex()
        self.nonce += 1
        receipt: dict[str, Any] = self.ask("eth_getTransactionReceipt", sent)
        return receipt
