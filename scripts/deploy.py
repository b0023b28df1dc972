"""Puts both contracts onto a chain that others run, and writes the declaration that makes it this desk's ledger.

The account of `--key` pays; give it funds first (without them its address is said). Killed and called again it goes on
where it was: its journal lies beside the key. All nodes must serve one chain, and more than half of them must tell the
same of it; what lies at the contracts' addresses must be our code before anything is declared. docs/operating.md,
"Another chain", has an example.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ssi.encoding import read_json_object, write_json
from ssi.errors import Refused, SsiError, Unavailable
from ssi.fetch import BoundedFetch
from ssi.ledger import anchor, declared, registry
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.chain import Chain, Mined
from ssi.ledger.hexes import keccak, read_quantity
from ssi.ledger.quorum import QuorumRpc
from ssi.ledger.rpc import HttpRpc
from ssi.ledger.writing import Journal, Writer

GWEI = 10**9
MAX_GAS = 3_000_000
POLL_SECONDS = 2
POLLS = 90
EARLIER = 64
"""So many blocks before the contracts' own may scans begin: a reorganisation can put a contract a little earlier."""


@dataclass(frozen=True)
class Made:
    """A contract on the chain: its address, and the block that it was made in."""

    address: str
    block: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy and declare; 0 done, 1 refused, 3 not reached or not mined yet: call it again."""
    options = _options(arguments)
    who = ""
    try:
        account, accreditors = _account(options.key), [_account(key) for key in options.accreditor]
        who = f" (account {account.address})"
        if not options.out.parent.is_dir():
            raise Refused("settings.file", f"There is no directory {options.out.parent} for the declaration.")
        content, told = _deployed(options, account, accreditors)
        options.out.write_bytes(content)
    except SsiError as problem:
        print(f"{problem.code}: {problem.detail}{who}", file=sys.stderr)
        return 3 if isinstance(problem, Unavailable) else 1
    except OSError as problem:
        print(f"settings.file: {problem}{who}", file=sys.stderr)
        return 1
    print(f"{told}; declared in {options.out}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="how pages call the ledger")
    parser.add_argument("--rpc", required=True, action="append", help="address of a node, https; repeatable")
    parser.add_argument("--key", required=True, type=Path, help="key of the account that pays, PEM")
    parser.add_argument("--accreditor", action="append", type=Path, default=[], help="key of an accreditor, PEM")
    parser.add_argument("--out", required=True, type=Path, help="the declaration to write")
    parser.add_argument("--max-gwei", type=int, default=200, help="what a unit of gas may cost at most (200)")
    parser.add_argument("--allow-loopback", action="store_true", help="the node is on this machine")
    parser.add_argument("--ca-file", help="extra authorities for TLS, PEM")
    return parser.parse_args(arguments)


def _account(path: Path) -> SoftwareAccount:
    """The account of a key file. Raises Malformed (`ledger.*`), OSError."""
    return SoftwareAccount.from_pem(path.read_bytes())


def _deployed(
    options: argparse.Namespace, account: SoftwareAccount, accreditors: Sequence[SoftwareAccount]
) -> tuple[bytes, str]:
    """The declaration, and where the contracts are. Raises SsiError (`ledger.*`), OSError."""
    fetch = BoundedFetch(allow_loopback=options.allow_loopback, ca_file=options.ca_file)
    urls = list(dict.fromkeys(options.rpc))
    chain = _chain(urls, fetch)
    journal = Journal(options.key.with_name("deploy.db"))
    writer = Writer(chain, account, journal, max_fee_per_gas=options.max_gwei * GWEI, max_gas=MAX_GAS)
    first = _made(writer, "create registry", registry.deploy_data(), registry.CONTRACT.code())
    second = _made(writer, "create anchor", anchor.deploy_data(first.address), anchor.code(first.address))
    content = declared.write(
        chain=chain,
        name=options.name,
        development=False,
        rpc=urls,
        registry=first.address,
        anchor=second.address,
        accreditors=[f"did:ethr:{hex(chain.chain_id)}:{one.address}" for one in accreditors],
    )
    said = read_json_object(content, what="declaration of the ledger")
    for name, made in (("registry", first), ("anchor", second)):
        said[name] |= {"first": max(made.block - EARLIER, 0)}
    content = write_json(said) + b"\n"
    declared.read(content, fetch=fetch, folder=None, sleep=time.sleep)
    return content, f"registry {first.address}, anchor {second.address}"


def _chain(urls: Sequence[str], fetch: BoundedFetch) -> Chain:
    """The chain that all of these nodes serve. Raises Refused (`ledger.wrong_chain`), Unavailable (`ledger.*`)."""
    nodes = [HttpRpc(url, fetch=fetch, sleep=time.sleep) for url in urls]
    numbers = {read_quantity(node.call("eth_chainId", [])) for node in nodes}
    starts = {Chain(node, chain_id=min(numbers), genesis=None).beginning() for node in nodes if len(numbers) == 1}
    if len(starts) != 1:
        raise Refused("ledger.wrong_chain", "The nodes do not all serve the same chain.")
    rpc = nodes[0] if len(nodes) == 1 else QuorumRpc(nodes, len(nodes) // 2 + 1)
    return Chain(rpc, chain_id=min(numbers), genesis=min(starts))


def _made(writer: Writer, name: str, data: bytes, code: bytes) -> Made:
    """A contract, made once, with this code. Raises Refused and Unavailable (`ledger.*`)."""
    for _ in range(POLLS):
        write = writer.write(name, None, data, now=datetime.now(UTC))  # again: it may have to be offered again
        mined = _mined(writer.chain, write.transaction_hash)
        if mined is not None and mined.succeeded and mined.contract is not None:
            writer.chain.require_code(mined.contract, keccak(code))
            return Made(mined.contract, mined.block_number)
        if mined is not None and mined.succeeded:
            raise Refused("ledger.no_contract", "The transaction made no contract.")
        time.sleep(POLL_SECONDS)
    raise Unavailable("ledger.pending", "The chain has not taken the contract yet; call this again.")


def _mined(chain: Chain, transaction_hash: bytes | None) -> Mined | None:
    return None if transaction_hash is None else chain.receipt(transaction_hash)


if __name__ == "__main__":
    raise SystemExit(main())
