"""Is a base direction signed like everything else, and never dropped?"""

from __future__ import annotations

from typing import Any

import pytest

from ssi import jsonld
from ssi.errors import Malformed

I18N = "https://www.w3.org/ns/i18n#"


def document(**value: Any) -> dict[str, Any]:
    return {
        "@context": {"a": "https://x.test/a"},
        "@id": "urn:x:1",
        "a": {f"@{name}": each for name, each in value.items()},
    }


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        ({"value": "هوية", "language": "AR", "direction": "rtl"}, "ar_rtl"),
        ({"value": "identity", "language": "en-GB", "direction": "ltr"}, "en-gb_ltr"),
        ({"value": "x", "direction": "ltr"}, "_ltr"),
    ],
)
def test_a_direction_is_in_the_statement(value: dict[str, Any], datatype: str) -> None:
    (line,) = jsonld.to_quads(document(**value))
    assert line == f'<urn:x:1> <https://x.test/a> "{value["value"]}"^^<{I18N}{datatype}> .\n'
    turned = {**value, "direction": "ltr" if value["direction"] == "rtl" else "rtl"}
    assert jsonld.canonical(document(**turned)) != jsonld.canonical(document(**value))
    del turned["direction"]
    assert jsonld.canonical(document(**turned)) != jsonld.canonical(document(**value))


@pytest.mark.parametrize(
    "value",
    [
        {"value": "x", "direction": "up"},
        {"value": "x", "direction": None},
        {"value": 4, "direction": "ltr"},
        {"value": "x", "direction": "ltr", "type": "https://x.test/t"},
        {"value": "x", "direction": "ltr", "language": "no tag"},
        {"value": "x", "direction": "ltr", "language": None},
    ],
)
def test_other_directions_are_refused(value: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        jsonld.to_quads(document(**value))


def test_a_context_inside_a_context_is_the_context() -> None:
    inner = {"a": "https://x.test/a"}
    plain = {"@context": inner, "@id": "urn:x:1", "a": "x"}
    for context in ({"@context": inner}, [{"@context": inner}], [{"@context": [{"@context": inner}]}]):
        assert jsonld.to_quads({**plain, "@context": context}) == jsonld.to_quads(plain)
    with pytest.raises(Malformed):
        jsonld.to_quads({**plain, "@context": {"@context": inner, "b": "https://x.test/b"}})
