"""One browser with a camera and one running town for all browser tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from scripts import town
from tests.web.camera import Camera
from tests.web.stage import Stage

DECODER = Path(__file__).resolve().parents[2] / "service" / "static" / "vendor" / "zxing"
STATUS_TTL = {"FACET_ISSUER_STATUS_TTL": "1", "FACET_VERIFIER_STATUS_SECONDS": "60"}
ARGUMENTS = (
    "--no-sandbox",  # containers run as root, and the pages are our own
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",  # nobody else is reachable, whatever a page tries
)


@pytest.fixture(scope="package")
def playwright_once() -> Iterator[Playwright]:
    """The one Playwright of this folder: a thread cannot have two."""
    with sync_playwright() as play:
        yield play


@pytest.fixture(scope="package")
def theatre(chromium: str, playwright_once: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The running services and the browser, shared by all tests of this folder."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg, which films for Chromium's camera")
    folder = tmp_path_factory.mktemp("theatre")
    camera = Camera(folder / "camera.mjpeg")
    with town.running(folder / "town", town.free_ports(), environment=STATUS_TTL) as running:
        browser = playwright_once.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *camera.flags])
        yield Stage(running, browser, camera)
        browser.close()


@pytest.fixture
def stage(theatre: Stage) -> Iterator[Stage]:
    """The stage for one test, which fails at its end for whatever was noticed meanwhile."""
    theatre.problems.clear()
    theatre.expected[:] = [] if DECODER.is_dir() else ["status of 404.*/vendor/"]
    yield theatre
    for context in theatre.browser.contexts:
        context.close()
    assert not theatre.problems, "\n".join(theatre.problems)
