"""The errors that the development chain answers, with the codes and words that clients of nodes look for."""

from __future__ import annotations

from ssi.errors import Unavailable
from ssi.ledger.hexes import data
from ssi.ledger.rpc import RpcError

_REVERT_TEXT = bytes.fromhex("08c379a0")  # Error(string)


def refused(words: str) -> RpcError:
    """The transaction or the call cannot be taken."""
    return RpcError(-32_000, words, None)


def unreadable(words: str) -> RpcError:
    """The parameters do not fit the method."""
    return RpcError(-32_602, words, None)


def unknown_method(method: str) -> RpcError:
    """There is no such method here."""
    return RpcError(-32_601, f"the method {method[:64]} does not exist/is not available", None)


def too_many(words: str) -> RpcError:
    """The answer would be too large: ask for a smaller range."""
    return RpcError(-32_005, words, None)


def damaged() -> Unavailable:
    """The file of the chain does not hold together: that is no answer to anything."""
    return Unavailable("ledger.store", "The file of the development chain is damaged.")


def reverted(output: bytes) -> RpcError:
    """A contract refused; what it said is the error's data."""
    reason = _reason(output)
    return RpcError(3, f"execution reverted: {reason}" if reason else "execution reverted", data(output))


def _reason(output: bytes) -> str | None:
    """The text of `Error(string)`; None for anything else."""
    if output[:4] != _REVERT_TEXT or len(output) < 68:
        return None
    length = int.from_bytes(output[36:68], "big")
    return output[68 : 68 + length].decode("utf-8", "replace") if length <= len(output) - 68 else None
