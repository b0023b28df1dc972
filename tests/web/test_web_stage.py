"""Would the browser tests notice? The watch that every one of them relies on, tried on faults made for it."""

from __future__ import annotations

import pytest

from tests.web import accessibility
from tests.web.stage import PHONE, Stage

pytestmark = pytest.mark.browser

INTRUDER = """async () => {
  const picture = document.createElement("img");
  picture.src = "https://example.org/pixel.png";
  document.body.append(picture);
  setTimeout(() => { throw new Error("planted"); });
  await new Promise((resolve) => setTimeout(resolve, 50));
}"""
BARRIERS = """() => {
  const main = document.querySelector("main");
  for (const tag of ["h1", "input", "button"]) main.append(document.createElement(tag));
  main.lastChild.className = "button";
  main.lastChild.style.marginLeft = "900px";
}"""


def test_the_watch_sees_what_pages_must_not_do(stage: Stage) -> None:
    page = stage.context(PHONE).new_page()
    page.goto(stage.town.urls["wallet"] + "/signup")
    assert stage.problems == []
    page.evaluate(INTRUDER)
    page.goto(stage.town.urls["wallet"] + "/nothing-here")
    said, stage.problems[:] = "\n".join(stage.problems), []
    for word in ("Content Security Policy", "example.org", "planted", "status of 404"):
        assert word in said, word


def test_the_rules_see_what_stands_in_somebodys_way(stage: Stage) -> None:
    page = stage.context(PHONE).new_page()
    page.goto(stage.town.urls["wallet"] + "/signup")
    assert accessibility.examine(page) + accessibility.sideways(page) == []
    page.evaluate(BARRIERS)
    said = "\n".join([*accessibility.examine(page), *accessibility.sideways(page)])
    for word in ("2 visible h1", "no label", "no name", "scrolls sideways"):
        assert word in said, word
    if accessibility.AXE.is_file():
        assert "axe button-name" in said
