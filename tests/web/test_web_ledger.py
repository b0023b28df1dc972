"""The ledger pages in a real browser: everybody can read and use them, on a desk's screen and on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, Playwright
from werkzeug.serving import make_server

from tests.issuer.ledgerworld import LedgerWorld
from tests.ledger.book import Book, start
from tests.verifier.world import World
from tests.web import accessibility
from tests.web.stage import DESKTOP, PHONE, Stage

pytestmark = pytest.mark.browser


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """An application on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def stage(chromium: str, playwright_once: Playwright) -> Iterator[Stage]:
    """A watched browser."""
    browser = playwright_once.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    made: Any = Stage(None, browser, None)  # type: ignore[arg-type]  # no town and no camera on this stage
    yield made
    browser.close()


@pytest.fixture
def watched(stage: Stage) -> Iterator[Stage]:
    stage.problems.clear()
    yield stage
    assert not stage.problems, "\n".join(stage.problems)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return Book(tmp_path_factory.mktemp("book"), start()).story()


@pytest.fixture
def verifier(book: Book, tmp_path: Path) -> Iterator[tuple[World, str]]:
    world = World(tmp_path)
    book.down = False
    book.founded_in(tmp_path)
    world.pages.update(book.pages)
    world.clock.at = book.at
    with serving(world.app()) as base:
        yield world, base
    book.down = False


def opened(page: Page) -> None:
    """Everything on demand, shown."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize(("device", "name"), [(DESKTOP, "desktop"), (PHONE, "phone")])
def test_the_verifiers_ledger(watched: Stage, verifier: tuple[World, str], device: dict[str, Any], name: str) -> None:
    page = watched.context(device).new_page()
    page.goto(verifier[1])
    page.get_by_role("link", name="Ledger").click()
    page.get_by_role("heading", name="Who may issue").wait_for()
    watched.look(page, f"verifier-ledger-{name}")
    opened(page)
    watched.look(page, f"verifier-ledger-{name}-open")


def test_the_verifiers_ledger_by_keyboard_and_without_scripts(watched: Stage, verifier: tuple[World, str]) -> None:
    page = watched.context(DESKTOP, java_script_enabled=False).new_page()
    page.goto(verifier[1] + "/ledger")
    whole = page.locator(".tree .long input").first
    assert not whole.is_visible()
    page.locator(".tree .long summary").first.focus()
    page.keyboard.press("Enter")
    assert whole.is_visible()
    page = watched.context(DESKTOP).new_page()
    page.goto(verifier[1] + "/ledger")
    for _ in range(12):
        page.keyboard.press("Tab")
        here = accessibility.focus(page)
        assert here["shown"], here
        assert not here["covered"], here


def test_the_verifiers_ledger_when_it_is_away(watched: Stage, verifier: tuple[World, str], book: Book) -> None:
    world, base = verifier
    page = watched.context(PHONE).new_page()
    page.goto(base + "/ledger")
    book.down = True
    world.clock.move(minutes=5)
    page.reload()
    assert "What you see is what it said on" in page.inner_text("main")
    watched.look(page, "verifier-ledger-away")


@pytest.fixture
def desk(tmp_path: Path) -> LedgerWorld:
    """A desk with batches, a stuck write, and cards that wait."""
    world = LedgerWorld(tmp_path)
    for count in (3, 1):
        for _ in range(count):
            world.promised()
        world.turn()
        world.clock.pass_time(hours=2)
    world.promised()
    writer = world.anchoring.desk.writer
    writer.max_fee_per_gas, before = 1, writer.max_fee_per_gas
    world.turn()
    writer.max_fee_per_gas = before
    world.clock.pass_time(minutes=7)
    world.promised()
    return world


@pytest.mark.parametrize(("device", "name"), [(DESKTOP, "desktop"), (PHONE, "phone")])
def test_the_desks_ledger(watched: Stage, desk: LedgerWorld, device: dict[str, Any], name: str) -> None:
    signed_in = {"Authorization": f"Bearer {desk.desk_token}"}
    with serving(desk.app) as base:
        page = watched.context(device, extra_http_headers=signed_in).new_page()
        page.goto(base + "/desk/credentials")
        page.get_by_role("link", name="Ledger").click()
        page.get_by_role("heading", name="What it cost").wait_for()
        watched.look(page, f"desk-ledger-{name}")
        opened(page)
        watched.look(page, f"desk-ledger-{name}-open")
        page.get_by_role("button", name="Try again").click()
        page.get_by_text("Everything that waited").wait_for()
        assert not page.get_by_text("stuck").is_visible()
