"""What all tests share: the vectors' folder, the browser, and one line on what was left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
VECTORS = Path(os.environ.get("FACET_VECTORS", ROOT.parent / "shared" / "vectors"))

# Shared machines are slow at times: slowness alone never fails a property, and every run tries the same examples.
settings.register_profile(
    "facet", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("facet")


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of specification vectors, which live outside the repository."""
    if not VECTORS.is_dir():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    return VECTORS


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium")
    return path


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """One line for what a missing browser or missing vectors left out."""
    skipped = [str(report.longrepr[2]).lower() for report in terminalreporter.stats.get("skipped", [])]
    for what, word in (("specification vector tests", "vector"), ("browser tests", "chromium")):
        count = sum(word in reason for reason in skipped)
        if count:
            terminalreporter.write_line(f"Left out: {count} {what} (skipped; the reasons are above).")
