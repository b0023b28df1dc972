"""Are documents whole: links that lead somewhere, decisions with their price, flags as the commands have them?"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from service import cli
from service.settings import COMMON, PORTS, Option
from tests.house.files import ROOT, committed, name

DOCUMENTS = [path for path in committed() if path.suffix == ".md"]
ROLES = {"issuer": "wallet.issuer", "wallet": "wallet.holder", "verifier": "verifier"}
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_and_pictures_lead_to_files(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.S)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not t.startswith("mailto:") and not (path.parent / t).exists()]
    assert missing == []


def test_the_readme_gives_the_two_commands_and_a_picture() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text
    assert re.search(r"!\[[^\]]+\]\([^)]+\)|<img [^>]*alt=", text)


def test_decisions_are_numbered_without_gaps_and_name_their_price() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        text = path.read_text("utf-8")
        assert re.match(rf"# {int(path.name[:4])}\. \S", text), path.name
        for part in ("## Decision", "## Consequences"):
            assert part in text, f"{path.name} has no {part}"
        assert re.search(r"^- (Bad|Price):", text, re.M), f"{path.name} names no negative consequence"


def test_decisions_mentioned_in_code_exist() -> None:
    numbers = {path.name[:4] for path in DECISIONS}
    for path in committed():
        for number in re.findall(r"docs/adr/(\d{4})", path.read_text("utf-8", "replace")):
            assert number in numbers, f"{name(path)} mentions docs/adr/{number}"


def row(option: Option, role: str) -> str:
    """How the guide shows one setting."""
    default = f" Default: `{option.default}`." if option.default is not None else ""
    meaning = option.help.replace("|", "/").replace("<", "&lt;").replace(">", "&gt;")
    return f"| `--{option.name}` | `{option.variable(role)}` | {meaning}{default} |"


def guide() -> str:
    return (ROOT / "docs" / "operating.md").read_text("utf-8")


def test_the_operating_guide_has_every_common_setting() -> None:
    rows = [row(option, "<ROLE>") for option in COMMON]
    missing = [line for line in rows if line not in guide()]
    assert not missing, "docs/operating.md lacks:\n" + "\n".join(missing)


@pytest.mark.parametrize("role", PORTS)
def test_the_operating_guide_has_every_setting_of_a_role_and_no_other(role: str) -> None:
    options: tuple[Option, ...] = importlib.import_module(f"{ROLES[role]}.settings").OPTIONS
    rows = [row(option, role) for option in options]
    shown = re.findall(rf"^\| `--[a-z-]+` \| `FACET_{role.upper()}_.*$", guide(), re.M)
    assert shown == rows, "docs/operating.md should say:\n" + "\n".join(rows)


@pytest.mark.parametrize("role", PORTS)
def test_serve_takes_every_setting_as_a_flag(role: str) -> None:
    options: tuple[Option, ...] = importlib.import_module(f"{ROLES[role]}.settings").OPTIONS
    main: cli.Group = importlib.import_module(f"{ROLES[role]}.cli").main
    result = CliRunner().invoke(main, ["serve", "--help"])
    assert result.exit_code == 0
    flags = set(re.findall(r"^\s+--([a-z-]+)", result.stdout, re.M)) - {"help"}
    assert flags == {option.name for option in COMMON + options}


@pytest.mark.parametrize("role", PORTS)
def test_the_operating_guide_names_only_commands_that_exist(role: str) -> None:
    main: click.Group = importlib.import_module(f"{ROLES[role]}.cli").main
    for line in re.findall(rf"facet-{role} ([a-z][a-z -]*)", guide()):
        command: click.Command = main
        for word in line.split():
            if not isinstance(command, click.Group) or word.startswith("-"):
                break
            assert word in command.commands, f"facet-{role} {line}"
            command = command.commands[word]


def test_the_changelog_has_the_current_version() -> None:
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version
    assert f"## {version.group(1)}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_licence_is_there_in_full() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
