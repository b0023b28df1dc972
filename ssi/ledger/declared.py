"""The declaration of a ledger (`ledger.json`): which chain, through which nodes, with which contracts on it?

{"chain_id": 1027303, "name": "…", "development": true, "genesis": "0x…", "rpc": ["https://…"], "quorum": 1,
 "confirmations": 1, "finalized": "tag", "registry": {"address": "0x…", "code_hash": "0x…", "first": 0},
 "anchor": {…}, "checkpoints": [{"number": 0, "hash": "0x…"}], "accreditors": ["did:ethr:0xface7:0x…"]}

`quorum` of the nodes must agree, more than half of them; `finalized` is "tag" where the chain says what is final, or a
number of blocks; `first` is a block before which the contract was not there. `anchor`, `checkpoints`, `accreditors` and
`first` may be absent; nothing else may be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Malformed
from ssi.fetch import BoundedFetch, Fetch
from ssi.fetch.addresses import is_loopback
from ssi.ledger.anchor import TrustAnchor
from ssi.ledger.chain import Chain
from ssi.ledger.hexes import data, keccak, read_address, read_data
from ssi.ledger.index import EventIndex
from ssi.ledger.ledger import Checkpoint, Ledger
from ssi.ledger.quorum import QuorumRpc
from ssi.ledger.registry import Registry
from ssi.ledger.resting import RestingRpc
from ssi.ledger.rpc import MAX_ANSWER, HttpRpc, Rpc

_REQUIRED: Final = frozenset(
    ("chain_id", "name", "development", "genesis", "rpc", "quorum", "confirmations", "finalized", "registry")
)
_ALLOWED: Final = _REQUIRED | {"anchor", "checkpoints", "accreditors"}
_INDEX: Final = "events.db"
_SECONDS: Final = 20.0
"""How long one answer of a node may take: a scan of many blocks takes its time."""
_ATTEMPTS: Final = 5
_HURRIED_SECONDS: Final = 5.0
_HURRIED_ATTEMPTS: Final = 2
_MOST: Final = 16
_SHOWN: Final = 100
_CONTRACT: Final = frozenset(("address", "code_hash", "first"))
NAMES: Final[Mapping[int, tuple[str, ...]]] = {1: ("mainnet",), 11_155_111: ("sepolia",), 17_000: ("holesky",)}
"""The names that did:ethr gives to chains besides their numbers."""


def read(
    content: bytes,
    *,
    fetch: Fetch,
    folder: Path | None,
    sleep: Callable[[float], object],
    local: Rpc | None = None,
    clock: Callable[[], float] | None = None,
) -> Ledger:
    """The ledger that a declaration describes; nobody is asked yet.

    `folder` is where the index of events may be kept (None: it is not). `local` is asked instead of the nodes named.
    With a `clock` (seconds that only go forward) nodes are asked as by somebody whom people wait for: not for long, and
    not again for a while when they are away (`ssi.ledger.resting`).
    That the nodes serve this chain, from this genesis, with these contracts and checkpoints, is checked before their
    first answer is used. Raises Malformed (`ledger.declaration`, `encoding.*`), Unsupported (`ledger.chain`).
    """
    said = _members(content)
    registry = _contract("registry", said["registry"])
    anchor = _contract("anchor", said["anchor"]) if "anchor" in said else None
    if anchor is not None and anchor.address == registry.address:
        raise _malformed("two contracts lie at one address")
    checkpoints = tuple(map(_checkpoint, _list(said.get("checkpoints", []))))
    chain_id = _number("chain_id", said["chain_id"], least=1)
    chain = Chain(
        local or _nodes(said["rpc"], said["quorum"], fetch, sleep, clock),
        chain_id=chain_id,
        genesis=_word("genesis", said["genesis"]),
        confirmations=_number("confirmations", said["confirmations"], least=1),
        finalized="tag" if said["finalized"] == "tag" else _number("finalized", said["finalized"], least=0),
        contracts={one.address: one.code_hash for one in (registry, anchor) if one is not None},
        checkpoints={one.number: one.hash for one in checkpoints},
    )
    first = min(one.first for one in (registry, anchor) if one is not None)
    index = None if folder is None else EventIndex(folder / _INDEX, first=first)
    return Ledger(
        chain=chain,
        registry=Registry(chain, registry.address, index=index, first=registry.first),
        anchor=None if anchor is None else TrustAnchor(chain, anchor.address, index=index, first=anchor.first),
        index=index,
        checkpoints=checkpoints,
        accreditors=tuple(map(_text, _list(said.get("accreditors", [])))),
        name=_text(said["name"]),
        development=_flag(said["development"]),
        networks=(hex(chain_id), *NAMES.get(chain_id, ())),
    )


@contextmanager
def of_file(path: Path) -> Iterator[None]:
    """Whatever is wrong with a declaration in here is wrong with this file. Raises Malformed (`ledger.declaration`)."""
    try:
        yield
    except Malformed as problem:
        raise Malformed("ledger.declaration", f"{path}: {problem.detail}") from None


def _members(content: bytes) -> Mapping[str, Json]:
    said = read_json_object(content, what="declaration of the ledger")
    if lacking := sorted(_REQUIRED - said.keys()):
        raise _malformed(f"it lacks {', '.join(lacking)}")
    if strange := sorted(said.keys() - _ALLOWED):
        raise _malformed(f"it has members that are not known ({', '.join(strange)[:_SHOWN]})")
    return said


def write(
    *,
    chain: Chain,
    name: str,
    development: bool,
    rpc: Sequence[str],
    registry: str,
    anchor: str | None,
    accreditors: Sequence[str] = (),
    quorum: int | None = None,
    checkpoints: Sequence[Checkpoint] = (),
) -> bytes:
    """The declaration of a chain as it is now: its genesis and the hashes of its contracts' code are looked up.

    `quorum` is the smallest majority unless given. Raises Refused (`ledger.no_contract`), Unavailable (`ledger.*`).
    """

    def contract(address: str) -> dict[str, Json]:
        return {"address": address.lower(), "code_hash": data(keccak(chain.require_code(address)))}

    said = {
        "chain_id": chain.chain_id,
        "name": name,
        "development": development,
        "genesis": data(chain.beginning()),
        "rpc": list(rpc),
        "quorum": len(rpc) // 2 + 1 if quorum is None else quorum,
        "confirmations": chain.confirmations,
        "finalized": chain.finalized,
        "registry": contract(registry),
        **({} if anchor is None else {"anchor": contract(anchor)}),
        "checkpoints": [{"number": one.number, "hash": data(one.hash)} for one in checkpoints],
        "accreditors": list(accreditors),
    }
    return write_json(said) + b"\n"


def _nodes(
    urls: Json, quorum: Json, fetch: Fetch, sleep: Callable[[float], object], clock: Callable[[], float] | None
) -> Rpc:
    named = [_text(url) for url in _list(urls)]
    needed = _number("quorum", quorum, least=1)
    if not needed <= len(named) < 2 * needed or len(set(named)) != len(named):
        raise _malformed("quorum is not more than half of the nodes in rpc, each named once")
    if not all(map(_is_private_way, named)):
        raise _malformed("rpc names a node that is not at an https address")
    patience, attempts = (_SECONDS, _ATTEMPTS) if clock is None else (_HURRIED_SECONDS, _HURRIED_ATTEMPTS)
    roomy = fetch.allowing(max_bytes=MAX_ANSWER, timeout=patience) if isinstance(fetch, BoundedFetch) else fetch
    nodes: list[Rpc] = [HttpRpc(url, fetch=roomy, sleep=sleep, attempts=attempts) for url in named]
    if clock is not None:
        nodes = [RestingRpc(node, clock=clock) for node in nodes]
    return nodes[0] if len(nodes) == 1 else QuorumRpc(nodes, needed)


def _is_private_way(url: str) -> bool:
    """Does nobody listen on the way to this address? Over TLS, or on this machine (which --allow-loopback allows)."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    return host == "localhost" or is_loopback(host)


@dataclass(frozen=True)
class _Contract:
    """A contract as declared; `first` is a block before which it was not there."""

    address: str
    code_hash: bytes
    first: int


def _contract(name: str, said: Json) -> _Contract:
    if not isinstance(said, Mapping) or not {"address", "code_hash"} <= said.keys() <= _CONTRACT:
        raise _malformed(f"{name} is not an address, a code_hash and perhaps a first block")
    try:
        address = read_address(said["address"])
    except Malformed as problem:
        raise _malformed(f"{name}.address is none ({problem.detail.rstrip('.')})") from None
    code_hash, first = _word(f"{name}.code_hash", said["code_hash"]), said.get("first", 0)
    return _Contract(address, code_hash, _number(f"{name}.first", first, least=0))


def _checkpoint(said: Json) -> Checkpoint:
    if not isinstance(said, Mapping) or said.keys() != {"number", "hash"}:
        raise _malformed("one of the checkpoints is not a number and a hash")
    number = _number("the number of a checkpoint", said["number"], least=0)
    return Checkpoint(number, _word("the hash of a checkpoint", said["hash"]))


def _number(name: str, value: Json, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _malformed(f"{name} is below {least}, or no whole number")
    return value


def _word(name: str, value: Json) -> bytes:
    try:
        return read_data(value, 32)
    except Malformed:
        raise _malformed(f"{name} is not 0x and 32 bytes in hexadecimal") from None


def _text(value: Json) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed("a name or address is no text")
    return value


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise _malformed("development is neither true nor false")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise _malformed(f"a list is no list, or longer than {_MOST}")
    return value


def _malformed(what: str) -> Malformed:
    return Malformed("ledger.declaration", f"The declaration of the ledger cannot be read: {what}.")
