"""The camera, with and without the browser's own decoder; and what people do instead of scanning."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from service import qr
from service.headers import content_security_policy
from tests.web.people import Counter, Holder, counter, holder, show_code, with_card
from tests.web.stage import SCREENS, Stage

pytestmark = pytest.mark.browser

DECODER = Path(__file__).resolve().parents[2] / "service" / "static" / "vendor" / "zxing"


@pytest.fixture
def other_code(tmp_path: Path) -> Path:
    """A code that has nothing to do with any wallet."""
    picture = tmp_path / "poster.png"
    picture.write_bytes(qr.png("https://example.org/todays-special"))
    return picture


def scan(person: Holder, shop: Counter) -> list[str]:
    """Scan the code on the shop's screen until the consent screen is there; what the page asked the server for."""
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    show_code(person.stage, shop.page)
    person.start_camera()
    person.sees_consent()
    return asked


@pytest.mark.skipif(not DECODER.is_dir(), reason="set-up could not bring the browser's QR decoder")
def test_a_foreign_code_is_named_and_the_right_one_opens(stage: Stage, other_code: Path) -> None:
    with with_card(stage, "Scanner") as person, counter(stage) as shop:
        stage.camera.see_code(other_code)
        person.start_camera()
        expect(person.page.locator("#camera-say")).to_contain_text("not an offer of a card")
        stage.look(person.page, "wallet-scan-foreign-code")
        person.page.get_by_role("button", name="Stop the camera").click()
        expect(person.page.locator("#camera-say")).to_have_text("The camera is off.")
        shop.ask("Over 21")
        asked = scan(person, shop)
        assert any(url.endswith(".wasm") for url in asked), "the page itself decodes"
        assert not any(url.endswith("/scan/decode") for url in asked), "and sends no picture to anybody"


def test_without_the_decoder_the_wallets_own_server_reads_the_code(stage: Stage) -> None:
    with with_card(stage, "Serverside") as person, counter(stage) as shop, stage.expecting("ERR_FAILED.*/vendor/"):
        person.page.route("**/vendor/**", lambda route: route.abort())  # as where it is missing, or WebAssembly blocked
        shop.ask("Over 18")
        asked = scan(person, shop)
        assert any(url == person.wallet + "/scan/decode" for url in asked)

        person.page.get_by_role("button", name="Decline").click()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Declined")
        stage.look(person.page, "wallet-declined")
        shop.sees("Declined")
        stage.look(shop.page, "verifier-declined")


def test_a_screenshot_of_the_code_is_as_good_as_a_scan(stage: Stage) -> None:
    with with_card(stage, "Pictures") as person, counter(stage) as shop:
        shop.ask("Over 18")
        shop.page.screenshot(path=SCREENS / "sent-by-a-friend.png")
        person.page.goto(person.wallet + "/scan")
        person.page.get_by_label("A photo or screenshot").set_input_files(SCREENS / "sent-by-a-friend.png")
        person.page.get_by_role("button", name="Read the picture").click()
        person.sees_consent()


def test_a_link_that_leads_nowhere_is_explained(stage: Stage) -> None:
    with holder(stage, "Typist") as person, stage.expecting("status of 400"):
        person.paste("openid4vp://nothing")
        expect(person.page.get_by_role("heading", level=1)).to_have_text("This cannot be opened")
        stage.look(person.page, "wallet-link-not-opened")


def test_the_camera_page_alone_may_compile_the_decoder(stage: Stage) -> None:
    with holder(stage, "Careful") as person:
        allowed = {path: policy(person.page, person.wallet + path) for path in ("/scan", "/cards", "/history")}
    assert "wasm-unsafe-eval" in allowed["/scan"]
    assert "wasm-unsafe-eval" not in allowed["/cards"] + allowed["/history"]
    assert all("unsafe-inline" not in one and "'unsafe-eval'" not in one for one in allowed.values())
    assert allowed["/cards"] == content_security_policy(frozenset())


def policy(page: Page, url: str) -> str:
    response = page.goto(url)
    assert response is not None
    return response.headers["content-security-policy"]
