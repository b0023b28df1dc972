"""Puts both contracts onto a chain that others run, and writes the declaration that makes it this desk's ledger.

The account of `--key` pays; give it funds first (without them its address is said). Killed and called again it goes on
where it was: its journal lies beside the key. docs/operating.md, "Another chain", has an example.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from ssi.errors import Refused, SsiError, Unavailable
from ssi.fetch import BoundedFetch
from ssi.ledger import anchor, declared, registry
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.chain import Chain
from ssi.ledger.hexes import read_quantity
from ssi.ledger.rpc import HttpRpc
from ssi.ledger.writing import Journal, Writer

GWEI = 10**9
MAX_GAS = 3_000_000


def main() -> int:
    """Deploy and declare; 0 done, 1 refused, 3 not reached or not mined yet: call it again."""
    options = _options()
    account = SoftwareAccount.from_pem(options.key.read_bytes())
    fetch = BoundedFetch(allow_loopback=options.allow_loopback, ca_file=options.ca_file)
    try:
        rpc = HttpRpc(options.rpc[0], fetch=fetch, sleep=time.sleep)
        chain = Chain(rpc, chain_id=read_quantity(rpc.call("eth_chainId", [])), genesis=None)
        journal = Journal(options.key.with_name("deploy.db"))
        writer = Writer(chain, account, journal, max_fee_per_gas=options.max_gwei * GWEI, max_gas=MAX_GAS)
        first = _made(writer, "create registry", registry.deploy_data())
        second = _made(writer, "create anchor", anchor.deploy_data(first))
        accreditors = [SoftwareAccount.from_pem(key.read_bytes()).address for key in options.accreditor]
        content = declared.write(
            chain=chain,
            name=options.name,
            development=False,
            rpc=options.rpc,
            registry=first,
            anchor=second,
            accreditors=[f"did:ethr:{hex(chain.chain_id)}:{address}" for address in accreditors],
        )
    except SsiError as problem:
        print(f"{problem.code}: {problem.detail} (account {account.address})", file=sys.stderr)
        return 3 if isinstance(problem, Unavailable) else 1
    options.out.write_bytes(content)
    print(f"registry {first}, anchor {second}; declared in {options.out}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="how pages call the ledger")
    parser.add_argument("--rpc", required=True, action="append", help="address of a node, https; repeatable")
    parser.add_argument("--key", required=True, type=Path, help="key of the account that pays, PEM")
    parser.add_argument("--accreditor", action="append", type=Path, default=[], help="key of an accreditor, PEM")
    parser.add_argument("--out", required=True, type=Path, help="the declaration to write")
    parser.add_argument("--max-gwei", type=int, default=200, help="what a unit of gas may cost at most (200)")
    parser.add_argument("--allow-loopback", action="store_true", help="the node is on this machine")
    parser.add_argument("--ca-file", help="extra authorities for TLS, PEM")
    return parser.parse_args()


def _made(writer: Writer, name: str, code: bytes) -> str:
    """The address of a contract, made once. Raises Refused and Unavailable (`ledger.*`)."""
    write = writer.write(name, None, code, now=datetime.now(UTC))
    deadline = time.monotonic() + 180
    while True:
        mined = None if write.transaction_hash is None else writer.chain.receipt(write.transaction_hash)
        if mined is not None and mined.contract is not None:
            return mined.contract
        if mined is not None:
            raise Refused("ledger.no_contract", "The transaction made no contract.")
        if time.monotonic() > deadline:
            raise Unavailable("ledger.pending", "The chain has not taken the contract yet; call this again.")
        time.sleep(2)


if __name__ == "__main__":
    raise SystemExit(main())
