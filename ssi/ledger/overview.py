"""A ledger at a glance: by whose word may whom issue what, and what has each of them stated?

For people and lists. All of one survey is of one block, but which events there were is the node's word: what decides
anything asks views and proofs (`ssi.trust.accreditation`, `ssi.ledger.receipts`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi.errors import Malformed, Unavailable
from ssi.ledger.anchor import AnchorEvent, TrustAnchor
from ssi.ledger.chain import Block
from ssi.ledger.finality import Finality
from ssi.ledger.hexes import read_address
from ssi.ledger.ledger import Ledger
from ssi.ledger.registrycalls import NOBODY
from ssi.ledger.slots import Accreditation, Rights

MAX_DEPTH: Final = 4
"""How many grants deep the tree is drawn: as deep as accreditation counts."""
MAX_GRANTS: Final = 200
"""How many grants a survey asks about; a larger tree is cut off, and says so."""
NEWEST: Final = 10
"""How many anchors of each identity are told one by one."""
_MAX_STATES: Final = 20


@dataclass(frozen=True)
class Grant:
    """What somebody was allowed, by one who stands above in the tree; hashes of types as the ledger has them."""

    type_hash: bytes
    grant: Accreditation
    finality: Finality

    def state(self, *, at: int) -> str:
        """In one word: stands, withdrawn, over, or early (its block's clock is ahead of ours)."""
        if self.grant.withdrawn:
            return "withdrawn"
        if at >= self.grant.until:
            return "over"
        return "early" if at < self.grant.granted_at else "stands"


@dataclass(frozen=True)
class Member:
    """One in the tree: what it was granted from above, and whom it lets do what.

    `ended`: its identity was given up. `again`: it stands elsewhere in the tree, too, with all that is below it.
    """

    address: str
    ended: bool
    grants: tuple[Grant, ...] = ()
    below: tuple[Member, ...] = ()
    again: bool = False

    def walk(self) -> Iterator[Member]:
        """This one and all below."""
        yield self
        for one in self.below:
            yield from one.walk()


@dataclass(frozen=True)
class Root:
    """An anchored digest, mostly the root of a batch of credentials; times in seconds since 1970."""

    digest: bytes
    block_number: int
    at: int
    finality: Finality


@dataclass(frozen=True)
class State:
    """The newest state of something that changes (a status list, the log of a DID), whose name is a hash."""

    subject: bytes
    number: int
    block_number: int
    at: int
    finality: Finality


@dataclass(frozen=True)
class Stated:
    """What one identity has stated: how many anchors and the newest of them, newest states; newest first.

    `described` are the anchors that the asker knows as something else than roots of batches; `anchors` are the others.
    """

    address: str
    ended: bool
    anchors: int
    newest: tuple[Root, ...]
    states: tuple[State, ...]
    described: tuple[Root, ...] = ()


@dataclass(frozen=True)
class Overview:
    """A survey: as of which block, the newest final block if there is one, the tree, and statements by address."""

    head: Block
    final: Block | None
    accreditors: tuple[Member, ...]
    stated: tuple[Stated, ...]
    cut_off: bool = False

    def counting(self, *, at: int) -> frozenset[tuple[str, str, bytes]]:
        """Which grants count now, as (accreditor, subject, type): they stand, and so does all above them.

        As `ssi.trust.accreditation` judges, by any way that leads from the top.
        """
        edges = [edge for top in self.accreditors for edge in _edges(top)]
        standing = [(who, one, grant) for who, one, grant in edges if grant.state(at=at) == "stands" and not one.ended]
        tops = {one.address for one in self.accreditors if not one.ended}
        found, accrediting = set[tuple[str, str, bytes]](), set[tuple[str, bytes]]()
        for _ in range(MAX_DEPTH):
            counting = [
                (who, one.address, grant)
                for who, one, grant in standing
                if who in tops or (who, grant.type_hash) in accrediting
            ]
            found |= {(who, subject, grant.type_hash) for who, subject, grant in counting}
            accrediting |= {(who, one.type_hash) for _, who, one in counting if Rights.ACCREDIT in one.grant.rights}
        return frozenset(found)

    def by_address(self, address: str) -> Stated | None:
        """What this identity has stated, if it was asked about."""
        return next((one for one in self.stated if one.address == address), None)


_Edge = tuple[str, Member, Grant]


def _edges(member: Member) -> Iterator[_Edge]:
    for one in member.below:
        yield from ((member.address, one, grant) for grant in one.grants)
        yield from _edges(one)


def survey(ledger: Ledger, *, also: Sequence[str] = (), known: Collection[bytes] = ()) -> Overview:
    """Look at a whole ledger: at its accreditors' tree, and at all in it and the addresses in `also`.

    An anchor is a digest and does not tell of what; `known` are digests of which the asker knows it (`Stated`).
    Raises Unavailable, Refused (`ledger.*`), as the chain does.
    """
    look = _Survey(ledger, frozenset(known))
    contract = ledger.anchor
    if contract is None:
        return Overview(look.head, look.final, (), ())
    accreditors = tuple(look.member(contract, address, (), 0) for address in roots(ledger))
    issuing = [one.address for root in accreditors for one in root.below for one in one.walk()]
    addresses = dict.fromkeys([*(one.lower() for one in also), *issuing])
    stated = tuple(look.stated(contract, address) for address in addresses)
    return Overview(look.head, look.final, accreditors, stated, look.cut_off)


def roots(ledger: Ledger) -> tuple[str, ...]:
    """The addresses of a ledger's accreditors; those that are named by a key and not by an address are left out."""
    found = []
    for did in ledger.accreditors:
        try:
            found.append(read_address(did.rpartition(":")[2].lower()))
        except Malformed:
            continue
    return tuple(dict.fromkeys(found))


class _Survey:
    """One look, all of one block."""

    def __init__(self, ledger: Ledger, known: frozenset[bytes]) -> None:
        self.ledger, self._known = ledger, known
        self.head = ledger.chain.head()
        self.final = ledger.chain.final()
        self.cut_off = False
        self._asked = 0
        self._seen: set[str] = set()

    def member(self, contract: TrustAnchor, address: str, grants: tuple[Grant, ...], depth: int) -> Member:
        """One of the tree with all below it."""
        ended = self._ended(address)
        if address in self._seen:
            return Member(address, ended, grants, (), again=True)
        self._seen.add(address)
        if depth == MAX_DEPTH:
            return Member(address, ended, grants)
        below = tuple(
            self.member(contract, subject, granted, depth + 1) for subject, granted in self._granted(contract, address)
        )
        return Member(address, ended, grants, below)

    def stated(self, contract: TrustAnchor, address: str) -> Stated:
        """What an identity has anchored, and the newest states that it told."""
        events = contract.events(address, upto=self.head.number)
        anchored = [one for one in reversed(events) if one.name == "Anchored"]
        described = [one for one in anchored if one.fields["digest"] in self._known]
        anchors = [one for one in anchored if one.fields["digest"] not in self._known]
        heads: dict[bytes, AnchorEvent] = {
            one.fields["subject"]: one for one in events if one.name == "HeadSet"
        }  # the last of each subject stays
        told = sorted(heads.values(), key=lambda one: (one.block_number, one.log_index), reverse=True)[:_MAX_STATES]
        times = self._times([*anchors[:NEWEST], *described[:NEWEST], *told])
        return Stated(
            address,
            self._ended(address),
            len(anchors),
            self._roots(anchors, times),
            tuple(
                State(
                    one.fields["subject"],
                    one.fields["number"],
                    one.block_number,
                    times[one.block_number],
                    self._sure(one.block_number),
                )
                for one in told
            ),
            self._roots(described, times),
        )

    def _roots(self, anchors: Sequence[AnchorEvent], times: Mapping[int, int]) -> tuple[Root, ...]:
        return tuple(
            Root(one.fields["digest"], one.block_number, times[one.block_number], self._sure(one.block_number))
            for one in anchors[:NEWEST]
        )

    def _granted(self, contract: TrustAnchor, accreditor: str) -> list[tuple[str, tuple[Grant, ...]]]:
        """Whom somebody ever let do something, and how that stands now."""
        pairs = dict.fromkeys(
            (str(event.fields["subject"]).lower(), bytes(event.fields["typeHash"]))
            for event in contract.events(accreditor, upto=self.head.number)
            if event.name == "Accredited"
        )
        found: dict[str, list[Grant]] = {}
        for subject, type_hash in pairs:
            if self._asked >= MAX_GRANTS:
                self.cut_off = True
                break
            self._asked += 1
            held = contract.accreditation(accreditor, subject, type_hash, block=self.head.number)
            if held is not None:
                found.setdefault(subject, []).append(Grant(type_hash, held, self._sure(held.block_number)))
        return [(subject, tuple(grants)) for subject, grants in found.items()]

    def _ended(self, address: str) -> bool:
        return self.ledger.registry.owner(address, block=self.head.number).lower() == NOBODY

    def _sure(self, number: int) -> Finality:
        """How sure a block is, by its number: whether it is still there was settled by asking at the head."""
        if self.final is not None and number <= self.final.number:
            return Finality.FINALIZED
        deep = self.head.number - number + 1 >= self.ledger.chain.confirmations
        return Finality.CONFIRMED if deep else Finality.PENDING

    def _times(self, events: Sequence[AnchorEvent]) -> dict[int, int]:
        numbers = sorted({one.block_number for one in events})
        blocks = self.ledger.chain.blocks(numbers) if numbers else {}
        if len(blocks) < len(numbers):
            raise Unavailable("ledger.no_block", "The ledger's node does not have a block that it spoke of.")
        return {number: block.at for number, block in blocks.items()}


def allowed(rights: Rights) -> tuple[str, ...]:
    """Rights as words of data: "issue", "accredit".

    >>> allowed(Rights.ISSUE | Rights.ACCREDIT)
    ('issue', 'accredit')
    """
    return tuple(one.name.lower() for one in Rights if one in rights and one.name is not None)
