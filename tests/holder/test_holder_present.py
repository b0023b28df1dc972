"""Presenting: what a person sees before they share, what leaves the wallet, and what does not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from ssi import oid4vp
from ssi.encoding import read_json_object, unb64url
from ssi.errors import Malformed, Refused, Unavailable
from ssi.fetch import Response
from tests.holder.town import AGE_QUERY, CLAIMS, PERSON, SHOP, Crash, Person, Town
from wallet.holder import cards, present, requests
from wallet.holder.consent import Consent, consent
from wallet.holder.review import Review
from wallet.holder.web.access import peek


@pytest.fixture
def holder(town: Town, ada: Person) -> Person:
    ada.accepts(town)
    return ada


def _query(*paths: list[Any], **more: Any) -> dict[str, Any]:
    claims = {"claims": [{"path": path} for path in paths]} if paths else {}
    asked = {"id": "person", "format": "dc+sd-jwt", "meta": {"vct_values": [PERSON]}, **claims, **more}
    return {"credentials": [asked]}


def _choice(request: dict[str, Any]) -> dict[str, Any]:
    (part,) = request["parts"]
    ((question,),) = part["options"]
    (choice,) = question["choices"]
    return dict(choice)


def test_the_consent_screen_says_who_why_what_and_what_stays_hidden(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    asked = holder.get(place).json["request"]
    assert asked["who"] == {"name": "Facet Verifier", "address": "shop.test", "verified": True}
    assert asked["purpose"] == "To sell you a bottle of wine"
    choice = _choice(asked)
    assert {line["label"]: line["value"] for line in choice["shared"]} == {"Given name": "Eileen", "At least 18": "Yes"}
    assert {"Date of birth", "Family name", "Nationalities", "Identity document"} <= set(choice["hidden"])
    assert choice["always"] == []
    page = holder.page(place).get_data(as_text=True)
    for text in ("Facet Verifier", "Verified", "To sell you a bottle of wine", "Eileen", "Stays hidden", "Decline"):
        assert text in page
    assert "1956" not in page
    assert " checked>" not in page
    assert town.shop.received == []


def test_sharing_sends_what_was_shown_and_nothing_else(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    done = holder.post(f"{place}/share").json["request"]
    assert done["state"] == "shared"
    opened = town.shop.opened()
    assert {name: opened.claims.get(name) for name in ("given_name", "age_over_18", "birthdate", "family_name")} == {
        "given_name": "Eileen",
        "age_over_18": True,
        "birthdate": None,
        "family_name": None,
    }
    assert town.shop.received[-1]["state"] == "state-of-the-shop"
    event = holder.history()[0]
    assert (event["what"], event["who"], event["verified"], event["facts"]) == ("shared", "Facet Verifier", True, 2)
    full = holder.get(f"/history/{event['id']}").json["event"]
    assert [line["label"] for line in full["cards"][0]["claims"]] == ["Given name", "At least 18"]
    assert full["purpose"] == "To sell you a bottle of wine"
    header = read_json_object(unb64url(full["request"].split(".")[0]))
    assert header["typ"] == "oauth-authz-req+jwt"  # the signed request itself is kept, as the person's receipt


def test_an_answer_is_sent_once(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    holder.post(f"{place}/share")
    assert holder.post(f"{place}/share").json["request"]["state"] == "shared"
    assert holder.post(f"{place}/decline").json["request"]["state"] == "shared"
    assert len(town.shop.received) == 1


def test_nested_claims_and_single_elements_are_shown_as_they_are_sent(town: Town, holder: Person) -> None:
    town.shop.query = _query(["document", "issuing_country"], ["nationalities", 0])
    place = holder.open(town.shop.link)
    choice = _choice(holder.get(place).json["request"])
    shared = {line["label"]: line["value"] for line in choice["shared"]}
    assert shared == {"Nationalities": "US", "Issuing country": "US"}
    assert {"Nationalities (the others)", "Document number"} <= set(choice["hidden"])
    holder.post(f"{place}/share")
    claims = town.shop.opened().claims
    assert claims["document"] == {"issuing_country": "US"}
    assert claims["nationalities"] == ["US"]


def test_asking_for_no_claims_shows_none(town: Town, holder: Person) -> None:
    town.shop.query = _query()
    place = holder.open(town.shop.link)
    choice = _choice(holder.get(place).json["request"])
    assert choice["shared"] == []
    holder.post(f"{place}/share")
    assert town.shop.opened().disclosed == ()


def test_asking_for_much_is_remarked_on(town: Town, holder: Person) -> None:
    town.shop.query = _query(["birthdate"], ["document", "number"])
    remarks = " ".join(_choice(holder.get(holder.open(town.shop.link)).json["request"])["remarks"])
    assert "At least 18" in remarks
    assert "recognise you" in remarks
    town.shop.query = _query(*([name] for name in CLAIMS))
    assert "everything" in " ".join(_choice(holder.get(holder.open(town.shop.link)).json["request"])["remarks"])


def test_an_asker_whom_nobody_vouches_for_is_shown_by_address_and_with_a_warning(
    town: Town, holder: Person, tmp_path: Any
) -> None:
    stranger = Town(tmp_path / "elsewhere")
    town.shop.signer, town.shop.chain = stranger.shop.signer, stranger.shop.chain
    place = holder.open(town.shop.link)
    asked = holder.get(place).json["request"]
    assert asked["who"] == {"name": "shop.test", "address": "shop.test", "verified": False}
    page = holder.page(place).get_data(as_text=True)
    assert "We could not verify who this is" in page
    assert "Facet Verifier" not in page.replace("Facet Verifier authority", "")
    assert holder.post(f"{place}/share").json["request"]["state"] == "shared"
    assert holder.history()[0]["verified"] is False


def test_an_unsigned_request_is_shown_as_unverified(town: Town, holder: Person) -> None:
    town.shop.signed = False
    asked = holder.get(holder.open(town.shop.link)).json["request"]
    assert asked["who"] == {"name": "shop.test", "address": "shop.test", "verified": False}


def test_declining_tells_the_asker_no_and_nothing_more(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    assert holder.post(f"{place}/decline").json["request"]["state"] == "declined"
    (answer,) = town.shop.received
    assert answer["error"] == "access_denied"
    assert "vp_token" not in answer
    assert holder.history()[0]["what"] == "declined"
    assert holder.history()[0]["cards"] == []


def test_declining_stands_also_when_nobody_can_be_told(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    town.away(SHOP)
    declined = holder.post(f"{place}/decline").json["request"]
    assert declined["state"] == "declined"
    assert "could not be told" in declined["problem"]["detail"]
    assert "could not be told" in holder.page(place).get_data(as_text=True)


def test_an_answer_that_does_not_get_through_can_be_sent_again(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    town.away(SHOP)
    failed = holder.post(f"{place}/share")
    assert (failed.status_code, failed.json["error"]) == (503, "fetch.unreachable")
    assert [event["what"] for event in holder.history()] == ["failed", "added"]
    assert "Could not reach Facet Verifier" in holder.get(place).json["request"]["problem"]["detail"]
    page = holder.page(place).get_data(as_text=True)
    assert "Try again" in page
    town.back()
    assert holder.post(f"{place}/share").json["request"]["state"] == "shared"
    assert [event["what"] for event in holder.history()] == ["shared", "added"]  # one line for one request


def test_an_asker_that_takes_no_answer_ends_the_request(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    town.shop.answer = Response(400, "", {}, b'{"error": "invalid_request"}')
    refused = holder.post(f"{place}/share")
    assert (refused.status_code, refused.json["error"]) == (403, "request.refused")
    assert holder.get(place).json["request"]["state"] == "failed"
    assert "Not accepted" in holder.page(place).get_data(as_text=True)
    (event, _) = holder.history()
    assert (event["what"], event["word"]) == ("not_accepted", "Sent, not accepted")
    assert "An answer was sent, but not accepted" in holder.page(f"/history/{event['id']}").get_data(as_text=True)


def test_a_wallet_that_dies_while_sending_has_a_trace_of_it(town: Town, app: Flask, holder: Person) -> None:
    place = holder.open(town.shop.link)
    town.shop.answer = Crash()
    with pytest.raises(Crash):
        holder.post(f"{place}/share")
    event = holder.history()[0]
    assert (event["what"], event["word"], event["facts"]) == ("sending", "Sent, not confirmed", 2)
    assert holder.post(f"{place}/share").json["error"] == "request.busy"
    town.clock.move(minutes=1)
    town.shop.answer = Response(400, "", {}, b"{}")
    assert "earlier try" in holder.post(f"{place}/share").json["error_description"]


def test_where_to_go_on_is_followed_only_over_https(town: Town, holder: Person) -> None:
    for target, expected in (
        (f"{SHOP}/thanks#response_code=1", f"{SHOP}/thanks#response_code=1"),
        ("http://shop.test/thanks", None),
        ("http://localhost/thanks", None),
        ("javascript:alert(1)", None),
        ("openid4vp://again", None),
    ):
        town.shop.redirect_uri = target
        place = holder.open(town.shop.link)
        assert holder.post(f"{place}/share").json["request"]["redirect_uri"] == expected
        page = holder.page(place).get_data(as_text=True)
        assert ('id="go-on"' in page) == (expected is not None)
        assert ("Go on at shop.test " in page) == (expected is not None)
        assert "javascript:" not in page


def test_the_way_on_names_the_host_that_it_leads_to(town: Town, holder: Person) -> None:
    town.shop.redirect_uri = "https://elsewhere.test:8443/thanks"
    place = holder.open(town.shop.link)
    assert holder.post(f"{place}/share").json["request"]["redirect_host"] == "elsewhere.test:8443"
    page = holder.page(place).get_data(as_text=True)
    assert "Go on at elsewhere.test:8443 " in page
    assert "Go on at shop.test" not in page


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"redirect_uri": 5}', b'{"redirect_uri": "x"}'])
def test_a_strange_receipt_takes_nothing_back(body: bytes, town: Town, holder: Person) -> None:
    town.shop.answer = Response(200, "", {}, body)
    place = holder.open(town.shop.link)
    done = holder.post(f"{place}/share").json["request"]
    assert (done["state"], done["redirect_uri"]) == ("shared", None)


# --- several cards, several questions ---------------------------------------------------------------------------------


def _two_cards(town: Town, person: Person) -> list[str]:
    town.issuer.code, town.issuer.used = "another code", False
    person.accepts(town)
    return [card["id"] for card in person.cards()]


def test_with_two_cards_the_person_must_choose(town: Town, holder: Person) -> None:
    newer, older = _two_cards(town, holder)
    place = holder.open(town.shop.link)
    ((question,),) = holder.get(place).json["request"]["parts"][0]["options"]
    assert [choice["card"]["id"] for choice in question["choices"]] == [newer, older]
    undecided = holder.post(f"{place}/share")
    assert (undecided.status_code, undecided.json["error"]) == (403, "consent.incomplete")
    page = holder.send(f"{place}/share")
    assert page.status_code == 400
    assert "Choose a card" in page.get_data(as_text=True)
    assert town.shop.received == []
    chosen = holder.post(f"{place}/share", **{"card-person": older})
    assert chosen.json["request"]["state"] == "shared"
    key = holder.get(f"/cards/{older}").json["card"]["key"]
    holder_key = town.shop.opened().holder
    assert holder_key is not None
    assert holder_key.kid == key


OPTIONAL = {
    "credentials": [
        {**AGE_QUERY["credentials"][0], "id": "age"},
        {"id": "name", "format": "dc+sd-jwt", "meta": {"vct_values": [PERSON]}, "claims": [{"path": ["family_name"]}]},
    ],
    "credential_sets": [{"options": [["age"]]}, {"options": [["name"]], "required": False}],
}


def test_what_is_optional_is_not_shared_unless_chosen(town: Town, holder: Person) -> None:
    town.shop.query = OPTIONAL
    place = holder.open(town.shop.link)
    parts = holder.get(place).json["request"]["parts"]
    assert [part["required"] for part in parts] == [True, False]
    holder.post(f"{place}/share")
    assert set(read_json_object(town.shop.received[-1]["vp_token"])) == {"age"}
    place = holder.open(town.shop.link)
    assert holder.post(f"{place}/share", **{"part-1": "0"}).json["request"]["state"] == "shared"
    assert set(read_json_object(town.shop.received[-1]["vp_token"])) == {"age", "name"}


def test_one_of_several_options_must_be_chosen(town: Town, holder: Person) -> None:
    town.shop.query = {**OPTIONAL, "credential_sets": [{"options": [["age"], ["name"]]}]}
    place = holder.open(town.shop.link)
    assert holder.post(f"{place}/share").json["error"] == "consent.incomplete"
    holder.post(f"{place}/share", **{"part-0": "1"})
    assert set(read_json_object(town.shop.received[-1]["vp_token"])) == {"name"}


def _form_of(page: str) -> dict[str, str]:
    """The fields that a browser sends of a consent page where nothing was chosen."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    assert {"seen", "part-0"} <= {name for name, _ in fields}
    return dict(fields)


def test_a_yes_is_to_what_the_person_has_seen(town: Town, holder: Person) -> None:
    """A card that comes meanwhile makes another option the first: nobody has looked at what that would show."""
    rare = {"path": ["given_name"], "values": ["Zoe"]}
    much = {**OPTIONAL["credentials"][1], "id": "much", "claims": [rare, {"path": ["family_name"]}]}
    little = {**OPTIONAL["credentials"][1], "id": "little", "claims": [{"path": ["given_name"]}]}
    town.shop.query = {"credentials": [much, little], "credential_sets": [{"options": [["much"], ["little"]]}]}
    place = holder.open(town.shop.link)
    form = _form_of(holder.page(place).get_data(as_text=True))
    town.issuer.code, town.issuer.used = "another", False
    town.issuer.draft_changes = {"claims": {**CLAIMS, "given_name": "Zoe"}}
    holder.accepts(town)
    stale = holder.send(f"{place}/share", **form)
    assert stale.status_code == 400
    assert "have changed since you looked" in stale.get_data(as_text=True)
    assert town.shop.received == []
    told = holder.get(place).json["request"]["seen"]
    assert holder.post(f"{place}/share", seen=form["seen"]).json["error"] == "consent.changed"
    assert holder.post(f"{place}/share", seen=told, **{"part-0": "0"}).json["request"]["state"] == "shared"


def test_a_yes_to_somebody_vouched_for_is_none_to_a_stranger(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    form = _form_of(holder.page(place).get_data(as_text=True))
    wallet = holder.client.application.extensions["holder"]
    holder.client.application.extensions["holder"] = replace(wallet, outside=replace(wallet.outside, askers=None))
    assert holder.send(f"{place}/share", **form).status_code == 400
    holder.client.application.extensions["holder"] = wallet
    assert holder.send(f"{place}/share", **form).status_code == 303
    assert len(town.shop.received) == 1


@pytest.mark.parametrize(
    "form",
    [{"card-person": "unknown"}, {"part-0": "7"}, {"part-0": "none"}, {"part-0": "x"}, {"part-0": "-1"}],
)
def test_a_choice_that_was_not_offered_is_refused(form: dict[str, str], town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    answer = holder.post(f"{place}/share", **form)
    assert (answer.status_code, answer.json["error"]) == (400, "consent.pick")
    assert town.shop.received == []


def test_a_card_of_the_person_that_was_not_asked_for_cannot_be_slipped_in(town: Town, holder: Person) -> None:
    newer, _ = _two_cards(town, holder)
    town.shop.query = _query(["given_name"], meta={"vct_values": ["urn:other"]})
    place = holder.open(town.shop.link)
    answer = holder.post(f"{place}/share", **{"card-person": newer, "part-0": "0"})
    assert answer.status_code in {400, 403}
    assert town.shop.received == []


def test_without_a_card_that_answers_there_is_only_decline(town: Town, holder: Person) -> None:
    town.shop.query = _query(meta={"vct_values": ["urn:example:driving-licence:1"]})
    place = holder.open(town.shop.link)
    asked = holder.get(place).json["request"]
    assert asked["answerable"] is False
    assert asked["missing"] == ["They ask for a card that you do not have: Driving licence."]
    page = holder.page(place).get_data(as_text=True)
    assert "You cannot answer this" in page
    assert "/share" not in page
    assert holder.post(f"{place}/share").json["error"] == "consent.unanswerable"
    assert holder.post(f"{place}/decline").json["request"]["state"] == "declined"
    town.shop.query = _query(claims=[{"path": ["age_over_65"], "values": [True]}])
    asked = holder.get(holder.open(town.shop.link)).json["request"]
    assert asked["missing"] == ["Your card “Verified person” does not say what they ask for."]


def test_a_withdrawn_card_is_offered_last_and_marked(town: Town, holder: Person) -> None:
    newer, older = _two_cards(town, holder)
    town.issuer.revoked.add(7)
    town.clock.move(minutes=5)
    holder.post(f"/cards/{newer}/status")
    ((question,),) = holder.get(holder.open(town.shop.link)).json["request"]["parts"][0]["options"]
    assert [choice["card"]["id"] for choice in question["choices"]] == [older, newer]
    assert question["choices"][1]["card"]["standing"]["word"] == "Withdrawn"


# --- requests that are wrong ------------------------------------------------------------------------------------------


def test_a_request_by_post_carries_the_wallets_nonce(town: Town, holder: Person) -> None:
    town.shop.method = "post"
    place = holder.open(town.shop.link)
    assert holder.post(f"{place}/share").json["request"]["state"] == "shared"
    town.shop.forget_wallet_nonce = True
    assert holder.post("/open", link=town.shop.link).json["error"] == "oid4vp.wallet_nonce"


def test_an_expired_request_is_over(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    town.clock.move(minutes=12)
    assert holder.get(place).json["error"] == "oid4vp.expired"
    page = holder.page(place)
    assert page.status_code == 410
    assert "cannot be answered any more" in page.get_data(as_text=True)
    assert holder.post(f"{place}/share").json["error"] == "oid4vp.expired"
    assert town.shop.received == []


def test_a_request_is_over_for_sharing_as_soon_as_its_own_time_is(town: Town, holder: Person) -> None:
    place = holder.open(town.shop.link)
    town.clock.move(minutes=10)
    page = holder.page(place)
    assert page.status_code == 410
    assert "The request has expired" in page.get_data(as_text=True)
    assert holder.post(f"{place}/share").json["error"] == "oid4vp.expired"
    assert town.shop.received == []
    assert holder.post(f"{place}/decline").json["request"]["state"] == "declined"  # a no may come late


def test_a_request_that_is_gone_leads_on_and_is_not_tried_again(town: Town, holder: Person) -> None:
    link = town.shop.link
    town.world[f"{SHOP}/request"] = lambda *_: Response(410, "", {}, b"")
    page = holder.send("/open", link=link).get_data(as_text=True)
    assert "Scan another code" in page
    assert "To your cards" in page
    assert "Tell those who ask" not in page
    assert "try again" not in page.lower()


def test_a_link_with_another_name_than_the_request_is_refused(town: Town, holder: Person) -> None:
    link = oid4vp.request_link(f"{town.shop.client_id[:-1]}x", f"{SHOP}/request")
    assert holder.post("/open", link=link).json["error"] == "oid4vp.client_id_mismatch"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Response(404, "", {}, b""), 403, "request.gone"),
        (Response(410, "", {}, b""), 403, "request.gone"),
        (Response(500, "", {}, b""), 503, "request.unavailable"),
        (Response(200, "", {}, b"\xff"), 400, "request.text"),
        (Response(200, "", {}, b"a.b.c"), 400, None),
        (Response(200, "", {}, b""), 400, None),
        (Unavailable("fetch.timeout", "No answer."), 503, "fetch.timeout"),
    ],
)
def test_a_request_that_cannot_be_fetched_says_why(
    answer: Any, status: int, code: str | None, town: Town, holder: Person
) -> None:
    def reply(*_: Any) -> Response:
        if isinstance(answer, Response):
            return answer
        raise answer

    link = town.shop.link
    town.world[f"{SHOP}/request"] = reply
    refused = holder.post("/open", link=link)
    assert refused.status_code == status
    assert code in {None, refused.json["error"]}
    page = holder.send("/open", link=link).get_data(as_text=True)
    assert ("Could not reach the other side" in page) == (code == "fetch.timeout")


def test_many_opened_requests_push_out_the_oldest(town: Town, holder: Person) -> None:
    places = [holder.open(town.shop.link) for _ in range(32)]
    assert holder.get(places[0]).status_code == 404
    assert holder.get(places[-1]).status_code == 200


# --- the typestate ----------------------------------------------------------------------------------------------------


def test_a_consent_cannot_be_made_by_hand(town: Town, holder: Person) -> None:
    shown = _review(town, holder)
    with pytest.raises(TypeError):
        Consent(shown, {}, town.clock(), object())
    made = consent(shown, picks={"person": (holder.cards()[0]["id"],)}, at=town.clock())
    assert [one.card.name for one in made.answers["person"]] == ["Verified person"]


def test_consent_takes_no_more_and_no_less_than_was_asked(town: Town, holder: Person) -> None:
    town.shop.query = OPTIONAL
    shown, card = _review(town, holder), holder.cards()[0]["id"]
    both = {"age": (card,), "name": (card,)}
    for picks, error in (
        ({}, Refused),
        ({"name": (card,)}, Refused),
        ({"age": (card,), "other": (card,)}, Malformed),
        ({"age": ("not-mine",)}, Malformed),
        ({"age": ()}, Malformed),
        ({"age": (card, "not-mine")}, Malformed),
    ):
        with pytest.raises(error):
            consent(shown, picks=picks, at=town.clock())
    assert set(consent(shown, picks=both, at=town.clock()).answers) == {"age", "name"}
    only_alternatives = replace(shown, parts=(replace(shown.parts[0], options=(("age",), ("name",))),))
    with pytest.raises(Malformed):  # both, where one was asked
        consent(only_alternatives, picks=both, at=town.clock())


def _review(town: Town, person: Person) -> Review:
    app = person.client.application
    cookie = person.client.get_cookie("__Host-facet-wallet", domain="localhost")
    assert cookie is not None
    headers = {"Cookie": f"{cookie.key}={cookie.value}"}
    with app.test_request_context("/", base_url="https://localhost:8442", headers=headers):
        vault = peek()
        assert vault is not None
        outside = app.extensions["holder"].outside
        found = present.look(vault, town.shop.link, outside=outside, now=town.clock())
        assert requests.get_request(vault, found.id, now=town.clock()) == found
        assert cards.all_cards(vault)
        return present.shown(vault, found, outside=outside, now=town.clock())


def test_a_request_is_forgotten_after_an_hour(town: Town, holder: Person) -> None:
    town.shop.lifetime = timedelta(days=1)
    place = holder.open(town.shop.link)
    for _ in range(5):
        town.clock.move(minutes=13)
        status = holder.get(place).status_code
    assert status == 404
