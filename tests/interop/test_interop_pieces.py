"""Single tokens: what @openid4vc makes is read here, what is made here is read there, and a changed one by neither."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssi.errors import SsiError
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, SoftwareSigner
from ssi.oauth import clients, dpop, pkce
from ssi.oauth.authorization import AuthorizationQuery, Callback
from ssi.oid4vci import keyattestation, proof, signed
from ssi.trust import x509
from tests.interop.world import Ground
from tests.peers import Peer, PeerError
from tests.support import InMemoryFetch

URL = "https://desk.test/token"
DESK = "https://desk.test"
WALLET = "https://wallet.peer.test"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def provider(ground: Ground) -> tuple[SoftwareSigner, tuple[bytes, ...]]:
    key, chain = ground.provider["key"], ground.provider["chain"]
    with open(key, "rb") as private, open(chain, "rb") as certificates:
        return SoftwareSigner.from_pkcs8(private.read()), x509.read_certificates(certificates.read())


def public(jwk: Mapping[str, Any]) -> PublicKey:
    return PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y")})


@pytest.mark.parametrize("token", [None, "an-access-token"], ids=["alone", "with a token"])
def test_dpop_proofs(token: str | None, peer: Peer) -> None:
    more = {"accessToken": token} if token else {}
    theirs = peer.ask("dpop", url=f"{URL}?a=1#b", method="POST", nonce="n-1", **({"accessToken": "none"} | more))
    read = dpop.verify(theirs["proof"], method="POST", url=URL, now=now(), access_token=token)
    assert (read.jkt, read.nonce) == (theirs["jkt"], "n-1")
    with pytest.raises(SsiError):
        dpop.verify(theirs["proof"], method="POST", url=f"{DESK}/credential", now=now())
    signer = SoftwareSigner.generate("ES256")
    ours = dpop.make(signer=signer, method="POST", url=URL, now=now(), jti="j-1", nonce="n-1", access_token=token)
    assert peer.ask("verifyDpop", proof=ours, url=URL, method="POST", nonce="n-1", **more)["jkt"] == signer.public.kid
    for wrong in ({"method": "GET"}, {"nonce": "n-2"}, {"url": f"{DESK}/other"}):
        with pytest.raises(PeerError, match="invalid_dpop_proof"):
            peer.ask("verifyDpop", **{"proof": ours, "url": URL, "method": "POST", **wrong})


def test_client_attestations(peer: Peer, ground: Ground, provider: Any) -> None:
    theirs = peer.ask("clientAttestation", clientId=WALLET, audience=DESK, signing=ground.provider)
    read = clients.verify(theirs["attestation"], theirs["pop"], audience=DESK, now=now())
    assert (read.client_id, read.instance.kid, read.provider.x5c) == (WALLET, theirs["jkt"], provider[1])
    with pytest.raises(SsiError):
        clients.verify(theirs["attestation"], theirs["pop"], audience="https://other.test", now=now())
    instance = SoftwareSigner.generate("ES256")
    ours = clients.make_attestation(
        signer=provider[0],
        x5c=provider[1],
        client_id=WALLET,
        instance=instance.public,
        now=now(),
        lifetime=timedelta(minutes=5),
        claims={"iss": WALLET},
    )
    pop = clients.make_pop(signer=instance, audience=DESK, now=now(), jti="j-1", client_id=WALLET)
    told = peer.ask("verifyClientAttestation", attestation=ours, pop=pop, audience=DESK)
    assert told == {"clientId": WALLET, "jkt": instance.public.kid}
    with pytest.raises(PeerError, match="invalid_client"):
        peer.ask("verifyClientAttestation", attestation=ours, pop=pop, audience="https://other.test")
    another = peer.ask("clientAttestation", clientId=WALLET, audience=DESK, signing=ground.provider)
    with pytest.raises(SsiError):
        clients.verify(theirs["attestation"], another["pop"], audience=DESK, now=now())


@pytest.mark.parametrize("use", ["jwt", "attestation"])
def test_key_attestations(use: str, peer: Peer, ground: Ground, provider: Any) -> None:
    kind = f"proof_type.{use}"
    theirs = peer.ask("keyAttestation", count=2, nonce="n-1", use=kind, signing=ground.provider)
    keys = Keys(InMemoryFetch({}))
    read = keyattestation.verify(theirs["token"], algs=("ES256",), keys=keys, now=now())
    assert read.keys == tuple(public(jwk) for jwk in theirs["keys"])
    assert (read.nonce, read.key_storage, read.provider.x5c) == ("n-1", ("iso_18045_basic",), provider[1])
    drafty = peer.ask("keyAttestation", count=1, nonce="n", use=kind, signing=ground.provider, typ="keyattestation+jwt")
    with pytest.raises(SsiError):  # the type of the drafts, which 0.4.6 makes; Appendix D.1 demands another
        keyattestation.verify(drafty["token"], algs=("ES256",), keys=keys, now=now())
    mine = [SoftwareSigner.generate("ES256").public for _ in range(2)]
    made = keyattestation.make(
        signer=provider[0], x5c=provider[1], keys=mine, now=now(), lifetime=timedelta(minutes=5), nonce="n-1"
    )
    told = peer.ask("verifyKeyAttestation", token=made, nonce="n-1", use=kind)
    assert [public(jwk) for jwk in told["keys"]] == mine
    with pytest.raises(PeerError, match="nonce"):
        peer.ask("verifyKeyAttestation", token=made, nonce="n-2", use=kind)


def test_key_proofs(peer: Peer, provider: Any) -> None:
    signer = SoftwareSigner.generate("ES256")
    terms: dict[str, Any] = {"signer": signer, "audience": DESK, "nonce": "n-1", "now": now()}
    assert peer.ask("verifyProof", jwt=proof.make(**terms), nonce="n-1", issuer=DESK)["method"] == "jwk"
    attested = keyattestation.make(
        signer=provider[0],
        x5c=provider[1],
        keys=[signer.public],
        now=now(),
        lifetime=timedelta(minutes=5),
        nonce="n-1",
    )
    both = proof.make(**terms, key_attestation=attested)
    told = peer.ask("verifyProof", jwt=both, nonce="n-1", issuer=DESK)
    assert [public(jwk) for jwk in told["attested"]] == [signer.public]
    for wrong in ({"nonce": "n-2"}, {"issuer": "https://other.test"}):
        with pytest.raises(PeerError, match="invalid_proof"):
            peer.ask("verifyProof", **{"jwt": both, "nonce": "n-1", "issuer": DESK, **wrong})


METADATA: Mapping[str, Any] = {
    "credential_issuer": DESK,
    "credential_endpoint": f"{DESK}/credential",
    "nonce_endpoint": f"{DESK}/nonce",
    "credential_configurations_supported": {
        "person": {
            "format": "dc+sd-jwt",
            "vct": "urn:facet:credential:verified-person:1",
            "credential_metadata": {"display": [{"name": "Person"}]},
        }
    },
}


def test_signed_metadata(peer: Peer, ground: Ground) -> None:
    folder = ground.folder / "issuer"
    files = {"key": str(folder / "signing.key"), "chain": str(folder / "signing.pem")}
    theirs = peer.ask("signMetadata", metadata=METADATA, signing=files)["token"]
    metadata, issuer = signed.open(theirs, issuer=DESK, keys=Keys(InMemoryFetch({})), now=now())
    chain = x509.read_certificates((folder / "signing.pem").read_bytes())
    assert (metadata.issuer, issuer.x5c) == (DESK, chain)
    ours = signed.sign(
        METADATA,
        signer=SoftwareSigner.from_pkcs8((folder / "signing.key").read_bytes()),
        x5c=chain,
        now=now(),
        lifetime=timedelta(minutes=5),
    )
    server = {"issuer": DESK, "token_endpoint": URL}
    assert peer.ask("openMetadata", token=ours, server=server) == {
        "method": "x5c",
        "version": "V1",
        "known": ["person"],
    }
    stranger = signed.sign(
        METADATA, signer=SoftwareSigner.generate("ES256"), x5c=chain, now=now(), lifetime=timedelta(minutes=5)
    )
    with pytest.raises(PeerError):
        peer.ask("openMetadata", token=stranger, server=server)


def test_pushed_requests_and_their_answers(peer: Peer) -> None:
    query = AuthorizationQuery(
        client_id=WALLET,
        redirect_uri=f"{WALLET}/authorized",
        code_challenge=pkce.challenge("v" * 43),
        state="s-1",
        scope=("person",),
        issuer_state="for-you",
    )
    told = peer.ask("pushed", form=query.form, url=f"{DESK}/par")["request"]
    assert {name: told[name] for name in query.form} == query.form
    answer = Callback(code="c-1", state="s-1", iss=DESK)
    server = {"issuer": DESK, "authorization_response_iss_parameter_supported": True}
    read = peer.ask("callback", url=answer.url(f"{WALLET}/authorized?a=b"), server=server)["response"]
    assert (read["code"], read["state"], read["iss"]) == ("c-1", "s-1", DESK)
    for iss in (None, "https://other.test"):
        with pytest.raises(PeerError, match="iss"):
            peer.ask("callback", url=Callback(code="c-1", state="s-1", iss=iss).url(WALLET), server=server)
