"""A development chain for the first run and for tests: an Ethereum node in this process, kept in one SQLite file."""

from ssi.ledger.devchain.chain import CHAIN_ID, DevChain

__all__ = ["CHAIN_ID", "DevChain"]
