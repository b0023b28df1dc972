"""The verifier's ledger page: what is on the ledger is told, in words and as data, and nobody pays for looking."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import schemas
from ssi.ledger import anchor
from tests.ledger.book import Book, start
from tests.verifier.world import World


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return Book(tmp_path_factory.mktemp("book"), start()).story()


@pytest.fixture
def world(book: Book, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    book.down, book.asked = False, 0
    book.founded_in(tmp_path)
    made.pages.update(book.pages)
    made.clock.at = book.at
    yield made
    book.down = False


def told(world: World, client: Any = None) -> dict[str, Any]:
    answer = (client or world.app().test_client()).get("/ledger", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return dict(answer.json)


def test_the_tree_says_who_may_issue_what_by_whose_word(world: World, book: Book) -> None:
    (root,) = told(world)["accreditors"]
    assert root["address"] == book["accreditor"].address
    ministry, former = root["below"]
    assert [grant["rights"] for grant in ministry["grants"]] == [["issue", "accredit"]]
    desk, branch = ministry["below"]
    assert desk["did"] == book.log.did
    assert [(grant["type"], grant["state"]) for grant in desk["grants"]] == [
        ("Verified person", "stands"),
        ("Verified person, as a W3C credential", "over"),
    ]
    assert branch["grants"][0]["state"] == "withdrawn"
    assert branch["grants"][0]["until"] == "2026-07-21T12:00:00Z"
    assert (former["ended"], former["grants"][0]["type"]) == (True, None)
    assert [one["grants"][0]["counts"] for one in (ministry, desk, branch, former)] == [True, True, False, False]


def test_what_somebody_granted_who_may_no_longer_grant_does_not_count(tmp_path: Path) -> None:
    book = Book(tmp_path / "book", start()).story()
    book.withdraws("accreditor", "ministry")
    world = World(tmp_path / "world")
    book.founded_in(world.folder)
    world.pages.update(book.pages)
    world.clock.at = book.at
    app = world.app().test_client()
    desk = told(world, app)["accreditors"][0]["below"][0]["below"][0]
    assert (desk["grants"][0]["state"], desk["grants"][0]["counts"]) == ("stands", False)
    assert "Does not count" in app.get("/ledger").text


def test_histories_and_anchors_are_told(world: World, book: Book) -> None:
    data = told(world)
    issuers = {one["did"]: one for one in data["issuers"]}
    desk = issuers[book.log.did]
    assert desk["address"] == book["desk"].address
    assert [step["recorded"] for step in desk["history"]] == ["finalized", "finalized", None]
    assert desk["anchors"]["count"] == 14
    assert len(desk["anchors"]["newest"]) == 10
    assert {(state["about"], state["number"]) for state in desk["states"]} == {("did", 2), ("list", 4)}
    assert f"did:ethr:0xface7:{book['branch'].address}" in issuers
    assert data["problem"] is None
    assert data["ledger"]["block"]["number"] == data["ledger"]["final"]["number"]


def test_a_description_of_a_type_is_no_batch_of_cards(tmp_path: Path) -> None:
    book = Book(tmp_path / "book", start()).story()
    digest = sha256(schemas.read(schemas.TYPES[schemas.VERIFIED_PERSON])).digest()
    book["desk"].does(book.anchor, anchor.anchor(book["desk"].address, digest))
    world = World(tmp_path / "world")
    book.founded_in(world.folder)
    world.pages.update(book.pages)
    world.clock.at = book.at
    app = world.app().test_client()
    (desk,) = [one for one in told(world, app)["issuers"] if one["did"] == book.log.did]
    assert desk["anchors"]["count"] == 14
    assert [(one["of"], one["root"]) for one in desk["descriptions"]] == [("Verified person", "0x" + digest.hex())]
    page = app.get("/ledger").text
    assert "14 batches of cards" in page
    assert "The description of a type of card: “Verified person”." in page


def test_long_lists_are_cut(world: World) -> None:
    page = world.app().test_client().get("/ledger").text
    assert "Show all: 7 more" in page


def test_views_within_ten_seconds_ask_nobody(world: World, book: Book) -> None:
    client = world.app().test_client()
    told(world, client)
    before = book.asked
    for _ in range(5):
        assert client.get("/ledger").status_code == 200
    assert book.asked == before
    world.clock.move(seconds=11)
    told(world, client)
    assert book.asked > before


def test_a_ledger_that_is_away_leaves_what_is_known(world: World, book: Book) -> None:
    client = world.app().test_client()
    known = told(world, client)
    book.down = True
    world.clock.move(seconds=60)
    data = told(world, client)
    assert data["problem"]["code"].startswith("ledger.")
    assert data["answered_at"] == known["answered_at"]
    assert data["accreditors"] == known["accreditors"]
    page = client.get("/ledger").text
    assert "cannot be asked just now" in page
    assert "What you see is what it said on" in page
    book.down = False
    world.clock.move(seconds=60)
    assert told(world)["problem"] is None  # a start later: a node that was away is left alone for a moment


def test_a_ledger_that_never_answered_still_has_a_page(world: World, book: Book) -> None:
    book.down = True
    client = world.app().test_client()
    data = told(world, client)
    assert (data["answered_at"], data["accreditors"][0]["known"]) == (None, False)
    assert "It has not answered since this service started" in client.get("/ledger").text


def test_a_verifier_without_a_ledger_says_so_and_has_no_link(tmp_path: Path) -> None:
    client = World(tmp_path).app().test_client()
    answer = client.get("/ledger")
    assert answer.status_code == 404
    assert "This verifier knows no ledger." in answer.text
    assert "--ledger FILE" in answer.text
    assert "expired" not in answer.text
    assert "/ledger" not in client.get("/").text


def test_the_page_speaks_plainly_and_escapes(world: World, book: Book) -> None:
    (world.folder / "trust/ledger.json").write_bytes(
        book.declaration().replace(b"Facet development chain", b"<script>alert(1)</script>")
    )
    page = world.app().test_client().get("/ledger").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "Development chain of the desk issuer.test" in page
    assert "Final</dt><dd>Too late for anybody to change it. On a development chain" in page
    assert "Accreditor 0x" in page
    assert "sworn" not in page
    assert "proves nothing against the desk" in page
    assert "May issue, and let others issue, “Verified person” since 1 March 2026, until 27 February 2036" in page
    assert "withdrawn on 21 July 2026" in page
    assert 'href="/ledger"' in page
