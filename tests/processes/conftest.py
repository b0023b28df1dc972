"""The grounds of the process tests, and the people whose wallets are killed under their hands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from scripts import town
from tests.processes.ground import PASSPHRASE, Actors, Ground, Holder, Late, Wallets, good, paused

STATUS_TTL = {"FACET_ISSUER_STATUS_TTL": "1"}


@contextmanager
def bootstrapped(directory: Path) -> Iterator[Ground]:
    """A folder with keys and free ports; whatever runs there at the end is killed."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("killing a service with all its workers needs /proc")
    ground = Ground(directory, town.free_ports(), STATUS_TTL)
    town.bootstrap(ground.directory, ground.urls)
    try:
        yield ground
    finally:
        for role, process in ground.processes.items():
            if process.poll() is None:
                ground.kill(role)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A ground on which nothing runs."""
    with bootstrapped(tmp_path_factory.mktemp("bare")) as ground:
        yield ground


@pytest.fixture(scope="package")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A ground with all three services up."""
    with bootstrapped(tmp_path_factory.mktemp("town")) as ground:
        ground.start(*ground.ports)
        yield ground


@pytest.fixture(scope="package")
def actors(ground: Ground) -> Iterator[Actors]:
    """Desk, verifier and a wallet of our own."""
    with ground.client() as http:
        yield Actors(ground, http)


@pytest.fixture(scope="package")
def wallets(ground: Ground, actors: Actors) -> Iterator[Wallets]:
    people = [Holder(ground, name) for name in ("Steady", "Looking", "Gone", "Stuck", "Sending")]
    for person in people:
        good(person.post("/signup", name=person.name, passphrase=PASSPHRASE))
    steady, looking, gone, stuck, sending = people
    for person in (steady, sending):
        made = actors.offer(actors.apply())
        good(person.post(person.open(made["link"]) + "/accept", tx_code=made["tx_code"]))
    asked, requested = actors.ask(), actors.ask()
    shared = steady.open(asked["link"])
    good(steady.post(shared + "/share"))
    cards = steady.cards()
    cookies = dict(gone.http.cookies)
    good(gone.post("/lock"))
    offer, stuck_offer = actors.offer(actors.apply()), actors.offer(actors.apply())
    offer_page, stuck_page = looking.open(offer["link"]), stuck.open(stuck_offer["link"])
    request = sending.open(requested["link"])
    with paused(ground.processes["issuer"]), paused(ground.processes["verifier"]):
        late = [
            Late(stuck.http, "POST", stuck.url + stuck_page + "/accept", data={"tx_code": stuck_offer["tx_code"]}),
            Late(sending.http, "POST", sending.url + request + "/share"),
        ]
        time.sleep(0.2)
        ground.kill("wallet")
        assert [isinstance(one.end(), httpx.HTTPError) for one in late] == [True, True], "nothing was acknowledged"
    ground.start("wallet")
    yield Wallets(
        steady, shared, asked, cards, looking, offer, offer_page, gone, cookies, stuck, stuck_offer, stuck_page,
        sending, request, requested,
    )  # fmt: skip
    for person in people:
        person.http.close()
