"""Our wallet answers a verifier made of @openid4vc, dcql and @sd-jwt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.holder.town import PASSPHRASE, Person
from tests.interop.queries import ALWAYS, SHOWN
from tests.interop.test_interop_issuer import accepted, issuing
from tests.interop.test_interop_presenting import QUERY
from tests.interop.world import Ground, Owner, owner, person
from tests.peers import Peer
from wallet.holder.cli import main

PREFIXES = ("x509_hash", "x509_san_dns", "decentralized_identifier", "redirect_uri")


@pytest.fixture(scope="module")
def asking(peer: Peer, ground: Ground) -> Peer:
    folder = ground.folder / "verifier"
    access = {"key": str(folder / "access.key"), "chain": str(folder / "access.pem")}
    port = int(ground.theirs["verifier"].rpartition(":")[2])
    peer.ask("verifier", port=port, tls=ground.tls("verifier"), access=access)
    return peer


@pytest.fixture(scope="module")
def wallet(peer: Peer, ground: Ground) -> Owner:
    somebody = owner(ground)
    accepted(somebody.person, issuing(peer, ground)["link"])
    return somebody


@pytest.fixture(scope="module")
def holder(wallet: Owner) -> Person:
    return wallet.person


def ask(peer: Peer, **terms: Any) -> dict[str, Any]:
    return peer.ask("ask", **{"prefix": "x509_hash", "mode": "direct_post.jwt", "query": QUERY, **terms})


def shared(holder: Person, asked: dict[str, Any]) -> dict[str, Any]:
    place = holder.open(asked["uri"])
    seen = holder.get(place).json["request"]
    done = holder.post(f"{place}/share").json["request"]
    assert done["state"] == "shared", done
    return dict(seen)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_the_peer_verifies_our_answer(mode: str, prefix: str, asking: Peer, holder: Person) -> None:
    asked = ask(asking, prefix=prefix, mode=mode)
    seen = shared(holder, asked)
    assert seen["who"]["verified"] is prefix.startswith("x509")
    result = asking.ask("result", id=asked["id"])["result"]
    assert result["satisfied"] is True
    assert {name: result["claims"]["person"][0][name] for name in ("given_name", "age_over_18")} == {
        "given_name": "Eileen",
        "age_over_18": True,
    }
    assert "family_name" not in result["claims"]["person"][0]
    assert (result.get("encrypted") or {}).get("fits", False) is (mode == "direct_post.jwt")


def test_our_wallet_posts_for_the_request(asking: Peer, holder: Person) -> None:
    asked = ask(asking, method="post")
    shared(holder, asked)
    told = asking.ask("result", id=asked["id"])
    assert told["result"]["satisfied"] is True
    assert {one["method"] for one in told["fetched"]} == {"POST"}
    assert all(len(one["form"]["wallet_nonce"]) >= 22 for one in told["fetched"])


def test_saying_no_reaches_the_peer(asking: Peer, holder: Person) -> None:
    asked = ask(asking, mode="direct_post")
    place = holder.open(asked["uri"])
    assert holder.post(f"{place}/decline").json["request"]["state"] == "declined"
    assert asking.ask("result", id=asked["id"])["result"] == {"error": "access_denied", "state": True}


def test_where_the_peer_sends_the_person_on(asking: Peer, holder: Person) -> None:
    asked = ask(asking, redirect="https://shop.peer.test/thanks?response_code=1")
    place = holder.open(asked["uri"])
    done = holder.post(f"{place}/share").json["request"]
    assert done["redirect_uri"] == "https://shop.peer.test/thanks?response_code=1"


@pytest.mark.parametrize(
    ("bent", "error"),
    [
        ({"nonce": ""}, "oid4vp.nonce"),
        ({"client_id": "x509_hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}, "oid4vp.certificate"),
        ({"client_id": "gnome:garden"}, "oid4vp.client_id_prefix"),
        ({"dcql_query": None, "presentation_definition": {"id": "x", "input_descriptors": []}}, "oid4vp.draft"),
        ({"client_id": "did:example:1", "client_id_scheme": "did"}, "oid4vp.draft"),
    ],
    ids=["no nonce", "another's hash", "unknown prefix", "draft 25", "draft 21"],
)
def test_what_the_peer_bends_is_refused(bent: dict[str, Any], error: str, asking: Peer, holder: Person) -> None:
    asked = ask(asking, bent=bent)
    assert holder.post("/open", link=asked["uri"]).json["error"] == error
    told = asking.ask("result", id=asked["id"]).get("result")
    assert told is None or told["error"] == "invalid_request"


@pytest.mark.parametrize("asks", SHOWN)
def test_both_understand_a_query_alike(asks: str, asking: Peer, holder: Person) -> None:
    query, claims = SHOWN[asks]
    asked = ask(asking, query=query)
    shared(holder, asked)
    result = asking.ask("result", id=asked["id"])["result"]
    assert result["satisfied"] is True
    assert {name for name in result["claims"]["person"][0] if name not in ALWAYS} == claims


PAYMENT = {
    "type": "urn:facet:transaction:payment:1",
    "credential_ids": ["person"],
    "payee": "Peer's shop",
    "amount": "12.50",
    "currency": "EUR",
}


def test_the_peer_finds_its_transaction_authorised(asking: Peer, holder: Person) -> None:
    asked = ask(asking, transactionData=[PAYMENT])
    shared(holder, asked)
    assert asking.ask("result", id=asked["id"])["result"]["transactions"] == 1


def test_a_transaction_that_we_do_not_know_is_refused(asking: Peer, holder: Person) -> None:
    asked = ask(asking, transactionData=[{**PAYMENT, "type": "urn:example:surprise"}])
    assert holder.post("/open", link=asked["uri"]).status_code == 400
    assert holder.post("/open/tell", link=asked["uri"]).json == {"told": True}
    assert asking.ask("result", id=asked["id"])["result"]["error"] == "invalid_transaction_data"


@pytest.mark.parametrize("prefix", ["x509_hash", "redirect_uri"], ids=["signed", "unsigned"])
@pytest.mark.parametrize("mode", ["dc_api", "dc_api.jwt"])
def test_a_request_by_the_browser(mode: str, prefix: str, asking: Peer, wallet: Owner, tmp_path: Path) -> None:
    """A website cannot be the browser's wallet: the request is carried to ours on the command line."""
    asked = ask(asking, prefix=prefix, mode=mode, origin="https://shop.peer.test")
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    said = json.dumps({"protocol": asked["protocol"], "data": asked["data"]})
    place = [
        "answer-dc",
        "-",
        "--account",
        "Ada",
        "--passphrase-file",
        str(tmp_path / "passphrase"),
        "--yes",
        "--origin",
    ]
    done = CliRunner().invoke(main, [*place, "https://shop.peer.test"], input=said, env=dict(wallet.values))
    assert done.exit_code == 0, done.output
    result = asking.ask("answer", id=asked["id"], data=json.loads(done.stdout)["data"])
    assert result["satisfied"] is True
    if prefix == "x509_hash":
        other = CliRunner().invoke(main, [*place, "https://other.test"], input=said, env=dict(wallet.values))
        assert other.exit_code == 1, "the request was made for another page"


def test_each_showing_is_of_another_copy_and_new_ones_are_fetched(asking: Peer, ground: Ground) -> None:
    somebody = person(ground)
    accepted(somebody, issuing(asking, ground, batch=2, dpop=True)["link"])
    shown = set()
    for _ in range(3):
        asked = ask(asking)
        shared(somebody, asked)
        shown.add(asking.ask("result", id=asked["id"])["result"]["claims"]["person"][0]["cnf"]["jwk"]["x"])
    assert len(shown) == 3
    assert "refresh_token" in [step["grant"] for step in asking.ask("log")["log"] if step["step"] == "token"]
