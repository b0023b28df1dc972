"""Deferred issuance and notifications: a promise is kept once, by word of a colleague; and what wallets report."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from ssi.keys import SoftwareSigner
from tests.issuer.world import BASE, World, error, payload
from wallet.issuer import batches


def held(world: World) -> tuple[str, str]:
    """An application offered under reserve, and an access token for it."""
    identifier = world.apply().json["id"]
    uri, tx_code = world.offer(identifier, held="yes")
    return identifier, world.token(uri, tx_code).json["access_token"]


def rule(world: World, identifier: str, word: str) -> TestResponse:
    return world.desk("POST", f"/desk/applications/{identifier}/{word}")


def fetch(world: World, access: str, transaction: str, **more: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {access}"}
    return world.post("/deferred_credential", json={"transaction_id": transaction, **more}, headers=headers)


def promised(world: World, access: str) -> str:
    answer = world.credential(access)
    assert answer.status_code == 202, answer.text
    assert set(answer.json) == {"transaction_id", "interval"}
    assert answer.json["interval"] > 0
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.json["transaction_id"])


def notify(world: World, access: str, body: Any) -> TestResponse:
    return world.post("/notification", json=body, headers={"Authorization": f"Bearer {access}"})


class TestDeferred:
    def test_the_metadata_names_the_endpoints(self, world: World) -> None:
        metadata = world.get("/.well-known/openid-credential-issuer").json
        assert metadata["deferred_credential_endpoint"] == f"{BASE}/deferred_credential"
        assert metadata["notification_endpoint"] == f"{BASE}/notification"

    def test_a_promise_is_kept_when_a_colleague_releases_it(self, world: World) -> None:
        identifier, access = held(world)
        transaction = promised(world, access)
        waiting = fetch(world, access, transaction)
        assert (waiting.status_code, waiting.json["transaction_id"]) == (202, transaction)
        assert world.rows("credentials") == []
        assert rule(world, identifier, "release").json["state"] == "released"
        answer = fetch(world, access, transaction)
        assert answer.status_code == 200
        card = payload(answer.json["credentials"][0]["credential"])
        assert card["cnf"]["jwk"]["x"] == world.holder.public.jwk["x"]
        assert answer.json["notification_id"]
        assert notify(
            world, access, {"notification_id": answer.json["notification_id"], "event": "credential_accepted"}
        )
        assert error(fetch(world, access, transaction)) == (400, "invalid_transaction_id")  # §9.1
        assert world.rows("batches")[0]["keys"] is None

    def test_a_whole_batch_can_be_promised(self, world: World) -> None:
        identifier, access = held(world)
        nonce, signers = world.nonce(), [SoftwareSigner.generate("ES256") for _ in range(3)]
        proofs = {"jwt": [world.proof(signer=one, nonce=nonce) for one in signers]}
        answer = world.credential(access, {"credential_configuration_id": "VerifiedPerson", "proofs": proofs})
        rule(world, identifier, "release")
        cards = fetch(world, access, answer.json["transaction_id"]).json["credentials"]
        said = [payload(card["credential"])["cnf"]["jwk"]["x"] for card in cards]
        assert said == [one.public.jwk["x"] for one in signers]

    def test_who_asks_anew_after_the_release_still_has_the_promise_kept(self, world: World) -> None:
        identifier, access = held(world)
        transaction = promised(world, access)
        rule(world, identifier, "release")
        asked = world.credential(access)  # the same key, as after a restart
        kept = fetch(world, access, transaction)
        assert (asked.status_code, kept.status_code) == (200, 200), kept.text
        one, other = (payload(answer.json["credentials"][0]["credential"]) for answer in (asked, kept))
        assert one["status"] == other["status"]
        assert len(world.rows("credentials")) == 1

    def test_promises_count_against_what_a_grant_yields(self, world: World) -> None:
        identifier, access = held(world)

        def ask() -> TestResponse:
            nonce, signers = world.nonce(), [SoftwareSigner.generate("ES256") for _ in range(10)]
            proofs = {"jwt": [world.proof(signer=one, nonce=nonce) for one in signers]}
            return world.credential(access, {"credential_configuration_id": "VerifiedPerson", "proofs": proofs})

        transactions = [ask().json["transaction_id"] for _ in range(5)]
        rule(world, identifier, "release")
        assert error(ask()) == (400, "credential_request_denied")
        assert [fetch(world, access, one).status_code for one in transactions] == [200] * 5
        assert error(ask()) == (400, "credential_request_denied")

    def test_what_is_released_before_the_wallet_asks_comes_at_once(self, world: World) -> None:
        identifier, access = held(world)
        rule(world, identifier, "release")
        assert world.credential(access).status_code == 200

    def test_what_is_refused_is_denied_for_good(self, world: World) -> None:
        identifier, access = held(world)
        transaction = promised(world, access)
        assert rule(world, identifier, "refuse").json["state"] == "refused"
        assert error(fetch(world, access, transaction)) == (400, "credential_request_denied")
        assert error(world.credential(access)) == (400, "credential_request_denied")
        assert world.rows("credentials") == []
        assert world.rows("batches")[0]["keys"] is None
        assert world.rows("applications")[0]["erase_at"] <= world.clock().timestamp() + 3600

    def test_a_lost_promise_is_made_again_under_another_name(self, world: World) -> None:
        identifier, access = held(world)
        lost, transaction = promised(world, access), promised(world, access)
        assert lost != transaction
        assert len(world.rows("batches")) == 1
        rule(world, identifier, "release")
        assert error(fetch(world, access, lost)) == (400, "invalid_transaction_id")
        assert fetch(world, access, transaction).status_code == 200

    def test_a_lost_answer_is_had_again_with_the_same_key(self, world: World) -> None:
        identifier, access = held(world)
        transaction = promised(world, access)
        rule(world, identifier, "release")
        first = fetch(world, access, transaction).json["credentials"][0]["credential"]
        again = world.credential(access).json["credentials"][0]["credential"]
        assert payload(first)["status"] == payload(again)["status"]
        assert len(world.rows("credentials")) == 1

    def test_a_transaction_belongs_to_its_wallet(self, world: World) -> None:
        _, access = held(world)
        transaction = promised(world, access)
        assert error(fetch(world, world.granted(), transaction)) == (400, "invalid_transaction_id")
        assert error(fetch(world, access, "made-up")) == (400, "invalid_transaction_id")
        assert error(fetch(world, "made-up", transaction)) == (401, "invalid_token")
        assert transaction not in str(world.rows("batches"))

    def test_the_persons_data_waits_as_long(self, world: World) -> None:
        identifier, access = held(world)
        promised(world, access)
        world.clock.pass_time(days=13)
        rule(world, identifier, "release")
        world.apply()  # sweeps
        assert world.desk("GET", f"/desk/applications/{identifier}").json["person"] is not None

    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            ({}, "invalid_credential_request"),
            ({"transaction_id": 1}, "invalid_credential_request"),
            ({"transaction_id": "x", "credential_response_encryption": {}}, "invalid_encryption_parameters"),
        ],
    )
    def test_flawed_requests(self, world: World, sent: dict[str, Any], expected: str) -> None:
        headers = {"Authorization": f"Bearer {world.granted()}"}
        assert error(world.post("/deferred_credential", json=sent, headers=headers)) == (400, expected)

    def test_too_many_promises_are_not_made(self, world: World) -> None:
        _, access = held(world)
        for _ in range(50):
            world.holder = SoftwareSigner.generate("ES256")
            promised(world, access)
        world.holder = SoftwareSigner.generate("ES256")
        assert error(world.credential(access)) == (400, "credential_request_denied")


class TestRulings:
    def test_a_ruling_is_final(self, world: World) -> None:
        identifier, _ = held(world)
        assert rule(world, identifier, "release").status_code == 200
        assert rule(world, identifier, "release").status_code == 200
        answer = rule(world, identifier, "refuse")
        assert (answer.status_code, answer.json["error"]) == (409, "release.ruled")

    def test_only_what_is_held_can_be_ruled_on(self, world: World) -> None:
        identifier, _, _ = world.offered()
        answer = rule(world, identifier, "release")
        assert (answer.status_code, answer.json["error"]) == (409, "release.nothing_held")
        assert rule(world, "K7F2-9QXM", "release").status_code == 409

    def test_the_page_offers_both_answers_while_it_waits(self, world: World) -> None:
        identifier, access = held(world)
        promised(world, access)
        headers = {"Authorization": f"Bearer {world.desk_token}", "Accept": "text/html"}

        def page() -> str:
            return world.client().get(f"/desk/applications/{identifier}", base_url=BASE, headers=headers).text

        assert f"/desk/applications/{identifier}/release" in page()
        assert f"/desk/applications/{identifier}/refuse" in page()
        rule(world, identifier, "release")
        assert "/release" not in page()
        assert "Released" in page()


class TestNotification:
    def issued(self, world: World) -> tuple[str, str]:
        access = world.granted()
        return access, world.credential(access).json["notification_id"]

    @pytest.mark.parametrize("name", ["a\0b", "\0", "x" * 32, "0" * 31])
    def test_a_name_that_was_never_given_out_is_not_looked_for(
        self, world: World, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL would take a null in a text for our mistake."""
        access, _ = self.issued(world)
        monkeypatch.setattr(batches, "select", None)
        told = {"notification_id": name, "event": "credential_accepted"}
        assert error(notify(world, access, told)) == (400, "invalid_notification_id")

    @pytest.mark.parametrize("event", ["credential_accepted", "credential_failure", "credential_deleted"])
    def test_events_are_recorded(self, world: World, event: str) -> None:
        access, name = self.issued(world)
        told = {"notification_id": name, "event": event, "event_description": "Said so.", "unknown": 1}
        for _ in range(2):  # idempotent (§11)
            answer = notify(world, access, told)
            assert (answer.status_code, answer.data) == (204, b"")
        row = world.rows("batches")[0]
        assert (row["event"], row["event_text"]) == (event, "Said so.")
        record = world.desk("GET", "/desk/credentials").json["credentials"][0]
        assert record["notification"]["event"] == event

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"notification_id": "made-up"}, "invalid_notification_id"),
            ({"notification_id": 1}, "invalid_notification_request"),
            ({"event": "credential_eaten"}, "invalid_notification_request"),
            ({"event": None}, "invalid_notification_request"),
            ({"event_description": "ü"}, "invalid_notification_request"),
        ],
    )
    def test_flawed_notifications(self, world: World, change: dict[str, Any], expected: str) -> None:
        access, name = self.issued(world)
        told = {"notification_id": name, "event": "credential_accepted", **change}
        assert error(notify(world, access, told)) == (400, expected)
        assert world.rows("batches")[0]["event"] is None

    def test_they_need_the_token_of_the_same_offer(self, world: World) -> None:
        _, name = self.issued(world)
        told = {"notification_id": name, "event": "credential_accepted"}
        assert error(notify(world, "made-up", told)) == (401, "invalid_token")
        other = world.granted()
        assert error(notify(world, other, told)) == (400, "invalid_notification_id")
        plain = world.post("/notification", data="x", headers={"Authorization": f"Bearer {other}"})
        assert error(plain) == (400, "invalid_notification_request")
