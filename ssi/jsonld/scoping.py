"""Which context holds inside this object? The one around it, its own, its property's and its types' (API §5.1.2)."""

from __future__ import annotations

from collections.abc import Mapping

from ssi.encoding import Json
from ssi.jsonld.limits import Budget
from ssi.jsonld.processing import embedded, of_property, of_types
from ssi.jsonld.terms import ABSENT, Active, Term


def keyed(element: Mapping[str, Json], active: Active, keyword: str) -> str | None:
    """The name in an object that is or stands for a keyword; None where there is none."""
    for name in active.keywords[keyword]:
        if name in element:
            return name
    return None


def entered(element: Mapping[str, Json], active: Active, term: Term | None, *, budget: Budget) -> Active:
    """What holds inside an object before its types are looked at (steps 7 to 9). `term`: whose value the object is."""
    if (
        active.previous is not None
        and not keyed(element, active, "@value")
        and not (len(element) == 1 and keyed(element, active, "@id"))
    ):
        active = active.previous
    if term is not None and term.scoped is not ABSENT:
        active = of_property(active, term, budget=budget)
    return embedded(active, element["@context"], budget=budget) if "@context" in element else active


def typed(element: Mapping[str, Json], active: Active, *, budget: Budget) -> Active:
    """What holds for the members of a node object, given what holds before its types are looked at (step 11)."""
    types: list[str] = []
    for name in active.keywords["@type"]:
        if name in element:
            value = element[name]
            types += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
    return of_types(active, types, budget=budget) if types else active
