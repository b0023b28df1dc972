"""Our wallet takes what an issuer made of @openid4vc offers."""

from __future__ import annotations

import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.holder.town import CLAIMS, WALLET, Person
from tests.interop.world import Ground, person
from tests.peers import Peer

FRAME = {
    "_sd": list(CLAIMS),
    "nationalities": {"_sd": [0, 1]},
    "document": {"_sd": list(CLAIMS["document"])},
}
CARD = {"vct": "urn:facet:credential:verified-person:1", "claims": dict(CLAIMS), "frame": FRAME}


@pytest.fixture
def somebody(ground: Ground) -> Person:
    return person(ground)


def issuing(peer: Peer, ground: Ground, **options: Any) -> dict[str, Any]:
    """The peer's issuer, begun anew with these options; it signs with a key that our wallet trusts."""
    folder = ground.folder / "issuer"
    return peer.ask(
        "issuer",
        port=int(ground.theirs["issuer"].rpartition(":")[2]),
        tls=ground.tls("issuer"),
        **{**CARD, "signing": {"key": str(folder / "signing.key"), "chain": str(folder / "signing.pem")}, **options},
    )


def signed_in(somebody: Person, ground: Ground, link: str) -> TestResponse:
    """Open an offer, go where the browser is sent to sign in, and come back with what the issuer says there."""
    place = somebody.open(link)
    begun = somebody.post(f"{place}/sign-in")
    assert begun.status_code == 200, begun.json
    with ground.http() as browser:
        answer = browser.get(begun.json["offer"]["sign_in"]["url"])
    assert answer.status_code == 302, answer.text
    back = answer.headers["Location"]
    assert back.startswith(f"{WALLET}/authorized?")
    return somebody.get(back.removeprefix(WALLET))


def accepted(somebody: Person, link: str, **form: str) -> dict[str, Any]:
    place = somebody.open(link)
    answer = somebody.post(f"{place}/accept", **form)
    assert answer.status_code == 200, answer.json
    return dict(answer.json["offer"])


def steps(peer: Peer) -> list[dict[str, Any]]:
    return list(peer.ask("log")["log"])


@pytest.mark.parametrize("reference", [False, True], ids=["value", "reference"])
@pytest.mark.parametrize("code", ["493827", None], ids=["code", "none"])
def test_an_offer_with_a_code(reference: bool, code: str | None, peer: Peer, ground: Ground, somebody: Person) -> None:
    made = issuing(peer, ground, byReference=reference, **({"txCode": code} if code else {}))
    kept = accepted(somebody, made["link"], **({"tx_code": code} if code else {}))
    assert [card["verdict"] for card in kept["cards"]] == ["keep"], kept
    assert [card["name"] for card in somebody.cards()]
    assert [step["step"] for step in steps(peer)][:2] == ["token", "credential"]


def test_a_wrong_code_is_told_and_can_be_corrected(peer: Peer, ground: Ground, somebody: Person) -> None:
    made = issuing(peer, ground, txCode="493827")
    place = somebody.open(made["link"])
    assert somebody.post(f"{place}/accept", tx_code="111111").json["error"] == "oid4vci.invalid_grant"
    assert somebody.post(f"{place}/accept", tx_code="493827").status_code == 200
    assert len(somebody.cards()) == 1


def kept(offer: dict[str, Any]) -> list[str]:
    return [card["verdict"] for card in offer["cards"]]


@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
@pytest.mark.parametrize("attest", [False, True], ids=["public", "attested"])
def test_signing_in(attest: bool, dpop: bool, peer: Peer, ground: Ground, somebody: Person) -> None:
    """PAR, PKCE, RFC 9207 and, where the server wants them, DPoP with nonces of two servers, and wallet attestation."""
    made = issuing(peer, ground, grant="authorization_code", dpop=dpop, attestClient=attest)
    done = signed_in(somebody, ground, made["link"])
    assert done.status_code == 200, done.json
    assert kept(done.json["offer"]) == ["keep"], done.json
    par, token, credential = (step for step in steps(peer) if step["step"] in ("par", "token", "credential"))
    assert (par["clientId"], par["scope"], par["issuerState"]) == (WALLET, "person", "for-you")
    assert (par["method"], par["state"], par["attested"]) == ("S256", True, attest)
    assert (token["grant"], token["dpop"], token["clientId"]) == ("authorization_code", dpop, WALLET)
    assert credential["scheme"] == ("DPoP" if dpop else "Bearer")


def test_an_answer_in_anothers_name_is_refused(peer: Peer, ground: Ground, somebody: Person) -> None:
    made = issuing(peer, ground, grant="authorization_code", wrongIss="https://other.test")
    done = signed_in(somebody, ground, made["link"])
    assert done.json["error"] == "oauth.iss", done.json
    assert [step["step"] for step in steps(peer)] == ["par"]


@pytest.mark.parametrize("size", [1, 5])
def test_a_batch_of_copies(size: int, peer: Peer, ground: Ground, somebody: Person) -> None:
    offer = accepted(somebody, issuing(peer, ground, batch=size)["link"])
    assert kept(offer) == ["keep"]
    (credential,) = (step for step in steps(peer) if step["step"] == "credential")
    assert credential["count"] == size
    assert credential["proofs"] in (["jwt"], ["attestation"])


@pytest.mark.parametrize("kind", ["jwt", "attestation"])
def test_keys_that_somebody_vouches_for(kind: str, peer: Peer, ground: Ground, somebody: Person) -> None:
    made = issuing(peer, ground, attested=True, proofType=kind)
    assert kept(accepted(somebody, made["link"])) == ["keep"]
    (credential,) = (step for step in steps(peer) if step["step"] == "credential")
    assert kind == "jwt" or credential["proofs"] == ["attestation"]


def test_signed_metadata_names_the_issuer(peer: Peer, ground: Ground, somebody: Person) -> None:
    place = somebody.open(issuing(peer, ground, signed=True)["link"])
    assert somebody.get(place).json["offer"]["issuer"]["verified"] == "Facet Desk"
    place = somebody.open(issuing(peer, ground)["link"])
    assert somebody.get(place).json["offer"]["issuer"]["verified"] is None


@pytest.mark.parametrize("secret", [False, True], ids=["plain", "encrypted"])
def test_a_card_that_takes_its_time(secret: bool, peer: Peer, ground: Ground, somebody: Person) -> None:
    made = issuing(peer, ground, waits=1, secret=secret)
    offer = accepted(somebody, made["link"])
    assert (kept(offer), offer["ask_at"] is not None) == ([None], True), offer
    for _ in range(3):
        time.sleep(1.1)
        offer = somebody.post(f"/offers/{offer['id']}/accept").json["offer"]
        if kept(offer) != [None]:
            break
    assert kept(offer) == ["keep"]
    assert [step["step"] for step in steps(peer)].count("deferred") == 2


def test_encrypted_both_ways(peer: Peer, ground: Ground, somebody: Person) -> None:
    assert kept(accepted(somebody, issuing(peer, ground, secret=True)["link"])) == ["keep"]
    (credential,) = (step for step in steps(peer) if step["step"] == "credential")
    assert credential["encryption"] in ("A128GCM", "A256GCM")


def test_the_issuer_is_told_what_became_of_it(peer: Peer, ground: Ground, somebody: Person) -> None:
    accepted(somebody, issuing(peer, ground)["link"])
    (told,) = (step for step in steps(peer) if step["step"] == "notification")
    assert (told["event"], told["known"]) == ("credential_accepted", True)


def test_an_issuer_of_a_draft_is_told_so(peer: Peer, ground: Ground, somebody: Person) -> None:
    refused = somebody.post("/open", link=issuing(peer, ground, draft=True)["link"])
    assert refused.json["error"] == "oid4vci.draft", refused.json
    assert "draft" in refused.json["error_description"]


def test_a_card_signed_by_somebody_else_is_not_kept(peer: Peer, ground: Ground, somebody: Person) -> None:
    names = {name: ground.provider[name] for name in ("key", "chain")}
    offer = accepted(somebody, issuing(peer, ground, signing=names)["link"])
    assert kept(offer) == ["refuse"], offer
    assert somebody.cards() == []
    told = [step["event"] for step in steps(peer) if step["step"] == "notification"]
    assert told == ["credential_failure"]
