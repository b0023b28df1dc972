"""A written ledger: both contracts on the embedded chain, accreditors, desks with a past, batches and withdrawals.

Everything is a real transaction; time is the test's own and passes between them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import schemas
from ssi.dids import multikey
from ssi.dids.webvh import writing
from ssi.dids.webvh.writing import Written
from ssi.errors import Unavailable
from ssi.fetch import Response
from ssi.keys import SoftwareSigner
from ssi.ledger import anchor, declared, registry
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.anchor import Rights
from ssi.ledger.chain import Chain
from ssi.ledger.devchain import CHAIN_ID, DevChain
from ssi.ledger.devchain.facade import answer
from tests.ledger.deployed import Actor
from tests.ledger.nodes import Node

RPC = "https://issuer.test/ledger/rpc"
HOST = "issuer.test"
TYPE = schemas.VERIFIED_PERSON
YEARS = 10 * 365 * 86_400
BOTH = Rights.ISSUE | Rights.ACCREDIT


@dataclass
class Book:
    """A ledger in a folder, asked at `RPC` through `handler`; `at` is its time."""

    folder: Path
    at: datetime
    down: bool = False
    asked: int = 0
    actors: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        funded = [SoftwareAccount.generate() for _ in range(6)]
        self.chain = DevChain(
            self.folder / "chain.db",
            clock=lambda: int(self.at.timestamp()),
            faucet=[one.address for one in funded],
        )
        node = Node("embedded", self.chain, CHAIN_ID, funded, None, lambda *_: None, lambda _: None)
        names = ("accreditor", "ministry", "desk", "branch", "stranger", "former")
        self.actors = {name: Actor(node, one) for name, one in zip(names, funded, strict=True)}
        self.registry = self["accreditor"].deploys(registry.deploy_data())
        self.anchor = self["accreditor"].deploys(anchor.deploy_data(self.registry))
        self.key = SoftwareSigner.generate("EdDSA")
        self.log = self._founded()

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    def passes(self, **span: float) -> None:
        self.at += timedelta(**span)

    # --- what is written ---

    def accredits(self, who: str, whom: str, rights: Rights, *, kind: str = TYPE, seconds: int = YEARS) -> None:
        until = int(self.at.timestamp()) + seconds
        data = anchor.accredit(self[who].address, self[whom].address, anchor.name_hash(kind), rights, until)
        self[who].does(self.anchor, data)

    def withdraws(self, who: str, whom: str, *, kind: str = TYPE) -> None:
        self[who].does(self.anchor, anchor.withdraw(self[who].address, self[whom].address, anchor.name_hash(kind)))

    def ends(self, who: str) -> None:
        self[who].does(self.registry, registry.change_owner(self[who].address, registry.NOBODY))

    def records(self, who: str, count: int = 1, *, label: str = "batch") -> None:
        for number in range(count):
            digest = sha256(f"{label} {who} {number}".encode()).digest()
            self[who].does(self.anchor, anchor.anchor(self[who].address, digest))

    def states(self, name: str, number: int) -> None:
        digest = sha256(f"{name} {number}".encode()).digest()
        who = self["desk"]
        who.does(self.anchor, anchor.set_head(who.address, anchor.name_hash(name), digest, number))

    def heads(self, log: Written) -> None:
        """Put the newest version of the desk's log on record."""
        digest, number = sha256(log.version_id.encode()).digest(), len(log.log.versions)
        subject = anchor.name_hash(log.log.scid)
        who = self["desk"]
        who.does(self.anchor, anchor.set_head(who.address, subject, digest, number))

    def rotates(self, *, record: bool = True) -> SoftwareSigner:
        """A new signing key in the desk's DID."""
        key = SoftwareSigner.generate("ES256")
        self.log = writing.update(self.log, document=self._document(key), signer=self.key, now=self.at)
        if record:
            self.heads(self.log)
        return key

    def _founded(self) -> Written:
        key = SoftwareSigner.generate("ES256")
        return writing.create(HOST, document=self._document(key), signer=self.key, now=self.at)

    def _document(self, key: SoftwareSigner) -> dict[str, Any]:
        did = self.log.did if hasattr(self, "log") else f"did:webvh:{{SCID}}:{HOST}"
        text = multikey.encode(key.public)
        name = f"{did}#{text[-6:]}"
        method = {"id": name, "type": "Multikey", "controller": did, "publicKeyMultibase": text}
        return {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "alsoKnownAs": [f"did:ethr:{hex(CHAIN_ID)}:{self['desk'].address}"],
            "verificationMethod": [method],
            "assertionMethod": [name],
        }

    def story(self) -> Book:
        """Some years of a small country."""
        self.accredits("accreditor", "ministry", BOTH)
        self.passes(days=30)
        self.accredits("ministry", "desk", Rights.ISSUE)
        self.accredits("ministry", "desk", Rights.ISSUE, kind="VerifiedPersonCredential", seconds=200 * 86_400)
        self.accredits("ministry", "branch", Rights.ISSUE)
        self.accredits("accreditor", "former", Rights.ISSUE, kind="a type nobody here knows")
        self.heads(self.log)
        self.passes(days=12, hours=3)
        self.records("desk", 2)
        self.rotates()
        self.states("https://issuer.test/status/1", 4)
        self.passes(days=100)
        self.withdraws("ministry", "branch")
        self.ends("former")
        self.records("desk", 12, label="later batch")
        self.passes(days=120)
        self.rotates(record=False)
        return self

    # --- how it is asked ---

    def declaration(self, *, development: bool = True) -> bytes:
        chain = Chain(self.chain, chain_id=CHAIN_ID, genesis=None)
        return declared.write(
            chain=chain,
            name="Facet development chain",
            development=development,
            rpc=(RPC,),
            registry=self.registry,
            anchor=self.anchor,
            accreditors=(f"did:ethr:{hex(CHAIN_ID)}:{self['accreditor'].address}",),
        )

    @property
    def pages(self) -> Mapping[str, Any]:
        """The ledger and the desk's log, for an in-memory network."""
        return {RPC: self._rpc, f"https://{HOST}/.well-known/did.jsonl": self._log}

    def _rpc(self, _method: str, url: str, _headers: Mapping[str, str], body: bytes) -> Response:
        self.asked += 1
        if self.down:
            raise Unavailable("fetch.unreachable", "There is nothing at this address.")
        return Response(200, url, {"content-type": "application/json"}, answer(self.chain, body))

    def _log(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes) -> Response:
        return Response(200, url, {"content-type": "text/jsonl"}, self.log.text)

    def founded_in(self, data: Path, *, listed: Sequence[str] | None = None) -> None:
        """Make this the ledger of a role's data folder, and the desk a listed issuer."""
        (data / "trust").mkdir(parents=True, exist_ok=True)
        (data / "trust/ledger.json").write_bytes(self.declaration())
        named = {name: [TYPE] for name in ([self.log.did] if listed is None else listed)}
        (data / "trust/issuers.json").write_text(json.dumps(named))


def start(text: str = "2026-03-01T09:00:00+00:00") -> datetime:
    """A time to begin at."""
    return datetime.fromisoformat(text).astimezone(UTC)
