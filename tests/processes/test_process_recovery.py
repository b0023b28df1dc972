"""Long after the kills: what was interrupted can be finished, and all services still end cleanly."""

from __future__ import annotations

import time

from tests.processes.ground import Actors, Ground, Wallets, good

LEASE = 60
"""Seconds after which the wallet has given up on a step in which it was killed."""


def test_the_interrupted_acceptance_is_finished(actors: Actors, wallets: Wallets) -> None:
    person, page, code = wallets.stuck, wallets.stuck_page, wallets.stuck_offer["tx_code"]
    end = time.monotonic() + LEASE
    while (answer := person.post(page + "/accept", tx_code=code)).status_code == 409 and time.monotonic() < end:
        time.sleep(0.2)
    assert good(answer)["offer"]["stage"] == "settled"
    assert len(person.cards()) == 1
    created = actors.ask()
    good(person.post(person.open(created["link"]) + "/share"))
    assert actors.result(created["id"])["verdict"] == "verified"


def test_the_interrupted_answer_is_sent(actors: Actors, wallets: Wallets) -> None:
    person, request = wallets.sending, wallets.request
    assert good(person.post(request + "/share"))["request"]["state"] == "shared"
    assert actors.result(wallets.requested["id"])["verdict"] == "verified"
    assert [event["what"] for event in good(person.get("/history"))["events"]] == ["shared", "added"], (
        "one event, not two"
    )


def test_all_end_cleanly_after_all_that(ground: Ground) -> None:
    assert ground.stop() == {"issuer": 0, "wallet": 0, "verifier": 0}
