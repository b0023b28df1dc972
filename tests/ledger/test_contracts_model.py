"""Random lives of identities on both nodes: the contracts do what a model of thirty lines says they do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssi.ledger import abi, anchor, registry
from tests.ledger.deployed import ANCHOR, REGISTRY, Actor, Deployed, Done

PEOPLE = 3
KINDS = (b"veriKey".ljust(32, b"\0"), b"sigAuth".ljust(32, b"\0"))
_PERSON = st.integers(0, PEOPLE - 1)
_WHO = st.one_of(_PERSON, st.just(-1))  # -1: nobody
_SECONDS = st.sampled_from([0, 1, 3600, 2**255, 2**256 - 1])
_CALL = st.one_of(
    st.tuples(st.just("changeOwner"), _WHO),
    st.tuples(st.just("addDelegate"), st.sampled_from(KINDS), _WHO, _SECONDS),
    st.tuples(st.just("revokeDelegate"), st.sampled_from(KINDS), _WHO),
    st.tuples(st.just("setAttribute"), st.sampled_from(KINDS), st.binary(max_size=70), _SECONDS),
    st.tuples(st.just("revokeAttribute"), st.sampled_from(KINDS), st.binary(max_size=70)),
)
_HEAD = st.tuples(st.just("setHead"), st.integers(0, 1), st.integers(0, 4))
_ANCHOR = st.tuples(st.just("anchor"), st.integers(0, 2))
_WAY = st.sampled_from(["direct", "direct", "signed", "stale"])
_STEP = st.tuples(st.one_of(st.just(-1), st.just(-1), _PERSON), _PERSON, _WAY, st.one_of(_CALL, _CALL, _HEAD, _ANCHOR))
"""Who acts (-1: the owner, where it is one of the people), about whom, how, and what."""
_PEOPLE_AT = {"changeOwner": 0, "addDelegate": 1, "revokeDelegate": 1}
"""Which argument is a person."""


@dataclass
class Identity:
    """What the model knows of one."""

    owner: str
    changed: int = 0
    count: int = 0
    ended: bool = False
    anchored: set[bytes] = field(default_factory=set)
    heads: dict[bytes, int] = field(default_factory=dict)

    def refuses(self, actor: str, function: str, arguments: tuple[Any, ...], *, stale: bool, by_signature: bool) -> str:
        """The registry's reason, empty when it takes the call."""
        if self.ended:
            return "deactivated"
        if actor != self.owner or (stale and self.count):
            return "bad_signature" if by_signature else "bad_actor"
        if function.endswith("Delegate") and arguments[1] == registry.NOBODY:
            # the validity is looked at first
            return "bad_validity" if function == "addDelegate" and arguments[2] == 2**256 - 1 else "bad_delegate"
        if function in ("addDelegate", "setAttribute") and arguments[2] == 2**256 - 1:
            return "bad_validity"
        return ""

    def mentions(self, function: str, arguments: tuple[Any, ...], done: Done) -> None:
        """The call was taken."""
        self.count, self.changed = self.count + 1, done.block
        if function == "changeOwner":
            self.owner, self.ended = arguments[0], arguments[0] == registry.NOBODY


class Play:
    """People on a node, and the model beside them."""

    def __init__(self, deployed: Deployed, actors: list[Actor]) -> None:
        self.deployed, self.actors = deployed, actors
        self.known = {actor.address: Identity(actor.address) for actor in actors}

    def step(self, actor: int, about: int, way: str, call: tuple[Any, ...]) -> None:
        """One call, which the contracts must take or refuse as the model does."""
        identity, (function, *wanted) = self.actors[about].address, call
        by_address = {one.address: one for one in self.actors}
        acting = by_address.get(self.known[identity].owner, self.actors[about]) if actor < 0 else self.actors[actor]
        if function in ("setHead", "anchor"):
            self._anchor(acting, identity, function, wanted)
            return
        if function in _PEOPLE_AT:
            wanted[_PEOPLE_AT[function]] = self._person(wanted[_PEOPLE_AT[function]])
        self._register(acting, identity, way, function, tuple(wanted))

    def _person(self, number: int) -> str:
        return self.actors[number].address if number >= 0 else registry.NOBODY

    def _register(self, actor: Actor, about: str, way: str, function: str, arguments: tuple[Any, ...]) -> None:
        known, before = self.known[about], self.known[about].changed
        by_signature = way != "direct"
        data = abi.encode(REGISTRY, function, about, *arguments)
        if by_signature:
            number = 0 if way == "stale" else known.count
            wanted = registry.SignedCall(
                function, about, arguments, self.deployed.node.chain_id, self.deployed.registry, number
            )
            data = wanted.data(*actor.account.sign_digest(wanted.digest()))
        why = known.refuses(actor.address, function, arguments, stale=way == "stale", by_signature=by_signature)
        sender = self.actors[0] if by_signature else actor
        if why:
            assert sender.why_not(self.deployed.registry, data) == why
            return
        done = sender.does(self.deployed.registry, data)
        known.mentions(function, arguments, done)
        ((_, fields),) = done.events(REGISTRY)
        assert (fields["identity"], fields["previousChange"]) == (about, before)

    def _anchor(self, actor: Actor, about: str, function: str, arguments: list[int]) -> None:
        known = self.known[about]
        digest = hashlib.sha256(repr(arguments).encode()).digest()
        data, again = anchor.anchor(about, digest), digest in known.anchored
        if function == "setHead":
            subject = bytes([arguments[0]]) * 32
            data = anchor.set_head(about, subject, digest, arguments[1])
            again = arguments[1] <= known.heads.get(subject, 0)
        why = "Deactivated" if known.ended else "NotOwner" if actor.address != known.owner else ""
        why = why or ({"anchor": "AlreadyAnchored", "setHead": "NotNewer"}[function] if again else "")
        if why:
            refused = actor.why_not(self.deployed.anchor, data)
            assert refused is not None
            assert refused.startswith(f"{why}(")
            return
        assert len(actor.does(self.deployed.anchor, data).events(ANCHOR)) == 1
        if function == "setHead":
            known.heads[subject] = arguments[1]
        else:
            known.anchored.add(digest)

    def agrees(self) -> None:
        """Every view says what the model says."""
        asks = self.deployed.asks
        for address, known in self.known.items():
            assert asks("identityOwner", address) == known.owner
            assert (asks("changed", address), asks("nonce", address)) == (known.changed, known.count)
            for subject, number in known.heads.items():
                assert asks("heads", address, subject)[1] == number
            assert all(asks("anchored", address, digest)[0] for digest in known.anchored)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_STEP, min_size=4, max_size=14))
def test_the_contracts_do_what_the_model_does(deployed: Deployed, steps: list[Any]) -> None:
    play = Play(deployed, [deployed.actor() for _ in range(PEOPLE)])
    for actor, about, way, call in steps:
        play.step(actor, about, way, call)
    play.agrees()
