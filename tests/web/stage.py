"""The stage: browser contexts that are watched, and pages that are looked at closely.

A test fails for any error in the console (a violation of the Content Security Policy is one), any script that throws,
any request that leaves this machine, any answer with a server error, and anything that `Stage.look` finds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from scripts.town import Town
from tests.web import accessibility
from tests.web.camera import Camera

SCREENS = Path(__file__).resolve().parents[2] / "build" / "screens"
ALL_PICTURES = os.environ.get("FACET_SCREENS") == "all"
"""Also pictures in dark colours and on the narrowest screen; both are examined in any case."""
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
NARROWEST = 320  # WCAG 2.2, 1.4.10 Reflow


@dataclass
class Stage:
    """Where a test plays: the three services, a browser with a camera, and what went wrong so far.

    `expected` are patterns of console errors that belong to what the test does.
    """

    town: Town
    browser: Browser
    camera: Camera
    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def context(self, device: dict[str, Any], **more: Any) -> BrowserContext:
        """A watched browser context: its own cookies, and nothing remembered."""
        context = self.browser.new_context(
            ignore_https_errors=True, locale="en-GB", reduced_motion="reduce", **device, **more
        )
        context.set_default_timeout(20_000)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)
        return context

    @contextmanager
    def expecting(self, *patterns: str) -> Iterator[None]:
        """Console errors that belong to what the test does, such as the browser's own note of a 403."""
        before, self.expected = self.expected, [*self.expected, *patterns]
        try:
            yield
        finally:
            self.expected = before

    def look(self, page: Page, name: str) -> None:
        """Keep a picture of the page, and examine it: accessibility, both colour schemes, and the narrowest screen."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        _picture(page, name)
        found = accessibility.examine(page)
        page.emulate_media(color_scheme="dark")
        found += [f"in dark colours: {one}" for one in accessibility.contrast(page)]
        if ALL_PICTURES:
            _picture(page, f"{name}-dark")
        page.emulate_media(color_scheme="light")
        size = page.viewport_size or {"width": 1280, "height": 900}
        page.set_viewport_size({"width": NARROWEST, "height": 700})
        found += accessibility.sideways(page)
        if ALL_PICTURES:
            _picture(page, f"{name}-{NARROWEST}")
        page.set_viewport_size(size)
        self.problems += [f"{name}: {one}" for one in found]

    def _console(self, message: ConsoleMessage) -> None:
        said = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(re.search(pattern, said) for pattern in self.expected):
            self.problems.append(f"console: {said}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"blob", "data", "about"} and parts.hostname != "localhost":
            self.problems.append(f"request to somebody else: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(f"server error: {response.status} {response.url}")


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True, scale="css")
