"""Interoperability: what is made here verifies in other people's software, and what they make verifies here."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ssi import formats, suites
from ssi.bbs.keys import BbsSigner
from ssi.dids import key
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.model import Challenge, Check, Credential, Disclosure, Draft, Issuer, Outcome, Presentation
from ssi.suites import proofs
from tests import peers
from tests.ssi.sdjwts import Keys as FixedKeys
from tests.ssi.sdjwts import found
from tests.support import NOW, InMemoryFetch

CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
SIGNERS: Mapping[str, Any] = {
    "eddsa-rdfc-2022": lambda: SoftwareSigner.generate("EdDSA"),
    "ecdsa-rdfc-2019": lambda: SoftwareSigner.generate("ES256"),
    "ecdsa-sd-2023": lambda: SoftwareSigner.generate("ES256"),
    "bbs-2023": lambda: BbsSigner.generate(random=secrets.token_bytes),
}
SELECTIVE = ("ecdsa-sd-2023", "bbs-2023")
MANDATORY = ["/issuer", "/validFrom"]
SHOWN = ["/credentialSubject/alumniOf", "/credentialSubject/degree/name"]
every_suite = pytest.mark.parametrize("name", list(SIGNERS))
selective_suite = pytest.mark.parametrize("name", SELECTIVE)


@pytest.fixture(scope="module")
def peer() -> Iterator[peers.Peer]:
    if reason := peers.missing():
        pytest.skip(f"the cross-checks with other people's software are left out: {reason}")
    running = peers.Peer()
    yield running
    running.close()


@pytest.fixture
def keys() -> Keys:
    return Keys(InMemoryFetch({}))


def credential(issuer: str) -> dict[str, Any]:
    return {
        "@context": CONTEXTS,
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:abcdefgh",
            "alumniOf": "The School of Examples",
            "degree": {"type": "ExampleDegree", "name": "Bachelor of Science", "year": 2024, "honours": True},
            "languages": ["Deutsch", "日本語", "हिन्दी"],
        },
    }


def issued(name: str, signer: Signer) -> dict[str, Any]:
    did = key.from_public(signer.public)
    return proofs.add(
        credential(did),
        suite=suites.by_name(name),
        signer=signer,
        verification_method=key.url(signer.public),
        created=NOW,
        mandatory=MANDATORY if name in SELECTIVE else None,
    )


def verified(document: Mapping[str, Any], keys: Keys, **asked: Any) -> Outcome:
    asked = {"purpose": "assertionMethod", **asked}
    return proofs.verdict(proofs.verify(document, keys=keys, now=datetime.now(UTC), **asked)).outcome


def changed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "credentialSubject": {**document["credentialSubject"], "alumniOf": "Elsewhere"}}


@every_suite
def test_the_peer_verifies_our_credentials_and_refuses_changed_ones(peer: peers.Peer, name: str) -> None:
    ours = issued(name, SIGNERS[name]())
    if name in SELECTIVE:
        ours = proofs.derive(ours, pointers=SHOWN)
        assert set(ours["credentialSubject"]) == {"id", "alumniOf", "degree"}
        assert set(ours["credentialSubject"]["degree"]) == {"type", "name"}
    assert peer.ask("verify", suite=name, credential=ours)["verified"], ours
    assert not peer.ask("verify", suite=name, credential=changed(ours))["verified"]


@every_suite
def test_we_verify_the_peers_credentials_and_refuse_changed_ones(peer: peers.Peer, keys: Keys, name: str) -> None:
    did = peer.ask("key", suite=name)["did"]
    theirs = peer.ask("issue", suite=name, credential=credential(did), mandatory=MANDATORY)["credential"]
    if name in SELECTIVE:
        assert [one.outcome.outcome for one in proofs.received(theirs, keys=keys, now=datetime.now(UTC))] == [
            Outcome.PASS
        ]
        assert verified(theirs, keys) is Outcome.FAIL  # a base proof is for its holder only
        theirs = peer.ask("derive", suite=name, credential=theirs, pointers=SHOWN)["credential"]
    assert verified(theirs, keys) is Outcome.PASS
    assert verified(changed(theirs), keys) is Outcome.FAIL


@selective_suite
def test_each_derives_from_what_the_other_issued(peer: peers.Peer, keys: Keys, name: str) -> None:
    by_them = peer.ask("derive", suite=name, credential=issued(name, SIGNERS[name]()), pointers=SHOWN)["credential"]
    assert verified(by_them, keys) is Outcome.PASS
    did = peer.ask("key", suite=name)["did"]
    theirs = peer.ask("issue", suite=name, credential=credential(did), mandatory=MANDATORY)["credential"]
    by_us = proofs.derive(theirs, pointers=SHOWN)
    assert peer.ask("verify", suite=name, credential=by_us)["verified"]
    assert {name for name in by_us if name != "proof"} == {name for name in by_them if name != "proof"}


def test_presentations_go_both_ways(peer: peers.Peer, keys: Keys) -> None:
    holder = SoftwareSigner.generate("EdDSA")
    inner = proofs.derive(issued("ecdsa-sd-2023", SIGNERS["ecdsa-sd-2023"]()), pointers=SHOWN)
    asked = {"challenge": "8c2f41", "domain": "verifier.example"}
    ours = proofs.add(
        {
            "@context": CONTEXTS[:1],
            "type": ["VerifiablePresentation"],
            "holder": key.from_public(holder.public),
            "verifiableCredential": [inner],
        },
        suite=suites.by_name("eddsa-rdfc-2022"),
        signer=holder,
        verification_method=key.url(holder.public),
        purpose="authentication",
        created=NOW,
        **asked,
    )
    both = ["eddsa-rdfc-2022", "ecdsa-sd-2023"]
    assert peer.ask("verifyPresentation", suites=both, presentation=ours, **asked)["verified"]
    replayed = {**asked, "challenge": "another"}
    assert not peer.ask("verifyPresentation", suites=both, presentation=ours, **replayed)["verified"]
    theirs = peer.ask("present", suite="eddsa-rdfc-2022", credentials=[inner], **asked)["presentation"]
    assert verified(theirs, keys, purpose="authentication", **asked) is Outcome.PASS
    assert verified(theirs, keys, purpose="authentication", **replayed) is Outcome.FAIL


def test_sd_jwts_go_both_ways(peer: peers.Peer) -> None:
    sdjwt = formats.by_id("dc+sd-jwt")
    claims = {"given_name": "Erika", "age_over_18": True, "nationalities": ["DE"]}
    theirs = peer.ask(
        "sdIssue",
        claims={"iss": "https://issuer.test", "vct": "urn:x:1", "iat": int(NOW.timestamp()), **claims},
        frame={"_sd": list(claims)},
    )
    issuer, holder = (_public(theirs[name]) for name in ("issuer", "holder"))
    opened = sdjwt.check(Credential(sdjwt.ID, theirs["token"]), keys=FixedKeys(issuer=issuer), now=NOW)
    assert {name: opened.claims[name] for name in claims} == claims
    assert opened.holder == holder
    challenge = Challenge(nonce="n-0S6_WzA2Mj", audience="https://verifier.test")
    shown = peer.ask(
        "sdPresent",
        token=theirs["token"],
        show={"age_over_18": True},
        nonce=challenge.nonce,
        aud=challenge.audience,
        iat=int(NOW.timestamp()),
    )["token"]
    read = sdjwt.open(Presentation(sdjwt.ID, shown), challenge=challenge, keys=FixedKeys(issuer=issuer), now=NOW)
    assert {finding.outcome for finding in read.findings} == {Outcome.PASS}
    assert read.claims["age_over_18"] is True
    assert "given_name" not in read.claims

    ours_issuer, ours_holder = SoftwareSigner.generate("ES256"), SoftwareSigner.generate("ES256")
    draft = Draft("urn:x:1", Issuer("https://issuer.test"), claims, tuple((name,) for name in claims))
    card = sdjwt.issue(draft, signer=ours_issuer, holder=ours_holder.public, now=NOW)
    ours = sdjwt.derive(card, disclose=Disclosure((("given_name",),)), challenge=challenge, holder=ours_holder, now=NOW)
    answer = peer.ask(
        "sdVerify",
        token=ours.wire,
        issuer=dict(ours_issuer.public.jwk),
        holder=dict(ours_holder.public.jwk),
        nonce=challenge.nonce,
    )
    assert answer["payload"]["given_name"] == "Erika"
    assert "age_over_18" not in answer["payload"]
    with pytest.raises(peers.PeerError):
        peer.ask(
            "sdVerify",
            token=ours.wire,
            issuer=dict(SoftwareSigner.generate("ES256").public.jwk),
            holder=dict(ours_holder.public.jwk),
            nonce=challenge.nonce,
        )


def test_a_format_of_ours_is_read_by_the_peer(peer: peers.Peer) -> None:
    """What the wallet sends for `ldp_vc`: a derived credential in a presentation that the holder signed."""
    ldp = formats.by_id("ldp_vc")
    issuer, holder = SoftwareSigner.generate("ES256"), SoftwareSigner.generate("EdDSA")
    draft = Draft(
        "AlumniCredential",
        Issuer(key.from_public(issuer.public), kid=key.url(issuer.public)),
        {"alumniOf": "The School of Examples", "degree": {"type": "ExampleDegree", "name": "B.Sc."}},
        (("alumniOf",), ("degree",)),
        document={"@context": CONTEXTS[1:]},
    )
    card = ldp.issue(draft, signer=issuer, holder=holder.public, now=NOW)
    challenge = Challenge(nonce="n-0S6_WzA2Mj", audience="x509_hash:abc")
    disclose = Disclosure((("credentialSubject", "alumniOf"),))
    shown = ldp.derive(card, disclose=disclose, challenge=challenge, holder=holder, now=NOW)
    opened = ldp.open(shown, challenge=challenge, keys=Keys(InMemoryFetch({})), now=NOW)
    assert found(opened, Check.HOLDER_BINDING).outcome is Outcome.PASS
    answer = peer.ask(
        "verifyPresentation",
        suites=["eddsa-rdfc-2022", "ecdsa-sd-2023"],
        presentation=json.loads(shown.wire),
        challenge=challenge.nonce,
        domain=challenge.audience,
    )
    assert answer["verified"], answer


def _public(jwk: Mapping[str, Any]) -> PublicKey:
    return PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y")})
