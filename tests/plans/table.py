"""The table in docs/conformance.md, written by `python -m tests.plans.table`: which test stands for which module?"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.plans.modules import PLANS

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parent.parent / "docs" / "conformance.md"
BEGIN, END = "<!-- modules: made by tests/plans/table.py -->", "<!-- end of modules -->"


def covered() -> Mapping[str, tuple[str, ...]]:
    """The names of the tests marked with each module's name."""
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        for test, module in _marks(ast.parse(path.read_text())):
            found.setdefault(module, []).append(f"{path.stem}::{test}")
    return {module: tuple(tests) for module, tests in found.items()}


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.module":
                yield from ((node.name, str(ast.literal_eval(argument))) for argument in mark.args)


def table() -> str:
    """The section between the two marks."""
    tests, lines = covered(), [BEGIN]
    for plan, modules in PLANS.items():
        lines += ["", f"**{plan}** ({len(modules)} modules)", "", "| module | our test |", "|---|---|"]
        lines += [f"| {module} | {', '.join(f'`{test}`' for test in tests.get(module, ()))} |" for module in modules]
    return "\n".join([*lines, "", END])


def written(document: str) -> str:
    """The document with the section as it should be now."""
    before, _, rest = document.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
    sys.exit(0)
