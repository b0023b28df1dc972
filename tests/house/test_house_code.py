"""Does the code keep the habits that no tool checks: sizes, frozen values, silence, reasons for exceptions?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.files import PACKAGES, ROOT, modules, name

LONGEST_FUNCTION = 50
LONGEST_FILE = 350
TREES = {path: ast.parse(path.read_text("utf-8")) for path in modules()}


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def test_files_answer_one_question_in_few_lines() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in TREES}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 150


def test_functions_are_short() -> None:
    lengths = {
        f"{name(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, node in functions()
    }
    assert {where: length for where, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    short = sum(length <= 25 for length in lengths.values())
    assert short >= 0.9 * len(lengths)


def test_values_are_frozen() -> None:
    loose = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(_is_loose(decorator) for decorator in node.decorator_list)
    ]
    assert loose == []


def _is_loose(decorator: ast.expr) -> bool:
    if isinstance(decorator, ast.Call):
        frozen = any(word.arg == "frozen" and ast.unparse(word.value) == "True" for word in decorator.keywords)
        return ast.unparse(decorator.func).split(".")[-1] == "dataclass" and not frozen
    return ast.unparse(decorator).split(".")[-1] == "dataclass"


def test_every_public_name_says_what_it_means() -> None:
    silent = []
    for path, tree in TREES.items():
        if not ast.get_docstring(tree):
            silent.append(name(path))
        silent += [f"{name(path)}:{node.lineno} {node.name}" for node in _public(tree) if not ast.get_docstring(node)]
    assert silent == []


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                members = (item for item in node.body if isinstance(item, ast.FunctionDef))
                yield from (item for item in members if not item.name.startswith("_"))


def test_no_assertions_and_no_broad_catches_in_the_product() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in _BROAD))
    ]
    assert found == []


_BROAD = {"Exception", "BaseException"}


@pytest.mark.parametrize("package", [*PACKAGES, "scripts"])
def test_every_silenced_rule_has_its_code_and_reason(package: str) -> None:
    bare = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in modules(package)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if ("# noqa" in line and not re.search(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)*\s+[(#]\s?\w", line))
        or ("# type: ignore" in line and not re.search(r"# type: ignore\[[\w, -]+\]\s+[(#]\s?\w", line))
    ]
    assert bare == []


def test_every_rule_ignored_in_pyproject_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    rules = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert rules
    assert [line for line in rules if not re.search(r"# \w+", line)] == []


def test_scripts_know_the_services_only_from_outside() -> None:
    roles = ("wallet", "verifier")
    for path in modules("scripts"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [module for module in imported if module.split(".")[0] in roles], name(path)


def test_pages_hold_no_inline_script_style_or_foreign_address() -> None:
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.html")):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", text), name(path)
        assert not re.search(r"(src|href)=[\"'](https?:)?//", text), name(path)
