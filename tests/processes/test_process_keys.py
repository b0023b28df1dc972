"""A desk whose signing key is replaced, and whose DID is ended, while all three services run."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.town import BIN
from tests.processes.conftest import bootstrapped
from tests.processes.ground import PASSPHRASE, Actors, Ground, Holder, good


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with bootstrapped(tmp_path_factory.mktemp("keys")) as ground:
        ground.start(*ground.ports)
        yield ground
        ground.stop()


def desk(town: Ground, *words: str) -> dict[str, Any]:
    """What `facet-issuer <words>` says while the desk runs."""
    command = [str(BIN / "facet-issuer"), *words, "--data", str(town.directory), "--allow-loopback", "--json"]
    command += ["--base-url", town.urls["issuer"]]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **town.environment})
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def holder(town: Ground, actors: Actors, name: str) -> Holder:
    """Somebody with a fresh card in the wallet."""
    person, made = Holder(town, name), actors.offer(actors.apply())
    good(person.post("/signup", name=name, passphrase=PASSPHRASE))
    good(person.post(person.open(made["link"]) + "/accept", tx_code=made["tx_code"]))
    return person


def shown(actors: Actors, person: Holder) -> dict[str, Any]:
    """How the running verifier judges what a person shows."""
    asked = actors.ask()
    good(person.post(person.open(asked["link"]) + "/share"))
    return actors.result(asked["id"])


def recorded(person: Holder) -> None:
    """Wait until the person's wallet has receipts: looking at cards makes it ask for them."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        (card,) = person.cards()
        if dict(good(person.get(f"/cards/{card['id']}"))).get("card", {}).get("recorded", "").startswith("Recorded"):
            return
        time.sleep(0.3)
    raise AssertionError(f"{person.name}'s wallet has no receipt")


def test_a_running_desk_goes_over_to_its_new_key_and_no_card_is_lost(town: Ground) -> None:
    with town.client() as http:
        actors = Actors(town, http)
        early = holder(town, actors, "Early")
        assert shown(actors, early)["verdict"] == "verified"  # the verifier has read the DID by now
        late = holder(town, actors, "Late")  # signed with the old key, and not on the ledger yet
        told = desk(town, "rotate-key")
        assert told["old_key"] != told["new_key"]
        assert told["version"].startswith("3-")
        (key,) = good(http.get(town.urls["issuer"] + "/jwks"))["keys"]
        assert key["kid"] == told["new_key"]
        log = http.get(town.urls["issuer"] + "/.well-known/did.jsonl").text.strip().splitlines()
        assert len(log) == 3
        assert told["old_key"] in log[1]
        assert told["new_key"] in log[1]
        new = holder(town, actors, "New")
        for person in (new, early, late):
            recorded(person)
            result = shown(actors, person)
            assert result["verdict"] == "verified", json.dumps([person.name, result], indent=1)


def test_an_ended_desk_issues_nothing_and_its_account_writes_nothing(town: Ground) -> None:
    with town.client() as http:
        actors = Actors(town, http)
        offer = actors.offer(actors.apply())
        told = desk(town, "deactivate", "--yes")
        assert (told["deactivated"], told["account_ended"]) == (True, True)
        assert desk(town, "deactivate", "--yes")["account_ended"] is True
        person = Holder(town, "Over")
        good(person.post("/signup", name="Over", passphrase=PASSPHRASE))
        answer = person.post("/open", link=offer["link"])
        assert (answer.status_code, "offer.identity_ended" in answer.text) == (400, True), answer.text
