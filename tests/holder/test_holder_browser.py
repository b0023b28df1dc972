"""The scan page and the consent screen in a real browser, with a camera that shows a code."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from service import qr
from tests.holder.bureau import Bureau
from tests.holder.town import ISSUER, PASSPHRASE, Clock, Town

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 480
VENDOR = Path(__file__).resolve().parents[2] / "service" / "static" / "vendor" / "zxing"


def camera(file: Path, text: str) -> Path:
    """A film of a code (YUV4MPEG2, 4:2:0), for Chromium's fake camera."""
    rows = qr.modules(text)
    scale = (HEIGHT - 60) // len(rows)
    side = len(rows) * scale
    top, left = (HEIGHT - side) // 2, (WIDTH - side) // 2
    luma = bytearray(b"\xdc" * (WIDTH * HEIGHT))
    for y in range(side):
        line = b"".join((b"\x14" if dark else b"\xdc") * scale for dark in rows[y // scale])
        luma[(top + y) * WIDTH + left : (top + y) * WIDTH + left + side] = line
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (WIDTH * HEIGHT // 2)
    file.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C420jpeg\n".encode() + frame * 4)
    return file


@pytest.fixture
def now_town(town: Town) -> Town:
    """A town at today's time: the browser's cookies know no other."""
    town.clock.at = datetime.now(UTC)
    return town


@contextmanager
def served(app: Flask, town: Town) -> Iterator[str]:
    """The app on a port of its own, over TLS."""
    tls = (str(town.folder / "wallet/tls.pem"), str(town.folder / "wallet/tls.key"))
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def browsing(chromium: str, base: str, film: Path | None, *, permit: bool = True) -> Iterator[Any]:
    """A phone-sized page of somebody who has just signed up; `page.complaints` is what the console said."""
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    flags += [f"--use-file-for-fake-video-capture={film}"] if film else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        context = browser.new_context(
            ignore_https_errors=True,
            viewport={"width": 390, "height": 844},
            permissions=["camera"] if permit else [],
        )
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{base}/signup")
        page.fill("#f-name", "Ada")
        page.fill("#f-passphrase", PASSPHRASE)
        page.click("main button[type=submit]")
        page.wait_for_url(f"{base}/cards")
        try:
            yield page
        finally:
            browser.close()


class Running(Clock):
    """The real time."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


def test_a_card_that_is_made_later_appears_by_itself(chromium: str, minted: Path, tmp_path: Path) -> None:
    town = Town(Path(shutil.copytree(minted, tmp_path / "town")), Running())
    bureau = Bureau(town.folder, town.clock, sign_in=False, tx_code=None, hold=1, interval=2)
    town.issuer, town.world[ISSUER] = bureau, bureau
    with served(town.app(), town) as base, browsing(chromium, base, None) as page:
        page.goto(f"{base}/scan")
        page.fill("#f-link", bureau.link)
        page.click("#open-form button")
        page.click("main form button:has-text('Add')")
        eventually(page, lambda: "still working on it" in page.inner_text("h1"))
        eventually(page, lambda: "Card added" in page.inner_text("h1"))
        assert page.complaints == []


def test_the_way_to_a_sign_in_is_shown_before_it_is_gone(chromium: str, minted: Path, tmp_path: Path) -> None:
    town = Town(Path(shutil.copytree(minted, tmp_path / "town")), Running())
    bureau = Bureau(town.folder, town.clock)
    town.issuer, town.world[ISSUER] = bureau, bureau
    with served(town.app(), town) as base, browsing(chromium, base, None) as page:
        page.goto(f"{base}/scan")
        page.fill("#f-link", bureau.link)
        page.click("#open-form button")
        page.click("main form button:has-text('Sign in')")
        eventually(page, lambda: "Going on to issuer.test" in page.inner_text("#go-on-note"))
        page.keyboard.press("Tab")  # any key: the person wants to stay
        assert page.inner_text("#go-on-note") == ""
        assert page.get_attribute("#go-on", "href").startswith(f"{ISSUER}/authorize?")
        assert page.complaints == []


def eventually(page: Any, question: Callable[[], Any], *, seconds: float = 20) -> Any:
    """The first true answer. (Playwright's own waiting in the page is stopped by Trusted Types.)"""
    end, found = time.monotonic() + seconds, None
    while time.monotonic() < end:
        with contextlib.suppress(sync_api.Error):  # the page is just being left
            found = question()
        if found:
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"never came true; the last answer was {found!r}")


@pytest.mark.skipif(not VENDOR.exists(), reason="the decoder for browsers is not installed")
def test_the_camera_finds_an_offer_with_the_decoder_in_the_page(chromium: str, now_town: Town, tmp_path: Path) -> None:
    film = camera(tmp_path / "offer.y4m", now_town.issuer.link)
    decoded: list[str] = []
    app = now_town.app()
    with served(app, now_town) as base, browsing(chromium, base, film) as page:
        page.on("request", lambda request: decoded.append(request.url) if "/scan/decode" in request.url else None)
        page.goto(f"{base}/scan")
        page.click("#start")
        eventually(page, lambda: "/offers/" in page.url)
        assert page.inner_text("h1") == "Add this card?"
        assert decoded == []
        assert page.complaints == []
        page.fill("#f-tx_code", "493827")
        page.click("button:text-is('Add')")
        eventually(page, lambda: page.inner_text("h1") == "Card added")
        assert page.evaluate("document.activeElement.id") == "verdict"
        page.goto(f"{base}/scan")
        page.fill("#f-link", now_town.shop.link)
        page.click("#open-form button")
        eventually(page, lambda: "/requests/" in page.url)
        share, decline = page.locator("button:text-is('Share')"), page.locator("button:text-is('Decline')")
        assert share.bounding_box()["width"] == decline.bounding_box()["width"]
        styles = [page.evaluate(_STYLE, one.element_handle()) for one in (share, decline)]
        assert styles[0] == styles[1]
        share.click()
        eventually(page, lambda: page.inner_text("h1") == "Shared")
        assert page.complaints == []


_STYLE = "b => { const s = getComputedStyle(b); return [s.color, s.backgroundColor, s.fontWeight, s.borderColor] }"


def test_without_that_decoder_the_server_reads_the_frames(chromium: str, now_town: Town, tmp_path: Path) -> None:
    film = camera(tmp_path / "offer.y4m", now_town.issuer.link)
    with served(now_town.app(), now_town) as base, browsing(chromium, base, film) as page:
        page.route("**/vendor/**", lambda route: route.fulfill(status=404))
        page.goto(f"{base}/scan")
        page.click("#start")
        eventually(page, lambda: "/offers/" in page.url)


def test_a_code_for_something_else_is_named_and_the_search_goes_on(
    chromium: str, now_town: Town, tmp_path: Path
) -> None:
    film = camera(tmp_path / "other.y4m", "https://example.com/menu")
    with served(now_town.app(), now_town) as base, browsing(chromium, base, film) as page:
        page.goto(f"{base}/scan")
        page.click("#start")
        eventually(page, lambda: "a web address, not an offer" in page.inner_text("#camera-say"))
        assert page.url == f"{base}/scan"
        assert page.is_visible("#viewfinder")
        page.click("#stop")
        assert page.inner_text("#camera-say") == "The camera is off."
        assert not page.is_visible("#viewfinder")


def test_a_blocked_camera_is_explained_and_a_picture_does_as_well(
    chromium: str, now_town: Town, tmp_path: Path
) -> None:
    picture = tmp_path / "code.png"
    picture.write_bytes(qr.png(now_town.issuer.link))
    with served(now_town.app(), now_town) as base, browsing(chromium, base, None, permit=False) as page:
        page.goto(f"{base}/scan")
        page.click("#start")
        eventually(page, lambda: "blocked for this page" in page.inner_text("#camera-say"))
        page.set_input_files("#f-picture", str(picture))
        page.click("#picture-form button")
        eventually(page, lambda: "/offers/" in page.url)
        assert page.complaints == []
