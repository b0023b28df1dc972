"""The verifier's pages in a real browser: its Digital Credentials API and what is left when that fails, and answers
that come in an address.

The browser here has no wallet. Where one must answer, `StandIn` takes the place of `navigator.credentials.get`: it
hands the request to this house's wallet library and its answer to the page, as a browser with a wallet would.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from ssi import oid4vp
from ssi.issuerkeys import Keys
from tests.verifier.test_verifier_ways import page_answer
from tests.verifier.world import World

sync_api = pytest.importorskip("playwright.sync_api")
stages = pytest.importorskip("tests.web.stage")
pytestmark = pytest.mark.browser

STAND_IN = """
navigator.credentials.get = async (options) => {
  const told = JSON.parse(await window.standInWallet(JSON.stringify(options), location.origin));
  if (told.problem) throw new DOMException("stand-in", told.problem);
  return told;
};
"""


@dataclass
class StandIn:
    """A wallet in the place of the browser's own; `problem` is the DOMException that it throws instead."""

    world: World
    problem: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, options: str, origin: str) -> str:
        wanted = json.loads(options)
        self.asked.append(wanted)
        if self.problem:
            return json.dumps({"problem": self.problem})
        return json.dumps(page_answer(self.world, wanted["digital"]["requests"][0], origin=origin))

    def move_in(self, page: Any) -> None:
        """Take the browser's place on a page that is not open yet."""
        page.expose_function("standInWallet", self)
        page.add_init_script(STAND_IN)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world at today's time: the browser's cookies know no other."""
    made = World(tmp_path)
    made.clock.at = datetime.now(UTC)
    return made


@contextmanager
def serving(world: World, **settings: str) -> Iterator[str]:
    """The verifier on a port of its own, over TLS: without that a page has no Digital Credentials API."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    base = f"https://localhost:{port}"
    app: Flask = world.app(base_url=base, **settings)
    tls = (str(world.folder / "verifier/tls.pem"), str(world.folder / "verifier/tls.key"))
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def staging(chromium: str, *flags: str) -> Iterator[Any]:
    """A watched browser: at its end nothing may have gone wrong that was not expected."""
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *flags])
        stage: Any = stages.Stage(None, browser, None)
        yield stage
        browser.close()
    assert not stage.problems, "\n".join(stage.problems)


def ask(page: Any, base: str, title: str = "Identity", way: str = "") -> None:
    page.goto(base)
    if way:
        page.get_by_text("How the answer comes").click()
        page.get_by_label("Way of answering").select_option(way)
    page.get_by_role("button", name=title, exact=True).click()
    page.wait_for_url("**/requests/*")


def sees_code_and_link(page: Any) -> None:
    """The way on that is always there."""
    sync_api.expect(page.locator(".qr")).to_be_visible()
    sync_api.expect(page.get_by_role("link", name="Open my wallet")).to_be_visible()
    sync_api.expect(page.get_by_label("Or copy the link into a wallet")).to_be_visible()


def test_a_browser_without_a_wallet_leads_back_to_code_and_link(chromium: str, world: World) -> None:
    """This browser opens a window of its own, looks for a wallet and never says that it found none.

    Without a screen nobody sees that window, and it keeps the mouse for itself: so the press on "Stop looking" is sent.
    """
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.DESKTOP, device_scale_factor=2).new_page()
        ask(page, base)
        button, stop = (
            page.get_by_role("button", name=name) for name in ("Use a wallet on this device", "Stop looking")
        )
        sync_api.expect(button).to_be_visible()
        sync_api.expect(stop).to_be_hidden()
        stage.look(page, "verifier-request-browser")
        button.click()
        sync_api.expect(page.locator("#browser-said")).to_contain_text("Your browser is looking for a wallet.")
        sees_code_and_link(page)
        stage.look(page, "verifier-request-browser-looking")
        stop.dispatch_event("click")
        trouble = page.locator("#browser-trouble")
        sync_api.expect(trouble).to_contain_text("You stopped looking before a wallet answered.")
        sync_api.expect(trouble).to_contain_text("scan the code, or open a wallet with the link below.")
        sees_code_and_link(page)
        sync_api.expect(stop).to_be_hidden()
        stage.look(page, "verifier-request-browser-failed")


def test_a_browser_that_refuses_to_ask_leads_back_to_code_and_link(chromium: str, world: World) -> None:
    """The browser's own refusal: it is given nothing that it could ask for."""
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.DESKTOP).new_page()
        page.route("**/requests/*/dc", lambda route: route.fulfill(json={"requests": []}))
        ask(page, base)
        page.get_by_role("button", name="Use a wallet on this device").click()
        sync_api.expect(page.locator("#browser-trouble")).to_contain_text("This browser cannot ask wallets")
        sees_code_and_link(page)


def test_what_is_no_answer_leads_back_to_code_and_link(chromium: str, world: World) -> None:
    """The browser's own fake dialogue gives a token that is no presentation: the verifier takes nothing for one."""
    with serving(world) as base, staging(chromium, "--use-fake-ui-for-digital-identity") as stage:
        page = stage.context(stages.DESKTOP).new_page()
        ask(page, base)
        with stage.expecting("status of 400"):
            page.get_by_role("button", name="Use a wallet on this device").click()
            sync_api.expect(page.locator("#browser-trouble")).to_be_visible()
        sees_code_and_link(page)
        assert page.locator("#live").get_attribute("data-state") == "created"


def test_an_older_browser_shows_code_and_link_only(chromium: str, world: World) -> None:
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.PHONE).new_page()
        page.add_init_script("delete window.DigitalCredential;")
        ask(page, base)
        sees_code_and_link(page)
        sync_api.expect(page.get_by_role("button", name="Use a wallet on this device")).to_be_hidden()


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ("NotAllowedError", "No answer came: the browser's window was closed"),
        ("NotSupportedError", "cannot ask wallets"),
    ],
)
def test_each_failure_is_told_plainly(chromium: str, world: World, problem: str, sentence: str) -> None:
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.DESKTOP).new_page()
        StandIn(world, problem).move_in(page)
        ask(page, base)
        page.get_by_role("button", name="Use a wallet on this device").click()
        sync_api.expect(page.locator("#browser-trouble")).to_contain_text(sentence)
        sees_code_and_link(page)


def test_a_wallet_in_the_browser_answers(chromium: str, world: World) -> None:
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.DESKTOP, device_scale_factor=2).new_page()
        wallet = StandIn(world)
        wallet.move_in(page)
        ask(page, base, way="dc_api.jwt")
        page.get_by_role("button", name="Use a wallet on this device").click()
        sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("Verified")
        sync_api.expect(page.locator(".facts").first).to_contain_text("Collins")
        stage.look(page, "verifier-verified-browser")
    (asked,) = wallet.asked
    assert asked["mediation"] == "required"
    assert [one["protocol"] for one in asked["digital"]["requests"]] == ["openid4vp-v1-signed", "openid4vp-v1-unsigned"]


def fragment_url(page: Any, world: World) -> str:
    """What the wallet behind the page's link answers with."""
    link = oid4vp.parse_link(page.get_by_role("link", name="Open my wallet").get_attribute("href"))
    token = page.request.get(link.request_uri).text()
    request = oid4vp.open_request(token, link=link, keys=Keys(world.fetch), now=world.clock()).request
    shown = world.present(oid4vp.challenge(request), [claim.path for claim in request.query.credentials[0].claims])
    return oid4vp.fragment_url(request, oid4vp.respond(request, {request.query.credentials[0].id: [shown.wire]}))


def test_an_answer_in_the_address_is_taken_out_of_it_and_counts_here_only(chromium: str, world: World) -> None:
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.PHONE).new_page()
        ask(page, base, way="fragment")
        sync_api.expect(page.locator(".qr")).to_have_count(0)
        stage.look(page, "verifier-request-fragment")
        url = fragment_url(page, world)
        elsewhere = stage.context(stages.PHONE).new_page()
        with stage.expecting("status of 403"):
            elsewhere.goto(url)
            sync_api.expect(elsewhere.get_by_role("alert")).to_contain_text("begun in another browser")
        assert elsewhere.url == f"{base}/answer", "what is personal has left the address"
        stage.look(elsewhere, "verifier-answer-refused")
        page.goto(url)
        sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("Verified")
        assert page.evaluate("location.hash") == ""
        page.goto(f"{base}/answer")
        sync_api.expect(page.get_by_role("alert")).to_contain_text("came back without an answer")


def test_a_payment_is_filled_in_and_shown(chromium: str, world: World) -> None:
    with serving(world) as base, staging(chromium) as stage:
        page = stage.context(stages.DESKTOP, device_scale_factor=2).new_page()
        page.goto(base)
        stage.look(page, "verifier-home")
        page.get_by_role("link", name="Confirm a payment").click()
        page.get_by_label("Who is paid").fill("Cedar Books")
        page.get_by_label("Amount").fill("12.50")
        page.get_by_label("What for").fill("Order 4711")
        stage.look(page, "verifier-payment-form")
        page.get_by_role("button", name="Ask for confirmation").click()
        sync_api.expect(page.locator(".transaction")).to_contain_text("12.50 EUR")
        stage.look(page, "verifier-request-payment")
