"""Does every module of the plans have a test here, and does the document say so?"""

from __future__ import annotations

from tests.plans import table
from tests.plans.modules import PLANS


def test_every_module_has_a_test() -> None:
    missing = {module for modules in PLANS.values() for module in modules} - set(table.covered())
    assert not missing, f"no test for {sorted(missing)}"


def test_every_mark_names_a_module() -> None:
    known = {module for modules in PLANS.values() for module in modules}
    assert set(table.covered()) <= known


def test_the_document_holds_the_table_as_it_is_now() -> None:
    document = table.DOCUMENT.read_text()
    assert table.BEGIN in document
    assert table.written(document) == document, "run: python -m tests.plans.table"
