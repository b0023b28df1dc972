"""Can everybody use this page? Rules of our own, axe-core where set-up could bring it, and a walk by keyboard."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / ".venv" / "axe" / "axe.min.js"

_OWN = """() => {
  const found = [], seen = (element) => element.checkVisibility();
  const count = (selector, least, most) => {
    const number = [...document.querySelectorAll(selector)].filter(seen).length;
    if (number < least || number > most) found.push(`${number} visible ${selector}`);
  };
  count("h1", 1, 1); count("main", 1, 1); count("header", 1, 1); count("footer", 1, 1); count("nav", 0, 3);
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!input.labels?.length && !input.getAttribute("aria-label")) found.push(`no label: ${input.outerHTML}`);
  }
  const named = (one) => one.innerText.trim() || one.getAttribute("aria-label");
  for (const one of document.querySelectorAll("button, a[href]")) {
    if (seen(one) && !named(one)) found.push(`no name: ${one.outerHTML}`);
  }
  const targets = "button, a.button, nav a, input[type=radio], input[type=checkbox], summary";
  for (const one of document.querySelectorAll(targets)) {
    const { width, height } = (one.closest("label") ?? one).getBoundingClientRect();
    if (seen(one) && (width < 24 || height < 24)) {
      found.push(`small target, ${Math.round(width)} by ${Math.round(height)}: ${one.outerHTML.slice(0, 120)}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) found.push(`id twice: ${id}`);
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    if (!seen(heading)) continue;
    const next = Number(heading.tagName[1]);
    if (next > level + 1) found.push(`from h${level} to h${next}: ${heading.textContent.trim()}`);
    level = next;
  }
  for (const one of document.querySelectorAll("[style]:not([style='']), [onclick], script:not([src])")) {
    found.push(`style or script in the markup: ${one.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""
_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  return wide.slice(0, 3).map((one) => `scrolls sideways at ${width} px: ${one.outerHTML.slice(0, 140)}`);
}"""
_FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    tag: one.tagName, name: (one.innerText || one.getAttribute("aria-label") || one.name || one.value || "").trim(),
    shown: outline || style.boxShadow !== "none",
    covered: middle !== null && !one.contains(middle) && !middle.contains(one) && !one.labels?.[0]?.contains(middle),
  };
}"""


@lru_cache(maxsize=1)
def _axe() -> str | None:
    return AXE.read_text("utf-8") if AXE.is_file() else None


def examine(page: Page) -> list[str]:
    """Everything on the page that stands in somebody's way."""
    return [*page.evaluate(_OWN), *_violations(page, {})]


def contrast(page: Page) -> list[str]:
    """Text that is hard to tell from what is behind it, in the page's present colours."""
    return _violations(page, {"runOnly": ["color-contrast"]})


def sideways(page: Page) -> list[str]:
    """What makes the page scroll in two directions."""
    return list(page.evaluate(_WIDE))


def focus(page: Page) -> dict[str, Any]:
    """Where the keyboard is: the element's tag and name, whether that can be seen, and whether something covers it."""
    return dict(page.evaluate(_FOCUS))


def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe-core finds; nothing where set-up could not bring it."""
    source = _axe()
    if source is None:
        return []
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(source)
    result = page.evaluate("(options) => axe.run(document, {resultTypes: ['violations'], ...options})", options)
    return [
        f"axe {violation['id']} ({violation['impact']}): {node['html'][:160]} {_why(node)}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks)[:200]
