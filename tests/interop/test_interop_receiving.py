"""@openid4vc's wallet at our issuing desk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ssi import formats
from ssi.formats import sdjwt
from ssi.issuerkeys import Keys
from ssi.model import Credential
from tests.interop.queries import PERSON
from tests.interop.world import WALLET, Desk
from tests.peers import Peer, PeerError
from tests.support import InMemoryFetch

APPENDIX_A = ("dc+sd-jwt", "vc+sd-jwt", "mso_mdoc", "ldp_vc", "jwt_vc_json")
"""The formats that the peer knows, those of OpenID4VCI 1.0 Appendix A and one more; it passes over others."""
CARD = "VerifiedPerson"


def begun(peer: Peer, offered: dict[str, Any], **wallet: Any) -> str:
    return str(peer.ask("offer", uri=offered["offer_uri"], **wallet)["flow"])


def granted(peer: Peer, desk: Desk, **wallet: Any) -> str:
    """A flow of the peer's wallet with an access token for a pre-authorized code."""
    offered = desk.offer()
    flow = begun(peer, offered, **wallet)
    peer.ask("preAuthorized", flow=flow, txCode=offered["tx_code"])
    return flow


def checked(peer: Peer, credentials: list[str]) -> list[dict[str, Any]]:
    """The claims of credentials that @sd-jwt/core and we both find good."""
    keys = Keys(InMemoryFetch({}))
    for one in credentials:
        opened = sdjwt.check(Credential(sdjwt.ID, one), keys=keys, now=datetime.now(UTC))
        assert {finding.outcome.value for finding in opened.findings} <= {"pass", "not_asked"}
    claims = [peer.ask("check", token=one)["claims"] for one in credentials]
    assert {(one["vct"], one["given_name"]) for one in claims} == {(PERSON, "Zoë Ann")}
    return claims


def test_an_offer_with_a_code_becomes_a_credential_that_the_peer_verifies(peer: Peer, desk: Desk) -> None:
    offered = desk.offer()
    seen = peer.ask("offer", uri=offered["offer_uri"])
    assert seen["version"] == "V1"
    assert seen["issuer"]["credential_issuer"] == desk.url
    offers = seen["issuer"]["credential_configurations_supported"]
    assert {name for name, one in offers.items() if one["format"] in APPENDIX_A} == set(seen["known"])
    with pytest.raises(PeerError, match="invalid_grant"):
        peer.ask("preAuthorized", flow=seen["flow"], txCode="000000" if offered["tx_code"] != "000000" else "111111")
    token = peer.ask("preAuthorized", flow=seen["flow"], txCode=offered["tx_code"])["token"]
    assert token["token_type"] == "Bearer"
    assert "authorization_details" not in token, "the peer could not send the identifiers that this would bring"
    with pytest.raises(PeerError, match="invalid_nonce"):
        peer.ask("credentials", flow=seen["flow"], configuration=CARD, nonce="not-one-of-the-desk")
    checked(peer, peer.ask("credentials", flow=seen["flow"], configuration=CARD)["credentials"])
    answers = peer.ask("seen", flow=seen["flow"])["seen"]
    secret = [one for one in answers if one["url"].rpartition("/")[2] in ("token", "nonce", "credential")]
    assert {one["cache"] for one in secret} == {"no-store"}


def test_a_batch_of_copies_that_nothing_links(peer: Peer, desk: Desk) -> None:
    flow = granted(peer, desk, dpop=True)
    claims = checked(peer, peer.ask("credentials", flow=flow, configuration=CARD, count=5)["credentials"])
    assert len({(one["cnf"]["jwk"]["x"], one["status"]["status_list"]["idx"]) for one in claims}) == 5
    assert len({one["iat"] for one in claims}) == 1


@pytest.mark.parametrize("alg", ["ES256", "ES384", "EdDSA"])
def test_keys_of_every_kind(alg: str, peer: Peer, desk: Desk) -> None:
    flow = granted(peer, desk)
    checked(peer, peer.ask("credentials", flow=flow, configuration=CARD, alg=alg)["credentials"])


def test_a_key_bound_token_and_its_refresh(peer: Peer, desk: Desk) -> None:
    """DPoP with nonces of both servers (RFC 9449 §8, §9)."""
    offered = desk.offer()
    flow = begun(peer, offered, dpop=True)
    told = peer.ask("preAuthorized", flow=flow, txCode=offered["tx_code"])
    assert told["token"]["token_type"] == "DPoP"
    checked(peer, peer.ask("credentials", flow=flow, configuration=CARD)["credentials"])
    if told["refreshable"]:
        assert peer.ask("refresh", flow=flow)["token"]["token_type"] == "DPoP"


def test_signed_metadata(peer: Peer, desk: Desk) -> None:
    plain, signed = (peer.ask("offer", uri=desk.offer()["offer_uri"], signed=one) for one in (False, True))
    assert (plain.get("signed"), signed["signed"]) == (None, "x5c")
    names = ("credential_issuer", "credential_endpoint", "credential_configurations_supported")
    assert {name: plain["issuer"][name] for name in names} == {name: signed["issuer"][name] for name in names}


def test_encrypted_both_ways(peer: Peer, desk: Desk) -> None:
    got = peer.ask("credentials", flow=granted(peer, desk), configuration=CARD, secret=True)
    assert got["opened"] is True
    checked(peer, got["credentials"])


def test_the_desk_is_told_what_became_of_it(peer: Peer, desk: Desk) -> None:
    flow = granted(peer, desk)
    peer.ask("credentials", flow=flow, configuration=CARD)
    assert peer.ask("notify", flow=flow, event="credential_accepted")["status"] == 204
    with pytest.raises(PeerError, match="event"):
        peer.ask("notify", flow=flow, event="credential_eaten")


COUNTS = {"jwt": 1, "attestation": 3}


@pytest.mark.parametrize("attest", COUNTS)
def test_keys_that_somebody_vouches_for(attest: str, peer: Peer, desk: Desk) -> None:
    flow, count = granted(peer, desk, clientId=WALLET, provider=desk.ground.provider), COUNTS[attest]
    got = peer.ask("credentials", flow=flow, configuration=CARD, count=count, attest=attest)
    assert len(checked(peer, got["credentials"])) == count


@pytest.mark.parametrize("attested", [False, True], ids=["listed", "attested"])
@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
def test_signing_in(dpop: bool, attested: bool, peer: Peer, desk: Desk) -> None:
    """PAR, PKCE S256, the desk's pages, RFC 9207."""
    offered = desk.offer(way="sign-in")
    wallet = {"provider": desk.ground.provider} if attested else {}
    flow = begun(peer, offered, clientId=WALLET, dpop=dpop, **wallet)
    there = peer.ask("authorize", flow=flow, clientId=WALLET, redirectUri=f"{WALLET}/cb", scope="verified_person")
    assert there["method"] == "S256"
    back = desk.sign_in(there["url"], offered["tx_code"])
    assert back.startswith(f"{WALLET}/cb?")
    told = peer.ask("authorized", flow=flow, url=back)
    assert told["token"]["token_type"] == ("DPoP" if dpop else "Bearer")
    checked(peer, peer.ask("credentials", flow=flow, configuration=CARD)["credentials"])
    with pytest.raises(PeerError, match="invalid_grant"):
        peer.ask("authorized", flow=flow, url=back)  # a code works once; used twice, its tokens end (RFC 6749 §4.1.2)
    with pytest.raises(PeerError, match="invalid_token"):
        peer.ask("credentials", flow=flow, configuration=CARD)
    with pytest.raises(PeerError, match="iss"):
        peer.ask("authorized", flow=flow, url=back.replace("iss=https%3A%2F%2Flocalhost", "iss=https%3A%2F%2Fother"))


def test_a_person_who_says_no(peer: Peer, desk: Desk) -> None:
    offered = desk.offer(way="sign-in")
    flow = begun(peer, offered, clientId=WALLET)
    there = peer.ask("authorize", flow=flow, clientId=WALLET, redirectUri=f"{WALLET}/cb", scope="verified_person")
    back = desk.sign_in(there["url"], offered["tx_code"], last="refuse")
    assert peer.ask("authorized", flow=flow, url=back) == {"error": "access_denied"}


@pytest.mark.parametrize("secret", [False, True], ids=["plain", "encrypted"])
def test_a_card_that_a_colleague_releases(secret: bool, peer: Peer, desk: Desk) -> None:
    offered = desk.offer(held="yes")
    flow = begun(peer, offered, dpop=True)
    peer.ask("preAuthorized", flow=flow, txCode=offered["tx_code"])
    waits = peer.ask("credentials", flow=flow, configuration=CARD, count=2, secret=secret)
    assert (waits["status"], waits["credentials"], waits["interval"] > 0) == (202, [], True)
    assert peer.ask("deferred", flow=flow, secret=secret)["status"] == 202
    desk.call("POST", f"/desk/applications/{offered['application']}/release")
    got = peer.ask("deferred", flow=flow, secret=secret)
    assert (got["status"], got["opened"]) == (200, secret)
    assert "notification_id" in got["objected"], "0.4.6 objects to what OpenID4VCI 1.0 §9.2 allows"
    assert len(checked(peer, got["credentials"])) == 2
    with pytest.raises(PeerError, match="invalid_transaction_id"):
        peer.ask("deferred", flow=flow, secret=secret)


def test_a_card_that_a_colleague_refuses(peer: Peer, desk: Desk) -> None:
    offered = desk.offer(held="yes")
    flow = begun(peer, offered)
    peer.ask("preAuthorized", flow=flow, txCode=offered["tx_code"])
    assert peer.ask("credentials", flow=flow, configuration=CARD)["status"] == 202
    desk.call("POST", f"/desk/applications/{offered['application']}/refuse")
    with pytest.raises(PeerError, match="credential_request_denied"):
        peer.ask("deferred", flow=flow)


@pytest.mark.parametrize("configuration", ["VerifiedPersonMdoc", "VerifiedPersonCredential", "VerifiedPersonBbs"])
def test_other_formats_reach_the_peer(configuration: str, peer: Peer, desk: Desk) -> None:
    """It hands on what it cannot read itself; what it hands on is good."""
    offered = desk.offer(kind=configuration)
    seen = peer.ask("offer", uri=offered["offer_uri"])
    peer.ask("preAuthorized", flow=seen["flow"], txCode=offered["tx_code"])
    offers = seen["issuer"]["credential_configurations_supported"]
    (got,) = peer.ask("credentials", flow=seen["flow"], configuration=configuration)["credentials"]
    known = formats.by_id(offers[configuration]["format"])
    wire = got if isinstance(got, str) else json.dumps(got)
    opened = known.check(Credential(known.ID, wire), keys=Keys(desk.ground.fetch()), now=datetime.now(UTC))
    assert {finding.outcome.value for finding in opened.findings} <= {"pass", "not_asked"}
