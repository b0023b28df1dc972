"""The desk itself: who may come in, what an application must say, and what is never kept."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from biometrics.errors import ModelsUnavailable, Unreadable
from ssi.errors import SsiError
from tests.issuer.world import BASE, PERSON, PORTRAIT, SELFIE, World, error, picture
from wallet.issuer.person import FormError, Person, is_over

TODAY = date(2026, 11, 20)


def browser(world: World) -> FlaskClient:
    return world.app.test_client()


def signed_in(world: World) -> FlaskClient:
    client = browser(world)
    answer = client.post("/desk/login", data={"token": world.desk_token}, base_url=BASE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    return client


PAGES = [
    "/desk",
    "/desk/applications",
    "/desk/applications/new",
    "/desk/applications/x",
    "/desk/applications/x/state",
    "/desk/credentials",
    "/desk/credentials/x",
    "/desk/credentials/x/revoke",
]
ACTIONS = [
    "/desk/applications",
    "/desk/applications/x/offer",
    "/desk/credentials/x/revoke",
    "/desk/credentials/x/suspend",
    "/desk/logout",
]


class TestGate:
    @pytest.mark.parametrize("path", PAGES)
    def test_pages_are_for_clerks(self, world: World, path: str) -> None:
        answer = browser(world).get(path, base_url=BASE)
        onward = "" if path == "/desk" else "?next=" + path
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/login" + onward)
        answer = world.get(path, headers={"Accept": "application/json"})
        assert error(answer) == (401, "desk.sign_in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_signing_in_goes_on_to_the_page_that_was_asked_for(self, world: World) -> None:
        client = browser(world)
        asked = client.get("/desk/credentials?page=2", base_url=BASE)
        form = client.get(asked.headers["Location"], base_url=BASE).text
        assert 'name="next" value="/desk/credentials?page=2"' in form
        assert "issuer/desk-token" in form
        token = {"token": "wrong", "next": "/desk/credentials?page=2"}
        assert 'value="/desk/credentials?page=2"' in client.post("/desk/login", data=token, base_url=BASE).text
        answer = client.post("/desk/login", data={**token, "token": world.desk_token}, base_url=BASE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/credentials?page=2")

    @pytest.mark.parametrize(
        "onward",
        [
            "https://evil.test/",
            "//evil.test/desk",
            "/\\evil.test",
            "/desk\\@evil.test",
            "/desk/..//evil.test",
            "/desk/ledger\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "/deskevil",
            "/desk/logout",
            "/other",
        ],
    )
    def test_signing_in_leads_to_nobody_else(self, world: World, onward: str) -> None:
        sent = {"token": world.desk_token, "next": onward}
        answer = browser(world).post("/desk/login", data=sent, base_url=BASE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
        assert 'name="next"' not in browser(world).get("/desk/login", query_string={"next": onward}, base_url=BASE).text

    @pytest.mark.parametrize("path", ACTIONS)
    def test_actions_are_for_clerks(self, world: World, path: str) -> None:
        assert browser(world).post(path, base_url=BASE).status_code == 303
        assert world.post(path, headers={"Accept": "application/json"}).status_code == 401

    def test_a_shift_begins_and_ends(self, world: World) -> None:
        client = signed_in(world)
        cookie = client.get_cookie("__Host-facet-issuer", domain="issuer.test")
        assert cookie is not None
        assert cookie.http_only
        assert cookie.secure
        assert cookie.same_site == "Lax"
        assert world.desk_token not in cookie.value
        assert client.get("/desk", base_url=BASE).status_code == 200
        client.post("/desk/logout", base_url=BASE)
        assert client.get("/desk", base_url=BASE).status_code == 303

    def test_programs_may_sign_in_too(self, world: World) -> None:
        client = browser(world)
        wants = {"Accept": "application/json"}
        refused = client.post("/desk/login", json={"token": "wrong"}, base_url=BASE, headers=wants)
        assert error(refused) == (401, "desk.token")
        answer = client.post("/desk/login", json={"token": world.desk_token}, base_url=BASE, headers=wants)
        assert answer.json == {"signed_in": True}
        assert client.get("/desk/credentials", base_url=BASE, headers=wants).json == {"credentials": []}

    def test_the_start_page_leads_to_the_sign_in(self, world: World) -> None:
        page = browser(world).get("/", base_url=BASE, follow_redirects=True)
        assert "Desk token" in page.text

    def test_a_shift_ends_by_itself(self, world: World) -> None:
        client = signed_in(world)
        world.clock.pass_time(hours=8)
        assert client.get("/desk", base_url=BASE).status_code == 303

    def test_a_new_desk_token_ends_all_shifts(self, world: World) -> None:
        client = signed_in(world)
        world.settings.desk_token_file.write_text("another-token-of-enough-length\n")
        client.application = world.start()
        assert client.get("/desk", base_url=BASE).status_code == 303

    def test_wrong_tokens_are_slowed_down_and_lock_nobody_out(self, world: World) -> None:
        wrong = {"Authorization": "Bearer wrong", "Accept": "application/json"}
        for _ in range(5):
            assert browser(world).post("/desk/login", data={"token": "wrong"}, base_url=BASE).status_code == 401
        answer = browser(world).post("/desk/login", data={"token": "wrong"}, base_url=BASE)
        assert answer.status_code == 429
        assert error(world.get("/desk", headers=wrong)) == (429, "desk.throttled")
        assert world.desk("GET", "/desk").status_code == 200  # behind a proxy all have one address
        assert browser(world).post("/desk/login", data={"token": world.desk_token}, base_url=BASE).status_code == 303
        world.clock.pass_time(seconds=61)
        assert error(world.get("/desk", headers=wrong)) == (401, "desk.token")

    @pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Bearer é"])
    def test_wrong_bearer_tokens(self, world: World, header: str) -> None:
        answer = world.get(
            "/desk", headers={"Authorization": header.encode().decode("latin-1"), "Accept": "application/json"}
        )
        assert error(answer) == (401, "desk.token")

    def test_other_sites_cannot_act_for_a_clerk(self, world: World) -> None:
        client = signed_in(world)
        answer = client.post("/desk/applications/x/offer", base_url=BASE, headers={"Sec-Fetch-Site": "same-site"})
        assert answer.status_code == 403


class TestForm:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"given_name": ""}, "given_name"),
            ({"given_name": None}, "given_name"),
            ({"family_name": "x" * 101}, "family_name"),
            ({"family_name": "123"}, "family_name"),
            ({"family_name": "A\u202eB"}, "family_name"),
            ({"birthdate": "21.11.2008"}, "birthdate"),
            ({"birthdate": "2026-02-30"}, "birthdate"),
            ({"birthdate": "2027-01-01"}, "birthdate"),
            ({"birthdate": "1850-01-01"}, "birthdate"),
            ({"nationalities": "Germany"}, "nationalities"),
            ({"nationalities": ""}, "nationalities"),
            ({"nationalities": "DE,FR,IT,ES,PT"}, "nationalities"),
            ({"document_type": "library card"}, "document_type"),
            ({"document_number": "###"}, "document_number"),
            ({"issuing_country": "XX"}, "issuing_country"),
            ({"issuing_authority": ""}, "issuing_authority"),
            ({"document_expiry": "2026-11-19"}, "document_expiry"),
        ],
    )
    def test_every_field_is_checked(self, world: World, change: dict[str, Any], field: str) -> None:
        answer = world.apply(**change)
        assert error(answer) == (400, "application.invalid")
        assert list(answer.json["fields"]) == [field]
        assert world.rows("applications") == []
        assert world.matcher.shown == []

    def test_what_is_read_is_tidied(self) -> None:
        form = {name: [value] for name, value in PERSON.items()}
        form |= {"given_name": ["  Zoe\u0308   Ann "], "nationalities": ["de, fr", "FR"], "document_number": ["c01x"]}
        person = Person.read(form, today=TODAY)
        assert person.given_name == "Zoë Ann"
        assert person.nationalities == ("DE", "FR")
        assert person.document_number == "C01X"
        assert Person.from_json(person.json) == person

    @given(st.dictionaries(st.sampled_from(sorted(PERSON)), st.lists(st.text(max_size=12), max_size=3)))
    def test_hostile_forms_raise_only_our_errors(self, form: dict[str, list[str]]) -> None:
        filled = {**{name: [value] for name, value in PERSON.items()}, **form}
        with contextlib.suppress(FormError):
            Person.read(filled, today=TODAY)

    @pytest.mark.parametrize(
        ("born", "today", "over"),
        [
            (date(2008, 11, 20), TODAY, True),
            (date(2008, 11, 21), TODAY, False),
            (date(2008, 2, 29), date(2026, 2, 28), False),
            (date(2008, 2, 29), date(2026, 3, 1), True),
            (date(2008, 2, 29), date(2028, 2, 29), True),
        ],
    )
    def test_ages(self, born: date, today: date, over: bool) -> None:
        assert is_over(18, born=born, today=today) is over

    @pytest.mark.parametrize(
        "change",
        [
            {"portrait": None},
            {"selfie": None},
            {"portrait": picture(b"")},
            {"selfie": [picture(SELFIE)] * 6},
            {"portrait": [picture(PORTRAIT), picture(PORTRAIT)]},
            {"portrait": "a text, not a file"},
        ],
    )
    def test_pictures_are_needed(self, world: World, change: dict[str, Any]) -> None:
        fresh = {
            name: [picture(SELFIE) for _ in value] if name == "selfie" and value else value
            for name, value in change.items()
        }
        answer = world.apply(**fresh)
        assert error(answer) == (400, "application.pictures")
        assert "pictures" in answer.json["fields"]

    def test_an_unreadable_picture_is_the_senders_to_mend(self, world: World) -> None:
        world.matcher.trouble = Unreadable("image.damaged", "The picture cannot be decoded.")
        assert error(world.apply()) == (400, "image.damaged")
        assert world.rows("applications") == []

    def test_missing_models_are_ours_to_mend(self, world: World) -> None:
        world.matcher.trouble = ModelsUnavailable("models.missing", "The model files are missing.")
        assert error(world.apply()) == (503, "models.missing")

    def test_oversize_uploads_are_refused(self, world: World) -> None:
        answer = world.apply(portrait=picture(b"x" * (33 * 1024 * 1024)))
        assert answer.status_code == 413
        assert world.matcher.shown == []

    def test_without_scripts_the_form_comes_back_with_what_was_typed(self, world: World) -> None:
        client = signed_in(world)
        data = {**PERSON, "birthdate": "nonsense", "portrait": picture(PORTRAIT), "selfie": [picture(SELFIE)]}
        answer = client.post("/desk/applications", data=data, base_url=BASE, content_type="multipart/form-data")
        assert answer.status_code == 400
        assert 'value="Quantock"' in answer.text
        assert "Write the date as year, month and day" in answer.text


class TestPrivacy:
    def test_pictures_reach_the_matcher_and_nothing_else(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def spooled(*_given: object, **_named: object) -> None:
            raise AssertionError("a picture would be written to disk")

        large = PORTRAIT + bytes(2_000_000)
        monkeypatch.setattr(tempfile, "SpooledTemporaryFile", spooled)
        monkeypatch.setattr(tempfile, "TemporaryFile", spooled)
        monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", spooled)
        with caplog.at_level(logging.DEBUG):
            made = world.apply(portrait=picture(large))
            world.offer(made.json["id"])
        assert world.matcher.shown == [(large, (SELFIE,))]
        for file in sorted(Path(world.folder).rglob("*")):
            if file.is_file():
                data = file.read_bytes()
                assert PORTRAIT not in data
                assert SELFIE not in data
        assert "portrait-bytes" not in caplog.text + made.text

    def test_errors_and_logs_hold_no_personal_data(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            world.apply(document_expiry="2020-01-01")
            world.matcher.accepts = False
            world.apply()
        for value in ("Quantock", "C01X00T47", "2008-11-21"):
            assert value not in caplog.text

    def test_an_issued_persons_data_is_erased_after_ten_minutes(self, world: World) -> None:
        identifier, uri, tx_code = world.offered()
        assert world.credential(world.token(uri, tx_code).json["access_token"]).status_code == 200
        world.clock.pass_time(minutes=9)
        assert world.desk("GET", f"/desk/applications/{identifier}").json["person"] is not None
        world.clock.pass_time(minutes=1)
        found = world.desk("GET", f"/desk/applications/{identifier}").json
        assert (found["person"], found["evidence"], found["state"]) == (None, None, "accepted")
        world.database.dispose()
        for file in Path(world.settings.service.folder).iterdir():  # the write-ahead log too
            assert b"Quantock" not in file.read_bytes(), file

    @pytest.mark.parametrize(("accepts", "kept", "gone"), [(False, 59, 60), (True, 24 * 60 - 1, 24 * 60)])
    def test_an_unused_decision_is_erased_in_time(self, world: World, accepts: bool, kept: int, gone: int) -> None:
        world.matcher.accepts = accepts
        identifier = world.apply().json["id"]
        world.clock.pass_time(minutes=kept)
        assert world.desk("GET", f"/desk/applications/{identifier}").json["person"]
        world.clock.pass_time(minutes=gone - kept)
        assert world.desk("GET", f"/desk/applications/{identifier}").json["person"] is None
        refused = world.desk("POST", f"/desk/applications/{identifier}/offer")
        assert refused.json["error"] in {"offer.erased", "offer.declined"}

    def test_data_stays_while_a_late_offer_can_still_be_accepted(self, world: World) -> None:
        identifier = world.apply().json["id"]
        world.clock.pass_time(hours=23, minutes=59)
        uri, tx_code = world.offer(identifier)
        world.clock.pass_time(minutes=14)
        assert world.credential(world.token(uri, tx_code).json["access_token"]).status_code == 200

    def test_any_request_sweeps(self, world: World) -> None:
        world.apply()
        world.clock.pass_time(hours=25)
        world.get("/healthz")
        assert [row["subject"] for row in world.rows("applications")] == [None]


class TestPages:
    def test_a_clerk_can_do_the_whole_job_without_scripts(self, world: World) -> None:
        client = signed_in(world)
        assert "No applications yet" in client.get("/desk", base_url=BASE).text
        data = {**PERSON, "portrait": picture(PORTRAIT), "selfie": [picture(SELFIE)]}
        made = client.post("/desk/applications", data=data, base_url=BASE, content_type="multipart/form-data")
        assert made.status_code == 303
        page = client.get(made.headers["Location"], base_url=BASE)
        assert "The faces match" in page.text
        assert "Zoë Ann Quantock" in page.text
        offered = client.post(f"{made.headers['Location']}/offer", base_url=BASE)
        assert offered.status_code == 303
        first = client.get(offered.headers["Location"], base_url=BASE).text
        assert '<svg class="qr"' in first
        assert 'id="tx-code"' in first
        second = client.get(offered.headers["Location"], base_url=BASE).text
        assert '<svg class="qr"' in second
        assert 'id="tx-code"' not in second  # shown once

    def test_a_declined_person_can_try_again_with_the_form_filled(self, world: World) -> None:
        world.matcher.accepts = False
        identifier = world.apply().json["id"]
        client = signed_in(world)
        page = client.get(f"/desk/applications/{identifier}", base_url=BASE).text
        assert "could not be matched" in page
        assert "a colleague" in page
        form = client.get(f"/desk/applications/new?from={identifier}", base_url=BASE).text
        assert 'value="Quantock"' in form

    def test_the_live_state_follows_the_wallet(self, world: World) -> None:
        identifier, uri, tx_code = world.offered()
        path = f"/desk/applications/{identifier}/state"
        seen = [world.desk("GET", path).json["state"]]
        code = world.code(uri)
        seen.append(world.desk("GET", path).json["state"])
        access = world.redeem(code, tx_code).json["access_token"]
        seen.append(world.desk("GET", path).json["state"])
        world.credential(access)
        last = world.desk("GET", path)
        seen.append(last.json["state"])
        assert seen == ["waiting", "opened", "redeemed", "accepted"]
        assert last.json["final"]
        headers = {"Authorization": f"Bearer {world.desk_token}", "If-None-Match": last.headers["ETag"]}
        assert world.get(path, headers=headers).status_code == 304

    def test_an_offers_page_belongs_to_the_browser_that_made_it(self, world: World) -> None:
        identifier, _, _ = world.offered()
        client = signed_in(world)
        answer = client.get(f"/desk/applications/{identifier}/offer", base_url=BASE)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/applications/{identifier}")
        assert "Waiting for the wallet" in client.get(answer.headers["Location"], base_url=BASE).text

    def test_a_closed_application_says_so(self, world: World) -> None:
        identifier = world.apply().json["id"]
        world.clock.pass_time(hours=24)
        page = signed_in(world).get(f"/desk/applications/{identifier}", base_url=BASE).text
        assert "This application is closed" in page
        assert "Quantock" not in page

    def test_revoking_asks_first(self, world: World) -> None:
        world.issued()
        client = signed_in(world)
        identifier = world.rows("credentials")[0]["id"]
        assert "Revoke this credential?" in client.get(f"/desk/credentials/{identifier}/revoke", base_url=BASE).text
        done = client.post(f"/desk/credentials/{identifier}/revoke", data={"reason": "lost"}, base_url=BASE)
        assert done.status_code == 303
        assert "Revoked" in client.get(done.headers["Location"], base_url=BASE).text
        assert "Revoked" in client.get("/desk/credentials", base_url=BASE).text

    @pytest.mark.parametrize("body", [b"[]", b"{", b'{"reason": 1}', b'{"reason": "' + b"x" * 201 + b'"}'])
    def test_flawed_reasons(self, world: World, body: bytes) -> None:
        world.issued()
        path = f"/desk/credentials/{world.rows('credentials')[0]['id']}/revoke"
        answer = world.desk("POST", path, data=body, content_type="application/json")
        assert answer.status_code == 400
        assert world.rows("credentials")[0]["status"] == 0

    @pytest.mark.parametrize(
        "path", ["/desk/applications/none", "/desk/credentials/none", "/desk/credentials/x/explode"]
    )
    def test_what_is_not_there(self, world: World, path: str) -> None:
        assert world.desk("GET" if "explode" not in path else "POST", path).status_code == 404

    def test_pages_are_strict(self, world: World) -> None:
        client = signed_in(world)
        for path in ("/desk", "/desk/applications/new", "/desk/credentials"):
            answer = client.get(path, base_url=BASE)
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "require-trusted-types-for 'script'" in policy
            assert " style=" not in answer.text
            assert "onclick" not in answer.text
        assert "camera=(self)" in client.get("/desk/applications/new", base_url=BASE).headers["Permissions-Policy"]
        assert "camera=()" in client.get("/desk", base_url=BASE).headers["Permissions-Policy"]


def test_the_desk_says_when_it_is_well(world: World) -> None:
    assert world.get("/healthz").json == {"status": "ok", "role": "issuer"}


def test_errors_of_settings_say_what_to_do(world: World) -> None:
    _ = world.settings
    world.settings.signing_key.unlink()
    with pytest.raises(SsiError) as caught:
        world.start()
    assert "bootstrap" in caught.value.detail
