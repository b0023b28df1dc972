"""Fuzzed: a did:webvh's log and its file of witness proofs, which are believed only if they say what was written."""

from __future__ import annotations

from functools import lru_cache

from ssi import dids
from ssi.dids.webvh import writing
from ssi.ledger.ledger import NO_LEDGERS
from tests.ssi import webvhs


@lru_cache(maxsize=1)
def _honest() -> tuple[str, bytes, bytes]:
    """A DID that a witness approves, its log of two entries, and the witness's file."""
    signer, witness = webvhs.key(), webvhs.key()
    log = webvhs.created(signer, parameters={"witness": webvhs.witnessed(1, witness)})
    log = writing.update(log, signer=signer, now=webvhs.at(1))
    return log.did, log.text, webvhs.approvals((log.version_id, [witness]))


@lru_cache(maxsize=1)
def _document() -> dids.DidDocument:
    did, log, witnesses = _honest()
    return webvhs.resolved(did, log, witnesses=witnesses).document


def log_seeds() -> tuple[bytes, ...]:
    """An honest log."""
    return (_honest()[1],)


def witness_seeds() -> tuple[bytes, ...]:
    """An honest file of witness proofs."""
    return (_honest()[2],)


def log(data: bytes) -> None:
    """A changed log is refused, or it is another spelling of the honest one (or of its beginning)."""
    did, _, witnesses = _honest()
    _believed(did, data, witnesses)


def witness(data: bytes) -> None:
    """A changed file of proofs changes nothing but whether the log is believed."""
    did, honest, _ = _honest()
    _believed(did, honest, data)


def _believed(did: str, text: bytes, witnesses: bytes) -> None:
    sources = webvhs.served(did, text, witnesses=witnesses, ledgers=NO_LEDGERS)
    found = dids.resolve(did, sources=sources, now=webvhs.NOW)
    assert found.document == _document(), "a changed log was believed"
