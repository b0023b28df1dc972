"""Signing in at an issuer: there, back, and with a card; and everybody who must not come back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask

from ssi.oauth import PushedResponse
from ssi.oid4vci import OAuthError
from tests.holder.bureau import Bureau
from tests.holder.town import ISSUER, WALLET, Crash, Person, Town, json_response


@pytest.fixture
def bureau(town: Town) -> Bureau:
    made = Bureau(town.folder, town.clock)
    town.issuer, town.world[ISSUER] = made, made
    return made


def begin(person: Person, bureau: Bureau) -> tuple[str, str]:
    """The offer's place in the wallet, and where the browser is sent to sign in."""
    place = person.open(bureau.link)
    answer = person.post(f"{place}/sign-in")
    assert answer.status_code == 200, answer.json
    return place, answer.json["offer"]["sign_in"]["url"]


def back(person: Person, url: str) -> Any:
    assert url.startswith(f"{WALLET}/authorized?")
    return person.get(url.removeprefix(WALLET))


def test_from_the_offer_through_the_sign_in_to_a_card(bureau: Bureau, ada: Person) -> None:
    place, url = begin(ada, bureau)
    assert url.startswith(f"{ISSUER}/authorize?client_id=https%3A%2F%2Flocalhost%3A8442&request_uri=urn")
    assert "state" not in url
    assert "challenge" not in url  # pushed, not carried by the browser
    (query,) = bureau.pushed.values()
    assert (query.client_id, query.redirect_uri, query.scope) == (WALLET, f"{WALLET}/authorized", ("person-card",))

    answer = back(ada, bureau.visit(url))
    assert (answer.status_code, answer.json["offer"]["stage"]) == (200, "settled")
    (card,) = ada.cards()
    assert card["name"] == "Verified person"
    assert ada.get(place).json["offer"]["sign_in"] is None
    assert [note.event for note in bureau.told] == ["credential_accepted"]
    assert set(bureau.retried) == {"server", "issuer"}  # the nonce of each side was learnt from that side


def test_pages_lead_there_by_a_link_and_never_show_the_code(bureau: Bureau, ada: Person) -> None:
    place = ada.open(bureau.link)
    assert "Sign in" in ada.page(place).get_data(as_text=True)
    assert ada.send(f"{place}/sign-in").headers["Location"] == place
    page = ada.page(place).get_data(as_text=True)
    assert f'href="{ISSUER}/authorize?client_id=' in page
    assert "Go on to issuer.test" in page
    (uri,) = bureau.pushed
    url = bureau.visit(f"{ISSUER}/authorize?{urlencode({'request_uri': uri})}")
    answer = ada.page(url.removeprefix(WALLET))
    assert (answer.status_code, answer.headers["Location"]) == (303, place)
    assert "Card added" in ada.page(place).get_data(as_text=True)


def test_a_sign_in_that_was_left_in_the_middle_is_found_again(bureau: Bureau, ada: Person) -> None:
    place, url = begin(ada, bureau)
    page = ada.page("/cards").get_data(as_text=True)
    assert "You began to sign in at Test desk for Verified person." in page
    assert f'<a href="{place}">Go on</a>' in page
    assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"
    assert ada.get("/cards").json["unfinished"] == []


def test_only_the_vault_that_began_may_come_back(bureau: Bureau, ada: Person, app: Flask) -> None:
    bob = Person.joins(app, "Bob")
    _, url = begin(ada, bureau)
    home = bureau.visit(url)
    refused = back(bob, home)
    assert (refused.status_code, refused.json["error"]) == (403, "oauth.state")
    assert bob.cards() == []
    assert back(ada, home).json["offer"]["stage"] == "settled"
    again = back(ada, home)  # a state works once
    assert (again.status_code, again.json["error"]) == (403, "oauth.state")


def test_a_locked_wallet_is_unlocked_first_and_then_goes_on(bureau: Bureau, ada: Person, app: Flask) -> None:
    _, url = begin(ada, bureau)
    home = bureau.visit(url).removeprefix(WALLET)
    stranger = app.test_client()
    answer = stranger.get(home, headers={"Accept": "text/html"}, base_url=WALLET)
    assert answer.headers["Location"].startswith("/unlock?next=%2Fauthorized")


@pytest.mark.parametrize("iss", ["https://evil.test", None])
def test_an_answer_of_another_server_is_refused(iss: str | None, bureau: Bureau, ada: Person) -> None:
    """Mix-up (RFC 9207): the code of one server never reaches another one's token endpoint."""
    place, url = begin(ada, bureau)
    home = bureau.visit(url, iss=iss or "?")
    if iss is None:
        pairs = [(name, value) for name, value in parse_qsl(urlsplit(home).query) if name != "iss"]
        home = f"{WALLET}/authorized?{urlencode(pairs)}"
    seen = len(bureau.seen)
    answer = back(ada, home)
    assert (answer.status_code, answer.json["error"]) == (403, "oauth.iss")
    assert len(bureau.seen) == seen
    assert ada.get(place).json["offer"]["stage"] == "signing_in"


def test_a_server_that_names_nobody_has_a_way_back_of_its_own(bureau: Bureau, ada: Person) -> None:
    """RFC 9700 §4.4.2.2: where no `iss` comes, each server has its own redirect URI."""
    bureau.iss = None
    place, url = begin(ada, bureau)
    home = bureau.visit(url)
    path, _, query = home.removeprefix(WALLET).partition("?")
    assert re.fullmatch(r"/authorized/[A-Za-z0-9_-]{22}", path)
    seen = len(bureau.seen)
    for other in ("/authorized", "/authorized/another-servers-own-way"):  # the code is of whom that belongs to
        mixed_up = ada.get(f"{other}?{query}")
        assert (mixed_up.status_code, mixed_up.json["error"]) == (403, "oauth.iss")
    assert len(bureau.seen) == seen
    assert ada.get(place).json["offer"]["stage"] == "signing_in"
    assert ada.get(f"{path}?{query}").json["offer"]["stage"] == "settled"


def test_a_server_that_names_itself_has_no_other_way_back(bureau: Bureau, ada: Person) -> None:
    _, url = begin(ada, bureau)
    home = bureau.visit(url).removeprefix(WALLET)
    assert ada.get(home.replace("/authorized", "/authorized/another-way")).json["error"] == "oauth.iss"


def test_a_person_who_is_refused_there_is_told_and_may_try_again(bureau: Bureau, ada: Person) -> None:
    place, url = begin(ada, bureau)
    answer = back(ada, bureau.visit(url, error="access_denied"))
    assert answer.json["offer"]["stage"] == "offered"
    assert "stopped the sign-in" in answer.json["offer"]["problem"]["detail"]
    assert "stopped the sign-in" in ada.page(place).get_data(as_text=True)
    again = ada.post(f"{place}/sign-in").json["offer"]["sign_in"]["url"]
    assert back(ada, bureau.visit(again)).json["offer"]["stage"] == "settled"


def test_a_new_sign_in_makes_the_old_one_worthless(bureau: Bureau, ada: Person) -> None:
    place, first = begin(ada, bureau)
    second = ada.post(f"{place}/sign-in").json["offer"]["sign_in"]["url"]
    assert back(ada, bureau.visit(first)).json["error"] == "oauth.state"
    assert back(ada, bureau.visit(second)).json["offer"]["stage"] == "settled"


def test_a_sign_in_that_took_too_long_is_begun_anew(bureau: Bureau, ada: Person, town: Town) -> None:
    place, url = begin(ada, bureau)
    home = bureau.visit(url)
    town.clock.move(minutes=31)
    page = ada.page(place)
    if page.status_code == 303:  # the session has ended, too
        ada.post("/unlock", name="Ada", passphrase="correct horse battery")
        page = ada.page(place)
    assert "run out of time" in page.get_data(as_text=True)
    assert back(ada, home).json["error"] == "oauth.state"


def test_without_pushed_requests_the_browser_carries_the_request(bureau: Bureau, ada: Person) -> None:
    bureau.par = False
    _, url = begin(ada, bureau)
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["code_challenge_method"] == "S256"
    assert query["response_type"] == "code"
    assert "verifier" not in url
    assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"


def test_where_there_is_no_scope_authorization_details_are_sent_and_identifiers_used(
    bureau: Bureau, ada: Person
) -> None:
    bureau.scope, bureau.identifiers = None, ("set-1", "set-2")
    _, url = begin(ada, bureau)
    offer = back(ada, bureau.visit(url)).json["offer"]
    assert [card["verdict"] for card in offer["cards"]] == ["keep", "keep"]  # one card for each set of data
    assert len(ada.cards()) == 2


def test_the_wallet_attests_itself_with_a_key_of_its_own_for_each_offer(bureau: Bureau, ada: Person) -> None:
    bureau.attestation = True
    for number in range(2):
        bureau.issuer_state = f"state {number}"
        _, url = begin(ada, bureau)
        assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"
    assert len(bureau.instances) == 2  # never the same key twice, and so never the same wallet


def test_a_challenge_that_is_too_old_is_fetched_once_more(bureau: Bureau, ada: Person) -> None:
    bureau.attestation = True
    forget = [True]

    def once(_: str) -> None:
        if forget:
            forget.clear()
            bureau.challenges.clear()

    bureau.broken["par"] = once
    _, url = begin(ada, bureau)
    assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"


def test_a_wallet_without_provider_signs_in_as_nobody(bureau: Bureau, town: Town) -> None:
    (town.folder / "wallet/provider.key").unlink()
    ada = Person.joins(town.app(), "Ada")
    _, url = begin(ada, bureau)
    assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"


@pytest.mark.parametrize("endpoint", ["par", "token", "nonce", "credential", "notification"])
def test_a_wallet_that_dies_half_way_keeps_what_it_had(endpoint: str, bureau: Bureau, ada: Person, town: Town) -> None:
    place = ada.open(bureau.link)
    bureau.broken[endpoint] = Crash()
    if endpoint == "par":
        with pytest.raises(Crash):
            ada.post(f"{place}/sign-in")
        bureau.broken.clear()
        town.clock.move(minutes=1)
        url = ada.post(f"{place}/sign-in").json["offer"]["sign_in"]["url"]
        assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"
        return
    url = ada.post(f"{place}/sign-in").json["offer"]["sign_in"]["url"]
    with pytest.raises(Crash):
        back(ada, bureau.visit(url))
    bureau.broken.clear()
    town.clock.move(minutes=1)
    if endpoint == "token":
        assert ada.get(place).json["offer"]["stage"] == "signed_in"
        assert "Go on" in ada.page(place).get_data(as_text=True)
        assert [one["stage"] for one in ada.get("/cards").json["unfinished"]] == ["signed_in"]
    done = ada.post(f"{place}/accept").json["offer"]
    assert done["stage"] == "settled"
    assert len(ada.cards()) == 1
    held = len(set(bureau.holders))
    assert held == bureau.batch  # the keys of the first try were used again, no new ones made


def test_a_wallet_that_was_started_anew_meanwhile_takes_its_person_back(
    bureau: Bureau, ada: Person, town: Town
) -> None:
    _, url = begin(ada, bureau)
    other = Person(town.app().test_client(), "Ada")  # another process, and the browser has to unlock again
    assert other.post("/unlock", name="Ada", passphrase="correct horse battery").status_code == 200
    assert back(other, bureau.visit(url)).json["offer"]["stage"] == "settled"


def test_a_code_that_the_server_takes_back_leads_to_a_new_sign_in(bureau: Bureau, ada: Person) -> None:
    place, url = begin(ada, bureau)
    home = bureau.visit(url)
    bureau.codes.clear()
    assert back(ada, home).status_code == 400
    offer = ada.get(place).json["offer"]
    assert (offer["stage"], offer["problem"]["error"]) == ("offered", "oid4vci.invalid_grant")


# --- an issuer whose address the person knows -------------------------------------------------------------------------


def test_a_person_types_an_issuers_address_and_picks_a_card(bureau: Bureau, ada: Person) -> None:
    bureau.issuer_state = None
    listed = ada.post("/add", issuer=" issuer.test/ ").json["issuer"]
    assert [card["configuration"] for card in listed["cards"]] == ["person"]
    place = ada.post("/add/choose", issuer=listed["address"], card="person").json["next"]
    url = ada.post(f"{place}/sign-in").json["offer"]["sign_in"]["url"]
    assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"
    assert ada.post("/add/choose", issuer=listed["address"], card="person").json["next"] != place  # once more is new


def test_an_address_that_is_no_issuers_is_told(town: Town, ada: Person) -> None:
    answer = ada.send("/add", issuer="https://nobody.test")
    assert answer.status_code == 503
    page = answer.get_data(as_text=True)
    assert "That did not work" in page
    assert 'value="https://nobody.test"' in page
    assert ada.post("/add", issuer="").status_code == 400


def test_an_issuer_that_only_makes_offers_says_so(town: Town, ada: Person) -> None:
    """The plain test issuer has no sign-in."""
    answer = ada.post("/add/choose", issuer=ISSUER, card="person")
    assert (answer.status_code, answer.json["error"]) == (400, "offer.grant")


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        ({"credential_issuer": ISSUER, "credentials": ["person"]}, "draft 12 or older"),
        ({"credential_issuer": ISSUER, "credential_configuration_ids": ["person"]}, "draft 13 or older"),
    ],
)
def test_an_issuer_of_a_draft_is_refused_with_its_version(
    offer: dict[str, Any], version: str, bureau: Bureau, ada: Person
) -> None:
    old = {
        "credential_issuer": ISSUER,
        "credential_endpoint": f"{ISSUER}/credential",
        "batch_credential_endpoint": f"{ISSUER}/batch",
        "credential_configurations_supported": {"person": {"format": "vc+sd-jwt", "vct": "x", "display": []}},
    }
    bureau.broken["openid-credential-issuer"] = json_response(200, old)
    answer = ada.post("/open", link=json.dumps(offer))
    assert (answer.status_code, answer.json["error"]) == (400, "oid4vci.draft")
    assert version in answer.json["error_description"]
    assert version in ada.send("/open", link=json.dumps(offer)).get_data(as_text=True)


def test_signed_descriptions_show_who_certified_them(bureau: Bureau, ada: Person) -> None:
    bureau.signs_metadata = True
    offer = ada.get(ada.open(bureau.link)).json["offer"]
    assert offer["issuer"]["verified"] == "Facet Desk"
    assert "Verified issuer" in ada.page(f"/offers/{offer['id']}").get_data(as_text=True)


def test_a_description_signed_by_a_stranger_counts_for_nothing(bureau: Bureau, ada: Person, tmp_path: Any) -> None:
    stranger = Town(tmp_path / "elsewhere").issuer
    bureau.signs_metadata, bureau.sign_with, bureau.x5c = True, stranger.signer, stranger.chain
    offer = ada.get(ada.open(bureau.link)).json["offer"]
    assert offer["issuer"] == {"name": "Test desk", "address": ISSUER, "verified": None}


def test_a_description_whose_signature_is_broken_is_refused(bureau: Bureau, ada: Person, tmp_path: Any) -> None:
    stranger = Town(tmp_path / "elsewhere").issuer
    bureau.signs_metadata, bureau.sign_with = True, stranger.signer
    answer = ada.post("/open", link=bureau.link)
    assert (answer.status_code, answer.json["error"]) == (403, "jose.signature")


def test_what_the_server_says_no_to_is_said_in_plain_words(bureau: Bureau, ada: Person) -> None:
    def refuse(_: str) -> None:
        raise OAuthError("invalid_client", "Unknown.")

    bureau.broken["par"] = refuse
    place = ada.open(bureau.link)
    with pytest.raises(OAuthError):
        bureau.broken["par"]("par")
    bureau.broken.clear()
    bureau.attestation = True
    bureau._client = lambda headers: refuse("")  # type: ignore[method-assign]  # this desk knows nobody
    answer = ada.post(f"{place}/sign-in")
    assert (answer.status_code, answer.json["error"]) == (400, "oid4vci.invalid_client")
    assert "does not know this wallet" in ada.get(place).json["offer"]["problem"]["detail"]


def test_a_haip_wallet_refuses_what_the_profile_forbids(bureau: Bureau, town: Town) -> None:
    app = town.app()
    holder = app.extensions["holder"]
    app.extensions["holder"] = replace(holder, outside=replace(holder.outside, haip=True))
    ada = Person.joins(app, "Ada")
    bureau.dpop = False
    assert ada.post("/open", link=bureau.link).json["error"] == "haip.dpop"
    bureau.dpop, bureau.par = True, False
    assert ada.post("/open", link=bureau.link).json["error"] == "haip.par"
    bureau.par, bureau.iss = True, None
    assert ada.post("/open", link=bureau.link).json["error"] == "haip.iss"
    bureau.iss = ISSUER
    _, url = begin(ada, bureau)
    assert back(ada, bureau.visit(url)).json["offer"]["stage"] == "settled"


def test_numbers_beyond_all_measure_stop_nothing(bureau: Bureau, ada: Person) -> None:
    bureau.token_seconds, bureau.hold, bureau.interval = 2**64 - 1, 1, 2**62
    place, url = begin(ada, bureau)
    answer = back(ada, bureau.visit(url))
    assert answer.status_code < 400, answer.get_data(as_text=True)
    assert ada.get(place).json["offer"]["stage"] == "waiting"


def test_a_pushed_request_that_is_kept_for_ever_is_believed_for_a_day() -> None:
    pushed = PushedResponse.parse(b'{"request_uri": "u", "expires_in": 18446744073709551615}')
    assert pushed.expires_in == 86_400
