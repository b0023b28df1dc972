"""@openid4vc's wallet answers our verifier."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.interop.queries import ALWAYS, SHOWN, one
from tests.interop.world import Ground, Shop, addresses
from tests.peers import Peer, PeerError

QUERY = one(claims=[{"path": ["given_name"]}, {"path": ["age_over_18"], "values": [True]}])
MODES = ("direct_post", "direct_post.jwt")


def told(result: dict[str, Any]) -> tuple[str, str | None]:
    return result["state"], result.get("verdict")


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_of_the_peer_is_verified(mode: str, peer: Peer, shop: Shop, card: str) -> None:
    asked = shop.ask(dcql_query=QUERY, response_mode=mode)
    seen = peer.ask("request", uri=asked["link"])
    assert (seen["prefix"], seen["audience"]) == ("x509_hash", "https://self-issued.me/v2")
    assert seen["version"] == 100, "nothing in it looks like a draft"
    sent = peer.ask("present", request=seen["request"], cards=[card])
    assert (sent["status"], sent["mode"]) == (200, mode)
    result = shop.result(asked)
    assert told(result) == ("verified", "verified"), result
    again = peer.ask("present", request=seen["request"], cards=[card])
    assert again["status"] == 409, "one request takes one answer"


@pytest.mark.parametrize("template", ["over-18", "identity", "nationality", "document"])
def test_the_peer_answers_our_templates(template: str, peer: Peer, shop: Shop, card: str) -> None:
    asked = shop.ask(template=template)
    seen = peer.ask("request", uri=asked["link"])
    assert peer.ask("present", request=seen["request"], cards=[card])["status"] == 200
    assert told(shop.result(asked)) == ("verified", "verified")


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_the_peer_may_choose_the_encryption(enc: str, peer: Peer, shop: Shop, card: str) -> None:
    asked = shop.ask(dcql_query=QUERY, response_mode="direct_post.jwt")
    seen = peer.ask("request", uri=asked["link"])
    assert peer.ask("present", request=seen["request"], cards=[card], enc=[enc])["status"] == 200
    assert told(shop.result(asked)) == ("verified", "verified")


@pytest.mark.parametrize(
    "bent",
    [
        {"bent": {"nonce": "another-nonce-0123456789"}},
        {"bent": {"aud": "x509_hash:somebody-else"}},
        {"torn": True},
        {"bent": {"iat": int(time.time()) - 86_400}},
        {"bent": {"iat": int(time.time()) + 86_400}},
        {"stranger": True},
    ],
    ids=["nonce", "audience", "sd_hash", "past", "future", "key"],
)
@pytest.mark.parametrize("mode", MODES)
def test_what_the_peer_bends_is_not_verified(
    mode: str, bent: dict[str, Any], peer: Peer, shop: Shop, card: str
) -> None:
    asked = shop.ask(dcql_query=QUERY, response_mode=mode)
    seen = peer.ask("request", uri=asked["link"])
    sent = peer.ask("present", request=seen["request"], cards=[card], **bent)
    assert sent["status"] == 400, sent
    assert shop.result(asked)["verdict"] != "verified"


def test_a_wrong_state_is_not_taken(peer: Peer, shop: Shop, card: str) -> None:
    asked = shop.ask(dcql_query=QUERY, response_mode="direct_post")
    seen = peer.ask("request", uri=asked["link"])
    sent = peer.ask("present", request=seen["request"], cards=[card], state="another-state")
    assert sent["status"] == 400, sent
    assert shop.result(asked).get("verdict") != "verified"


def test_the_peer_posts_for_the_request(peer: Peer, shop: Shop, card: str) -> None:
    """0.4.6 sends its metadata's members as fields of their own and no wallet_nonce; both can be ignored (§5.10)."""
    asked = shop.ask(dcql_query=QUERY)
    seen = peer.ask(
        "request",
        uri=f"{asked['link']}&request_uri_method=post",
        wallet={"metadata": {"vp_formats_supported": {"dc+sd-jwt": {}}, "client_id_prefixes_supported": ["x509_hash"]}},
    )
    assert peer.ask("present", request=seen["request"], cards=[card])["status"] == 200
    assert told(shop.result(asked)) == ("verified", "verified")


@pytest.mark.parametrize("asks", SHOWN)
def test_both_understand_a_query_alike(asks: str, peer: Peer, shop: Shop, card: str) -> None:
    query, claims = SHOWN[asks]
    asked = shop.ask(dcql_query=query)
    seen = peer.ask("request", uri=asked["link"])
    assert peer.ask("present", request=seen["request"], cards=[card])["status"] == 200
    result = shop.result(asked)
    assert told(result) == ("verified", "verified"), result
    assert {name for name in result["claims"]["person"][0] if name not in ALWAYS} == claims


@pytest.mark.parametrize(
    ("prefix", "settings"),
    [
        ("x509_san_dns", {}),
        ("decentralized_identifier", {"DID_METHOD": "web"}),
        ("decentralized_identifier", {"DID_METHOD": "jwk"}),
        ("verifier_attestation", {}),
        ("redirect_uri", {}),
    ],
    ids=["x509_san_dns", "did:web", "did:jwk", "verifier_attestation", "redirect_uri"],
)
def test_the_peer_knows_us_by_every_prefix(
    prefix: str, settings: dict[str, str], peer: Peer, ground: Ground, card: str
) -> None:
    with Shop(ground, addresses()["verifier"]).open(CLIENT_ID_PREFIX=prefix, **settings) as shop:
        for mode in MODES:
            asked = shop.ask(dcql_query=QUERY, response_mode=mode)
            seen = peer.ask("request", uri=asked["link"])
            assert (seen["prefix"], seen["version"]) == (prefix, 100)
            assert peer.ask("present", request=seen["request"], cards=[card])["status"] == 200
            assert told(shop.result(asked)) == ("verified", "verified")


PAYMENT = {"type": "urn:facet:transaction:payment:1", "payee": "Peer's shop", "amount": "12.50", "currency": "EUR"}


@pytest.mark.parametrize("honest", [True, False], ids=["authorised", "left out"])
def test_a_transaction_that_the_peer_authorises(honest: bool, peer: Peer, shop: Shop, card: str) -> None:
    asked = shop.ask(dcql_query=QUERY, transaction_data=[PAYMENT])
    seen = peer.ask("request", uri=asked["link"])
    (entry,) = seen["transactionData"]
    assert {name: entry["transactionData"][name] for name in PAYMENT} == PAYMENT
    bent = {} if honest else {"transaction_data_hashes": ["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"]}
    sent = peer.ask("present", request=seen["request"], cards=[card], bent=bent)
    result = shop.result(asked)
    assert (sent["status"] == 200, result["verdict"] == "verified") == (honest, honest), result
    assert [one["authorised"] for one in result.get("transactions", [])] == [honest]


@pytest.mark.parametrize("protocol", ["openid4vp-v1-unsigned", "openid4vp-v1-signed"])
@pytest.mark.parametrize("mode", ["dc_api", "dc_api.jwt"])
def test_a_request_by_the_browser(mode: str, protocol: str, peer: Peer, shop: Shop, card: str) -> None:
    """What `navigator.credentials.get` would hand over, and hand back."""
    asked = shop.ask(dcql_query=QUERY, response_mode=mode)
    offered = {one["protocol"]: one["data"] for one in asked["digital_credentials"]["requests"]}
    seen = peer.ask("request", payload=offered[protocol], origin=shop.url)
    assert seen["prefix"] == ("origin" if protocol.endswith("unsigned") else "x509_hash")
    if protocol.endswith("-signed"):
        with pytest.raises(PeerError, match="expected_origins"):
            peer.ask("request", payload=offered[protocol], origin="https://other.test")
    answer = peer.ask("present", request=seen["request"], cards=[card], send=False)["answer"]
    place = asked["digital_credentials"]["response_url"]
    assert shop.call("POST", place, json={"protocol": protocol, "data": answer}).status_code == 200
    assert told(shop.result(asked)) == ("verified", "verified")
