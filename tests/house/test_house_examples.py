"""Are the examples in docstrings true?"""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.house.files import modules, name

WITH_EXAMPLES = [name(path) for path in modules() if ">>>" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES)
def test_examples_are_true(path: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
