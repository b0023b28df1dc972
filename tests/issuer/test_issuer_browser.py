"""The applicant's pages in a real browser: by keyboard, without scripts, on a small screen, and back to the wallet."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from tests.issuer.applicant import CLIENT, Applicant, offered
from tests.issuer.world import World

sync_api = pytest.importorskip("playwright.sync_api")
accessibility = pytest.importorskip("tests.web.accessibility")
pytestmark = pytest.mark.browser


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def wallet_app() -> Flask:
    """A wallet in the web, as far as a browser comes back to it: another origin, with a redirect of its own."""
    app = Flask("wallet")
    app.add_url_rule("/cb", "cb", lambda: f"<title>Back</title><h1>{'code' in request.args}</h1>")
    return app


class Local(Applicant):
    """A wallet whose browser is real; the desk knows itself by the address that the browser uses."""

    def push_to(self, back: str) -> str:
        answer = self.push(redirect_uri=back)
        assert answer.status_code == 201, answer.text
        return str(answer.json["request_uri"])


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_and_comes_back(world: World, chromium: str, tmp_path: Path, scripts: bool) -> None:
    world.clock.at = datetime.now(UTC)  # the browser's cookies know no other time
    with served(wallet_app()) as wallet:
        listed = tmp_path / "browser-wallets.json"
        back = f"{wallet}/cb"
        listed.write_text(json.dumps({"clients": {CLIENT: {"name": "A Wallet", "redirect_uris": [back]}}}))
        server = make_server("127.0.0.1", 0, lambda *given: world.app(*given), threaded=True)  # noqa: PLW0108  (the desk is opened when its address is known)
        base = f"http://localhost:{server.server_port}"
        world.options = {"WALLETS": str(listed), "BASE_URL": base}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            reference, _, tx_code = offered(world)
            me = Local(world)
            with sync_api.sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=scripts)
                page = context.new_page()
                walk(page, base, me.push_to(back), (reference, tx_code), checked=scripts)
                assert page.url.startswith(f"{back}?"), page.url
                assert page.inner_text("h1") == "True"
                browser.close()
        finally:
            server.shutdown()
            thread.join()


def walk(page: Any, base: str, request_uri: str, known: tuple[str, str], *, checked: bool) -> None:
    page.goto(f"{base}/authorize?client_id={CLIENT}&request_uri={request_uri}")
    look(page, checked=checked)
    page.fill("#f-reference", known[0])
    page.fill("#f-code", "12345")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "The code has 6 digits." in page.inner_text("main")
    look(page, checked=checked)
    page.fill("#f-code", known[1])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Give A Wallet your card?" in page.inner_text("h1")
    look(page, checked=checked)
    page.click("text=Allow")
    page.wait_for_url("**/cb?**")


def look(page: Any, *, checked: bool) -> None:
    if checked:
        assert accessibility.examine(page) == []
        assert accessibility.sideways(page) == []
