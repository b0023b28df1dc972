"""Documents that ask much of JSON-LD: blank nodes that look alike, depth, width, and contexts of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fuzz.hostile.making import V2, credential, nested


def _complete(count: int, salt: int) -> list[Any]:
    """A graph in which every node knows every other one, and none has a name that lasts."""
    names = [f"_:n{salt}x{number}" for number in range(count)]
    return [{"id": name, "knows": [{"id": other} for other in names if other != name]} for name in names]


def _ring(count: int, salt: int, *, steps: tuple[int, ...] = (1,)) -> list[Any]:
    def name(number: int) -> dict[str, str]:
        return {"id": f"_:r{salt}x{number % count}"}

    return [{**name(number), "next": [name(number + step) for step in steps]} for number in range(count)]


def _terms(count: int, salt: int, **definition: Any) -> dict[str, Any]:
    return {f"t{salt}x{number}": {"@id": f"urn:t:{number}", **definition} for number in range(count)}


def bombs(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents that ask much of JSON-LD."""
    for count in (5, 8, 12, 30, 40):
        yield f"complete-{count}", credential(salt, subject=_complete(count, salt))
    for count in (50, 100, 400, 600):
        yield f"ring-{count}", credential(salt, subject=_ring(count, salt))
    for count, steps in ((60, (1, 2)), (100, (1, 7)), (64, (1, 2, 4)), (300, (1, 299))):
        yield f"ring-{count}-{len(steps)}", credential(salt, subject=_ring(count, salt, steps=steps))
    pairs = [{"a": {"b": {"name": "x"}}} for _ in range(450)]
    yield "alike", credential(salt, subject=pairs)
    yield "alike-empty", credential(salt, subject=[{"a": {"type": "X"}} for _ in range(640)])
    yield (
        "alike-star",
        credential(salt, subject={"id": "_:hub", "to": [{"from": {"id": "_:hub"}} for _ in range(640)]}),
    )
    yield "rings-of-4", credential(salt, subject=[n for part in range(120) for n in _ring(4, salt * 1000 + part)])
    yield "deep", credential(salt, subject=nested(28, "x"))
    yield "too-deep", credential(salt, subject=nested(300, "x"))
    yield "wide", credential(salt, subject={f"m{salt}x{number}": "x" for number in range(1900)})
    yield "wide-numbers", credential(salt, subject={f"m{salt}x{number}": number / 7 for number in range(1900)})
    yield "set", credential(salt, subject={"m": [f"{salt}x{number}" for number in range(1900)]})
    yield "types", credential(salt, subject={"type": [f"T{salt}x{number}" for number in range(1900)]})
    yield "text", credential(salt, subject={"m": '\\\u2028"\n' * 200_000})
    yield "texts", credential(salt, subject={"m": [f"{number}" * 100 for number in range(1800)]})
    yield "integer", credential(salt, subject={"m": 10**300})
    yield "ids", credential(salt, subject=[{"id": f"urn:{salt}:{number}", "n": "x"} for number in range(900)])
    yield "id", credential(salt, subject={"id": "urn:" + "a" * 900_000})
    listed = {"list": {"@id": "urn:list", "@container": "@list"}}
    yield "list", credential(salt, listed, subject={"list": list(range(1900))})
    yield "lists", credential(salt, listed, subject={"list": [[[n]] for n in range(600)]})
    literal = {"j": {"@id": "urn:j", "@type": "@json"}}
    yield "json-literal", credential(salt, literal, subject={"j": [n / 3 for n in range(1900)]})
    yield "json-literal-keys", credential(salt, literal, subject={"j": {chr(40_000 - n): n for n in range(1900)}})
    graph = {"g": {"@id": "urn:g", "@container": "@graph"}}
    yield "graphs", credential(salt, graph, subject={"g": [{"n": "x"} for _ in range(900)]})
    yield from _contextbombs(salt)


def _contextbombs(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents that bring contexts of their own, each to be processed and none to be found in a memory."""
    large = [_terms(600, salt * 100 + number) for number in range(12)]
    yield "contexts", credential(salt, *large)
    yield "context-too-many", credential(salt, *({f"t{n}": "urn:t"} for n in range(4000)))
    yield "context-too-large", credential(salt, _terms(40_000, salt))
    own = [{"@context": {f"u{salt}x{number}": "urn:u"}, "n": "x"} for number in range(600)]
    yield "context-per-node", credential(salt, _terms(600, salt), subject=own)
    scoped = _terms(400, salt, **{"@context": {"q": "urn:q"}})
    typed = [{"type": name, "q": "x"} for name in scoped]
    yield "context-per-type", credential(salt, scoped, _terms(600, salt + 1), subject=typed)
    together = [{"type": [f"t{salt}x{n}", f"t{salt}x{n + 1}", f"t{salt}x{n + 2}"], "q": "x"} for n in range(380)]
    yield "context-per-types", credential(salt, scoped, _terms(600, salt + 1), subject=together)
    all_types = [{"type": [*scoped], "q": "x"}] * 4
    yield "context-all-types", credential(salt, scoped, _terms(600, salt + 1), subject=all_types)
    below = {name: {"q": "x"} for name in scoped}
    yield "context-per-property", credential(salt, scoped, _terms(600, salt + 1), subject=below)
    inner: dict[str, Any] = {"q": "urn:q"}
    for number in range(28):
        inner = {"p": {"@id": f"urn:p:{number}", "@context": inner}}
    value: Any = "x"
    for _ in range(26):
        value = {"p": value}
    yield "context-nested", credential(salt, inner, subject=value)
    heavy = {
        "p": {"@id": "urn:p", "@context": _terms(500, salt + 2)},
        "T": {"@id": "urn:T", "@context": {"y": "urn:y"}},
    }
    yield (
        "context-heavy-property",
        credential(salt, heavy, subject=[{"type": "T", "p": {"type": "T", "y": "x"}}] * 300),
    )
    chain = {f"c{number}": f"c{number + 1}:x" for number in range(900)} | {"c900": "urn:c"}
    yield "context-chain", credential(salt, chain)
    urls = [{"@context": V2, "type": "X"} for _ in range(600)]
    yield "context-known-per-node", credential(salt, subject=urls)
    languages = {"l": {"@id": "urn:l", "@container": "@language"}}
    yield "languages", credential(salt, languages, subject={"l": {f"a-{n}": "x" for n in range(1900)}})
