"""did:ethr: an identity is an address, and a registry on a ledger says what has changed since (ERC-1056).

Documents and metadata equal those of npm `ethr-did-resolver` 11.1.3, the newest that its registry has; tests compare
them on random histories. Where that resolver is wrong, this one differs on purpose:

| where                                    | npm ethr-did-resolver 11.1.3         | here                          |
| ---------------------------------------- | ------------------------------------ | ----------------------------- |
| one of several logs in a block left out  | a document without it                | Unavailable (see below)       |
| no registry, wrong chain, node away      | `notFound`, as for a bad DID         | Refused or Unavailable, apart |
| chain id                                 | believed from the DID                | asked, and compared           |
| `versionId` that is no number            | the newest version, nothing said     | Malformed (`did.version`)     |
| `versionId` "12abc"                      | version 12                           | Malformed (`did.version`)     |
| `versionTime`                            | ignored: the newest version          | as of that time               |
| `did:ethr:mainnetX0x…` (any character)   | resolved on mainnet                  | Malformed (`did.ethr`)        |
| attribute names like `did/pub/to/String` | a type that is a JavaScript function | type `to`                     |
| endpoint with half a surrogate pair      | JSON with what no UTF-8 holds        | the text as it is             |
| endpoint nested deeper than 32, or huge  | read, however deep                   | text, or Refused              |
| thousands of keys                        | listed without end                   | Refused (`did.too_large`)     |
| the zero address, which nobody has       | a document with a controller         | deactivated                   |

Equal, though one may wonder: delegates hold through the second of `validTo`; a key for authentication also asserts;
revocations count in ids; a key agreement that was taken away is still mentioned, without its key; a name that is of no
known form counts only once it has run out; nothing that comes after a deactivation counts, though the deployed registry
lets the first key write on (`ssi.ledger.registry` says what our own does about that).

What a node leaves out or invents shows in the chain of events, and entirely in our registry, which counts them; of the
deployed one the later logs of a block may be missing unseen, and the content of a log is any node's word. Against that
several nodes are asked (`ssi.ledger.rpc.QuorumRpc`).

DIDKit resolves did:ethr without a ledger: the document before the first change, whatever has happened since. It is
never asked here.

`versionId` is the number of a block. A version's `validTo` are compared with that block's time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from ssi.dids.ethr import changes, known
from ssi.dids.ethr.changes import Change
from ssi.dids.ethr.fold import Moment, State
from ssi.dids.ethr.forms import PUBLISHED, SPECIFIED, Form
from ssi.dids.ethr.identifier import Identifier, read
from ssi.dids.ethr.known import Told
from ssi.dids.sources import CURRENT, Resolved, Sources, Version
from ssi.dids.sources import written as written_time
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.ledger.chain import Chain
from ssi.ledger.finality import Finality
from ssi.ledger.ledger import Ledger

__all__ = ["NAME", "PUBLISHED", "SPECIFIED", "Form", "history", "resolve", "written"]

NAME: Final = "ethr"
MAX_VERSIONS: Final = 2_048
MAX_HISTORY: Final = 8_388_608
"""How large all versions together may be: the bytes of their keys and services, and `_EACH` for every one of these."""
_EACH: Final = 256
_FINAL: Final = Finality.FINALIZED.value
_LATEST: Final = 253_402_300_799  # the last second that a datetime holds, whatever a block says


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:
    """The document as the ledger has it now, or had it at a block (`version.id`) or a time (`version.time`).

    Raises Malformed (`did.ethr`, `did.version`), Unsupported (`ledger.network`, `did.version`), Refused
    (`did.no_such_version`, `did.too_large`, `ledger.wrong_chain`, `ledger.no_contract` …), Unavailable (`ledger.*`).
    """
    return written(did, sources=sources, version=version, now=now, form=PUBLISHED)


def written(did: str, *, sources: Sources, version: Version = CURRENT, now: datetime, form: Form) -> Resolved:
    """`resolve`, with a choice of how keys are written."""
    identifier = read(did)
    ledger = _ledger(identifier, sources)
    moment = _moment(version, ledger.chain, now)
    told = _told(identifier, ledger)
    found = _resolved(told, did, moment, form)
    return replace(found, evidence=_evidence(told, found, ledger))


def history(did: str, *, sources: Sources, now: datetime) -> tuple[Resolved, ...]:
    """Every version, oldest first: before the first change, and after each block that has one.

    Each is as it was in that block; what ran out in between shows in its keys' `until`. Raises like `resolve`, and
    Refused (`did.too_large`) where all of them would be more than is kept: whose history it is need not be known.
    """
    identifier = read(did)
    ledger = _ledger(identifier, sources)
    told = _told(identifier, ledger)
    moments = _moments(known.read(told)[0], now)
    if len(moments) > MAX_VERSIONS:
        raise Refused("did.too_large", f"The DID has more than {MAX_VERSIONS} versions.")
    entries: list[Resolved] = []
    size = 0
    for moment in reversed(moments):
        size += _size(known.written(told, did, moment=moment, form=PUBLISHED)[0])
        if size > MAX_HISTORY:
            raise Refused("did.too_large", "The DID's versions are larger, all together, than this service reads.")
        entry = _resolved(told, did, moment, PUBLISHED)
        if told.events and "versionId" not in entry.metadata:  # what an account is from the start, no block says
            entries.append(entry)
            continue
        final = entries[-1].evidence if entries and entries[-1].evidence["finality"] == _FINAL else None
        entries.append(replace(entry, evidence=_evidence(told, entry, ledger, after=final)))
    return tuple(reversed(entries))


def _size(state: State) -> int:
    shown = (*state.entries, *state.services)
    return sum(_EACH + len(one.entry.value) for one in shown) + _EACH * len(state.agreements)


def _moments(made: Sequence[Change], now: datetime) -> list[Moment]:
    """Before the first change, and at each block with one until the DID was given to nobody."""
    blocks: dict[int, int] = {}
    for change in made:
        blocks[change.block] = change.at
        if change.owner == changes.NOBODY:
            break
    first = Moment(made[0].at, block=made[0].block - 1) if made else Moment(int(now.timestamp()))
    return [first, *(Moment(at, block=block) for block, at in blocks.items())]


def _ledger(identifier: Identifier, sources: Sources) -> Ledger:
    ledger = sources.ledgers.named(identifier.network)
    if identifier.chain_id not in (None, ledger.chain.chain_id):
        raise Refused("ledger.wrong_chain", "The DID names another chain than the ledger that is known by this name.")
    return ledger


def _moment(version: Version, chain: Chain, now: datetime) -> Moment:
    """Which changes count, and what time it is to be (method specification, "Resolving DID URIs")."""
    if version.number is not None:
        raise Unsupported("did.version", "Versions of a did:ethr are named by block or by time.")
    if version.id is not None and version.time is not None:
        raise Malformed("did.version", "A version is asked for both by block and by time.")
    if version.time is not None:
        if version.time > now:
            raise Refused("did.no_such_version", "Nobody knows what the document will be at that time.")
        second = int(version.time.timestamp())
        return Moment(second, time=second)
    if version.id is None:
        return Moment(int(now.timestamp()))
    if not (version.id.isascii() and version.id.isdigit() and len(version.id) <= 16):
        raise Malformed("did.version", "A version of a did:ethr is the number of a block.")
    block = chain.block(int(version.id))
    if block is None:
        raise Refused("did.no_such_version", "The ledger has no such block yet.")
    return Moment(block.at, block=block.number)


def _told(identifier: Identifier, ledger: Ledger) -> Told:
    try:
        events = ledger.registry.events(identifier.address)
    except Malformed as malformed:  # the node's or the contract's doing: nothing that the DID could be blamed for
        raise Unavailable(malformed.code, malformed.detail) from None
    return Told(events, chain_id=ledger.chain.chain_id, address=identifier.address)


def _evidence(
    told: Told, found: Resolved, ledger: Ledger, *, after: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """Which block says so, since when, and how sure that is: the last change's, or the newest where there is none.

    What is before a block that is final (`after`) is final, too, and needs no question.
    """
    said = found.metadata.get("versionId")
    version = None if said is None else int(said)
    event = next((event for event in told.events if event.block_number == version), None)
    if event is None:
        head = ledger.chain.head()
        block, at, block_hash = head.number, head.at, head.hash
    else:
        block, at, block_hash = event.block_number, event.at, event.block_hash
    finality = _FINAL if after is not None else ledger.chain.finality(block, block_hash).value
    return {"chain_id": told.chain_id, "block": block, "block_at": _date(at), "finality": finality}


def _resolved(told: Told, did: str, moment: Moment, form: Form) -> Resolved:
    state, made = known.written(told, did, moment=moment, form=form)
    metadata: dict[str, Json] = {}
    if state.deactivated:
        metadata["deactivated"] = True
    if state.version is not None:
        metadata |= {"versionId": str(state.version.block), "updated": _date(state.version.at)}
    if state.following is not None:
        metadata |= {"nextVersionId": str(state.following.block), "nextUpdate": _date(state.following.at)}
    return Resolved(made, metadata)


def _date(second: int) -> str:
    return written_time(datetime.fromtimestamp(min(second, _LATEST), UTC))
