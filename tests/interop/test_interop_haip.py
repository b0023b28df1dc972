"""OpenID4VC HAIP 1.0 with @openid4vc on the other side: the whole profile, and what it forbids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.holder.town import Person
from tests.interop import test_interop_issuer as issuing
from tests.interop.queries import PERSON, one
from tests.interop.test_interop_verifier import ask, shared
from tests.interop.world import WALLET, Desk, Ground, Shop, person
from tests.peers import Peer, PeerError

HAIP = {"PROFILE": "haip"}
QUERY = one(claims=[{"path": ["given_name"]}])
SCOPE = "verified_person"


@pytest.fixture(scope="module")
def strict(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A town of its own (`ground` says whether there is a peer at all)."""
    return Ground(tmp_path_factory.mktemp("haip"))


@pytest.fixture(scope="module")
def stranger(strict: Ground) -> Iterator[Peer]:
    running = strict.peer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def desk(strict: Ground) -> Iterator[Desk]:
    with Desk(strict).open(**HAIP) as desk:
        yield desk


def signing_in(stranger: Peer, desk: Desk, **wallet: Any) -> tuple[str, str, str]:
    """The flow, where it sends the browser, and the code for the desk's page."""
    offered = desk.offer(way="sign-in")
    flow = stranger.ask("offer", uri=offered["offer_uri"], clientId=WALLET, **wallet)["flow"]
    there = stranger.ask("authorize", flow=flow, clientId=WALLET, redirectUri=f"{WALLET}/cb", scope=SCOPE)
    return flow, there["url"], offered["tx_code"]


def test_the_peer_is_given_a_card_and_shows_it(stranger: Peer, strict: Ground, desk: Desk) -> None:
    """Wallet attestation, PAR, PKCE, DPoP, key attestation; then x509_hash and direct_post.jwt."""
    flow, url, code = signing_in(stranger, desk, dpop=True, provider=strict.provider)
    back = desk.sign_in(url, code)
    assert stranger.ask("authorized", flow=flow, url=back)["token"]["token_type"] == "DPoP"
    got = stranger.ask("credentials", flow=flow, configuration="VerifiedPerson", attest="jwt")
    card = got["credentials"][0]
    assert stranger.ask("check", token=card)["claims"]["vct"] == PERSON
    with Shop(strict, strict.urls["verifier"]).open(**HAIP) as shop:
        asked = shop.ask(dcql_query=QUERY)
        seen = stranger.ask("request", uri=asked["link"])
        assert (seen["prefix"], seen["parameters"]["response_mode"]) == ("x509_hash", "direct_post.jwt")
        metadata = seen["parameters"]["client_metadata"]
        assert set(metadata["encrypted_response_enc_values_supported"]) == {"A128GCM", "A256GCM"}
        assert stranger.ask("present", request=seen["request"], cards=[card])["status"] == 200
        assert shop.result(asked)["verdict"] == "verified"


def test_a_wallet_that_nobody_vouches_for_is_refused(stranger: Peer, desk: Desk) -> None:
    with pytest.raises(PeerError, match="invalid_client"):
        signing_in(stranger, desk, dpop=True)


def test_a_token_for_nobody_in_particular_is_refused(stranger: Peer, strict: Ground, desk: Desk) -> None:
    flow, url, code = signing_in(stranger, desk, provider=strict.provider)
    back = desk.sign_in(url, code)
    with pytest.raises(PeerError, match="dpop"):
        stranger.ask("authorized", flow=flow, url=back)


@pytest.fixture(scope="module")
def holder(stranger: Peer, strict: Ground) -> Person:
    """Somebody whose wallet keeps to the profile, with a card that an issuer of the profile has given them."""
    somebody = person(strict, **HAIP)
    made = issuing.issuing(
        stranger, strict, grant="authorization_code", dpop=True, attestClient=True, attested=True, signed=True
    )
    done = issuing.signed_in(somebody, strict, made["link"])
    assert issuing.kept(done.json["offer"]) == ["keep"], done.json
    return somebody


def test_our_wallet_receives_and_shows(stranger: Peer, strict: Ground, holder: Person) -> None:
    folder = strict.folder / "verifier"
    access = {"key": str(folder / "access.key"), "chain": str(folder / "access.pem")}
    port = int(strict.theirs["verifier"].rpartition(":")[2])
    stranger.ask("verifier", port=port, tls=strict.tls("verifier"), access=access)
    asked = ask(stranger, query=QUERY)
    shared(holder, asked)
    assert stranger.ask("result", id=asked["id"])["result"]["satisfied"] is True
    for wrong in ({"mode": "direct_post"}, {"prefix": "redirect_uri"}, {"prefix": "x509_san_dns"}):
        refused = holder.post("/open", link=ask(stranger, **{"query": QUERY, **wrong})["uri"])
        assert refused.json["error"].startswith("haip."), (wrong, refused.json)


def test_our_wallet_refuses_an_issuer_that_asks_for_less(stranger: Peer, strict: Ground, holder: Person) -> None:
    made = issuing.issuing(stranger, strict, grant="authorization_code", dpop=False, attestClient=True, signed=True)
    place = holder.post("/open", link=made["link"])
    refused = place if place.status_code >= 400 else holder.post(f"{place.json['next']}/sign-in")
    assert refused.json["error"].startswith("haip."), refused.json
