"""A desk whose did:webvh, credentials, lists and accreditation are on a chain, and a verifier wired by its settings.

Whatever the verifier asks, the chain too, goes over one in-memory network, which counts.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ssi.dids.webvh import anchored, writing
from ssi.encoding import write_json
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.keys import PublicKey, SoftwareSigner
from ssi.ledger import anchor, declared, merkle, receipts, registry, slots
from ssi.ledger.anchor import Rights, TrustAnchor
from ssi.ledger.chain import Chain
from ssi.ledger.devchain.facade import answer
from ssi.ledger.ledger import Checkpoint
from ssi.ledger.receipts import Place
from ssi.model import Challenge, Check, Credential, Disclosure, Draft, Finding, Issuer, Presentation, StatusRef
from ssi.status import token_status_list
from ssi.status.bits import StatusList
from ssi.trust import declared as declared_trust
from tests.ledger import nodes
from tests.ledger.deployed import Actor, Deployed, deploy
from tests.support import InMemoryFetch
from tests.verifier.world import CLAIMS, DISCLOSABLE, PERSON, Clock, World
from verifier import wiring
from verifier.policy import Policy
from verifier.verify import VerificationResult, Verifier

RPC = "https://node.test/rpc"
CHALLENGE = Challenge("n-0S6_WzA2Mj", "x509_hash:verifier")
VALID = StatusList.blank(64)
_COUNT = itertools.count(1)


@dataclass
class Court:
    """Where everybody stands: the chain with its contracts, the verifier's folder, and the clock of all."""

    deployed: Deployed
    accreditor: Actor
    base: World

    @property
    def now(self) -> datetime:
        return self.base.clock.at

    def passes(self, **span: float) -> None:
        self.base.clock.move(**span)

    @property
    def chain(self) -> Chain:
        return Chain(self.deployed.node.rpc, chain_id=self.deployed.node.chain_id, genesis=None)

    @property
    def network(self) -> str:
        return hex(self.deployed.node.chain_id)

    def declaration(self, *checkpoints: Checkpoint, accredits: bool = True, **changes: Any) -> bytes:
        return declared.write(
            **{
                "chain": self.chain,
                "name": "the court's ledger",
                "development": True,
                "rpc": [RPC],
                "registry": self.deployed.registry,
                "anchor": self.deployed.anchor,
                "accreditors": [f"did:ethr:{self.network}:{self.accreditor.address}"] if accredits else [],
                "checkpoints": checkpoints,
                **changes,
            }
        )


@dataclass
class Desk:
    """An issuer of its own in the court: its account, its DID's log, its keys and its list of statuses."""

    court: Court
    account: Actor = field(init=False)
    signer: SoftwareSigner = field(init=False)
    log: writing.Written = field(init=False)
    update: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("EdDSA"))
    lists: int = 0
    node_away: bool = False

    def __post_init__(self) -> None:
        self.account = self.court.deployed.actor()
        self.host = f"desk{next(_COUNT)}.test"
        self.uri = f"https://{self.host}/status/1"
        self.pages: dict[str, Any] = {RPC: self._node}
        self.fetch = InMemoryFetch(self.pages)
        self.signer = SoftwareSigner.generate("ES256")
        self.log = writing.create(
            self.host, document=self._document(self.signer.public), signer=self.update, now=self.court.now
        )
        self.head()
        self.publish(VALID)

    # --- what the desk does

    @property
    def did(self) -> str:
        return self.log.did

    @property
    def issuer(self) -> Issuer:
        return Issuer(self.did, f"{self.did}#{self.signer.kid}")

    def _document(self, *keys: PublicKey) -> dict[str, Any]:
        did = f"did:webvh:{{SCID}}:{self.host}"
        methods = [
            {"id": f"{did}#{key.kid}", "type": "JsonWebKey", "controller": did, "publicKeyJwk": dict(key.jwk)}
            for key in keys
        ]
        return {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "alsoKnownAs": [f"did:ethr:{self.court.network}:{self.account.address}"],
            "verificationMethod": methods,
            "assertionMethod": [one["id"] for one in methods],
        }

    def head(self) -> None:
        """The log is served as it is now, and its head stated."""
        self.pages[f"https://{self.host}/.well-known/did.jsonl"] = self.log.text
        last = self.log.log.last.entry
        self._states(anchor.name_hash(self.log.log.scid), anchored.digest(last.version_id), last.number)

    def rotates(self) -> SoftwareSigner:
        """Another key from now on; the old one, as its thief has it."""
        old, self.signer = self.signer, SoftwareSigner.generate("ES256")
        plain = write_json(self._document(self.signer.public)).replace(b"{SCID}", self.log.log.scid.encode())
        self.log = writing.update(self.log, document=json.loads(plain), signer=self.update, now=self.court.now)
        self.head()
        return old

    def ends(self) -> None:
        """The DID is given up."""
        self.log = writing.deactivate(self.log, signer=self.update, now=self.court.now)
        self.head()

    def publish(self, statuses: StatusList, *, anchored: bool = True) -> None:
        token = token_status_list.issue(
            statuses,
            uri=self.uri,
            signer=SoftwareSigner.from_pkcs8(self.signer.pkcs8(), name=f"{self.did}#{self.signer.kid}"),
            x5c=(),
            now=self.court.now,
            ttl=timedelta(minutes=5),
            expires=self.court.now + timedelta(days=7),
        )
        content_type = {"content-type": "application/statuslist+jwt"}
        self.pages[self.uri] = Response(200, self.uri, content_type, token.encode())
        if anchored:
            self.lists += 1
            self._states(anchor.name_hash(self.uri), statuses.digest, self.lists)

    def _states(self, subject: bytes, digest: bytes, number: int) -> None:
        self.account.does(self.court.deployed.anchor, anchor.set_head(self.account.address, subject, digest, number))

    def credential(self, *, signer: SoftwareSigner | None = None, at: datetime | None = None) -> Credential:
        key = signer or self.signer
        draft = Draft(
            type=PERSON,
            issuer=Issuer(self.did, f"{self.did}#{key.kid}"),
            claims=CLAIMS,
            disclosable=DISCLOSABLE,
            valid_until=self.court.now + timedelta(days=365),
            statuses=(StatusRef("token_status_list", self.uri, 7),),
        )
        holder = self.court.base.holder.public
        return sdjwt.issue(draft, signer=key, holder=holder, now=at or self.court.now)

    def receipt(self, credential: Credential, *, by: Actor | None = None) -> dict[str, Any]:
        """Anchor the credential in a batch, and what its holder gets."""
        court, who = self.court, by or self.account
        deployed, chain, salt = court.deployed, court.chain, secrets.token_bytes(32)
        core = sdjwt.core(credential.wire)
        assert core is not None
        tree = merkle.Tree([merkle.entry(salt, core), *(secrets.token_bytes(32) for _ in range(4))])
        number = who.does(deployed.anchor, anchor.anchor(who.address, tree.root)).block
        found = TrustAnchor(chain, deployed.anchor).anchored(who.address, tree.root)
        block = chain.block(number)
        assert found is not None
        assert block is not None
        held = chain.proof(deployed.anchor, [slots.anchored_slot(who.address, tree.root)], number)
        stands = chain.proof(deployed.registry, [slots.identity_slot(who.address)], number)
        place = Place(deployed.node.chain_id, deployed.anchor, deployed.registry)
        proof = receipts.state_proof(block.header, held, stands)
        made = receipts.build(place, who.address, tree=tree, index=0, salt=salt, anchored=found, proof=proof)
        return receipts.write(made)

    def accredited(self, *, seconds: int = 86_400) -> None:
        until = int(self.court.now.timestamp()) + seconds
        by, kind = self.court.accreditor, anchor.name_hash(PERSON)
        by.does(
            self.court.deployed.anchor,
            anchor.accredit(by.address, self.account.address, kind, Rights.ISSUE, until),
        )

    def unaccredited(self) -> None:
        by = self.court.accreditor
        data = anchor.withdraw(by.address, self.account.address, anchor.name_hash(PERSON))
        by.does(self.court.deployed.anchor, data)

    def loses_account(self) -> None:
        """The identity on the ledger ends."""
        self.account.does(self.court.deployed.registry, registry.change_owner(self.account.address, registry.NOBODY))

    # --- who verifies

    def _node(self, _method: str, url: str, _headers: Mapping[str, str], body: bytes) -> Response:
        if self.node_away:
            return Response(503, url, {}, b"")
        return Response(200, url, {"content-type": "application/json"}, answer(self.court.deployed.node.rpc, body))

    @property
    def asked(self) -> int:
        """How often the node was asked."""
        return sum(url == RPC for _, url in self.fetch.calls)

    def judge(self, *, listed: bool = True, declaration: bytes | None = None, **options: str) -> Judge:
        """A verifier with a start of its own; `listed`: it trusts the desk by name."""
        folder = self.court.base.folder
        path = folder / f"{self.host}-{secrets.token_hex(4)}"
        path.mkdir()
        (path / "ledger.json").write_bytes(declaration or self.court.declaration())
        (path / "issuers.json").write_bytes(write_json({self.did if listed else "did:web:other.test": [PERSON]}))
        return Judge(
            self,
            {"ledger": str(path / "ledger.json"), "trusted_issuers": str(path / "issuers.json"), **options},
        )


@dataclass
class Judge:
    """A verifier, from its settings."""

    desk: Desk
    options: Mapping[str, str]

    @cached_property
    def verifier(self) -> Verifier:
        return wiring.verifier(
            self.policy.trust,
            fetch=self.desk.fetch,
            settings=self.settings,
            known=self.known,
        )

    @cached_property
    def settings(self) -> Any:
        return self.desk.court.base.settings(**self.options)

    @cached_property
    def known(self) -> Any:
        return wiring.ledger(self.settings, fetch=self.desk.fetch)

    @cached_property
    def policy(self) -> Policy:
        trusted = wiring.issuers(self.settings, declared_trust.NOTHING, self.known)
        return Policy(trust=trusted, types=frozenset({PERSON}))

    def verify(self, credential: Credential, receipt: Mapping[str, Any] | None = None) -> VerificationResult:
        court = self.desk.court
        shown = sdjwt.derive(
            credential,
            disclose=Disclosure((("given_name",),)),
            challenge=CHALLENGE,
            holder=court.base.holder,
            now=court.now,
        )
        presented = Presentation(shown.format, shown.wire, receipt)
        return self.verifier.verify(presented, challenge=CHALLENGE, policy=self.policy, now=court.now)


def said(result: VerificationResult, check: Check = Check.LEDGER) -> Finding:
    """The finding of one check."""
    (found,) = [one for one in result.findings if one.check is check]
    return found


@contextmanager
def opened(folder: Path) -> Iterator[Court]:
    """A court with a chain of its own."""
    clock = Clock()
    base = World(folder / "data", clock)
    with nodes.embedded(folder, clock=lambda: int(clock.at.timestamp())) as node:
        deployed = deploy(node)
        yield Court(deployed, deployed.actor(), base)
