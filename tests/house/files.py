"""Which files belong to the project: everything that is neither ignored nor made by a tool."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ssi", "biometrics", "wallet", "verifier", "service", "schemas")
_SKIPPED = {
    *(".git", ".venv", "build", "dist", "var", "__pycache__", "vendor", "node_modules"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache"),
}
_TEXT = {".py", ".md", ".toml", ".txt", ".sh", ".json", ".html", ".css", ".js", ".svg", ".yml", ".yaml", ""}


@cache
def committed() -> tuple[Path, ...]:
    """All text files of the project."""
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _SKIPPED or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix in _TEXT and not path.name.startswith(".coverage"):
            yield path


def modules(*packages: str) -> tuple[Path, ...]:
    """The Python files of some packages, or of all that are installed."""
    return tuple(path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


def name(path: Path) -> str:
    """A path as the project says it."""
    return path.relative_to(ROOT).as_posix()
