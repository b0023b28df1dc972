"""Patterns: does a text match a regular expression that a stranger wrote, without ever taking long over it?

Python's `re` tries alternatives one after the other, so that `(a+)+$` takes a year over a line of a's. Here a pattern
becomes an automaton of positions (Glushkov's) that reads each character once. What cannot be such an automaton is
refused: back references, look-around and word boundaries, and what has too many positions. The syntax is that of
ECMA-262 as far as JSON Schema recommends it (Core §6.4), and as with JSON Schema a match may be anywhere in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from ssi.errors import Unsupported

MAX_LENGTH: Final = 512
MAX_POSITIONS: Final = 256
MAX_NESTING: Final = 16
_BEGIN: Final = "^"
_END: Final = "$"
_QUANTIFIER = re.compile(r"(?:([*+?])|\{([0-9]{1,4})(,?)([0-9]{1,4})?\})\??")
_CLASS = re.compile(r"\[\^?(?:[^\]\\]|\\.)+\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[dDwWsStnrfv]|x[0-9A-Fa-f]{2}|u(?![dD][89A-Fa-f])[0-9A-Fa-f]{4}|[^A-Za-z0-9])", re.DOTALL)
_UNSAFE_IN_CLASS = re.compile(r"(?<!\\)((?:\\\\)*)([\[&~|])(?!\])")


class _Node(NamedTuple):
    """A part of a pattern: "atom" (its text), "seq", "alt" (of parts), or "repeat" (one part, at least, at most)."""

    kind: str
    text: str = ""
    parts: tuple[_Node, ...] = ()
    least: int = 0
    most: int | None = None


class _Fragment(NamedTuple):
    """A part as sets of positions (bits): those it can begin with and end with, and whether it can be empty."""

    first: int
    last: int
    empty: bool


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern. `atoms` is what each position matches, `follow` what can come after it."""

    whole: _Fragment
    atoms: tuple[str, ...]
    follow: tuple[int, ...]
    _tests: dict[str, int] = field(repr=False, compare=False)

    def search(self, text: str, *, spend: Callable[[int], None]) -> bool:
        """Does the pattern match anywhere in the text? `spend` is told of each piece of work, and may raise."""
        if self.whole.empty:
            return True
        reached: dict[int, int] = {}  # from a set of positions to the one that can follow
        at: dict[str, int] = {}
        active = 0
        for character in (_BEGIN + "\0", *text, _END + "\0"):
            if active not in reached:
                reached[active] = self._after(active, spend)
            if character not in at:
                at[character] = self._matching(character, spend)
            spend(1)
            active = reached[active] & at[character]
            if active & self.whole.last:
                return True
        return False

    def _after(self, active: int, spend: Callable[[int], None]) -> int:
        after = self.whole.first  # a match may begin anywhere
        while active:
            spend(1)
            lowest = active & -active
            after |= self.follow[lowest.bit_length() - 1]
            active ^= lowest
        return after

    def _matching(self, character: str, spend: Callable[[int], None]) -> int:
        found = 0
        for atom, positions in self._tests.items():
            spend(1)
            if atom in (_BEGIN, _END):
                found |= positions if character == atom + "\0" else 0
            elif len(character) == 1 and _atom(atom).fullmatch(character):
                found |= positions
        return found


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """Compile a pattern. Raises Unsupported (`vcdm.pattern`) for what cannot be matched in bounded time."""
    if len(pattern) > MAX_LENGTH:
        raise _refusal()
    reader = _Reader(pattern)
    node = reader.alternatives(0)
    if reader.at != len(pattern):
        raise _refusal()
    builder = _Builder()
    whole = builder.build(node)
    tests: dict[str, int] = {}
    for position, atom in enumerate(builder.atoms):
        tests[atom] = tests.get(atom, 0) | 1 << position
    _refuse_repeated_anchors(builder.follow, tests.get(_BEGIN, 0), tests.get(_END, 0))
    return Pattern(whole, tuple(builder.atoms), tuple(builder.follow), tests)


def _refuse_repeated_anchors(follow: list[int], begins: int, ends: int) -> None:
    """Two anchors at one place (`^^`, `$$`, `$^`) would each need a symbol of their own in the text."""
    for position, after in enumerate(follow):
        if (begins >> position & 1 and after & begins) or (ends >> position & 1 and after & (begins | ends)):
            raise _refusal()


def _refusal() -> Unsupported:
    return Unsupported("vcdm.pattern", "The schema has a pattern that is too long, wrong, or not matched here.")


@lru_cache(maxsize=1024)
def _atom(text: str) -> re.Pattern[str]:
    """What one position matches: one character, by a class, an escape or itself."""
    if text == ".":
        text = "[^\n\r\u2028\u2029]"
    elif text[0] == "[":
        text = "[" + _UNSAFE_IN_CLASS.sub(r"\1\\\2", text[1:-1]) + "]"
    elif len(text) == 1:
        text = re.escape(text)
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError):
        raise _refusal() from None


class _Reader:
    """Reads a pattern from left to right into nodes."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self, depth: int) -> _Node:
        """`a|b|c`, up to a closing parenthesis or the end."""
        if depth > MAX_NESTING:
            raise _refusal()
        parts = [self._sequence(depth)]
        while self._take("|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else _Node("alt", parts=tuple(parts))

    def _sequence(self, depth: int) -> _Node:
        parts = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self._quantified(self._one(depth)))
        return _Node("seq", parts=tuple(parts))

    def _one(self, depth: int) -> _Node:
        if self._take("("):
            if not self._take("?:") and self.pattern[self.at : self.at + 1] == "?":
                raise _refusal()  # look-around, named groups, flags
            inner = self.alternatives(depth + 1)
            if not self._take(")"):
                raise _refusal()
            return inner
        character = self.pattern[self.at]
        rule = {"[": _CLASS, "\\": _ESCAPE}.get(character)
        match = rule.match(self.pattern, self.at) if rule is not None else None
        text = match[0] if match is not None else character
        if (match is None and rule is not None) or character in "*+?{":
            raise _refusal()
        self.at += len(text)
        if text not in (_BEGIN, _END):
            _atom(text)
        return _Node("atom", text)

    def _quantified(self, node: _Node) -> _Node:
        match = _QUANTIFIER.match(self.pattern, self.at)
        if match is None:
            return node
        self.at = match.end()
        if match[1]:
            return _Node("repeat", parts=(node,), least=int(match[1] == "+"), most=1 if match[1] == "?" else None)
        least = int(match[2])
        most = int(match[4]) if match[4] else (None if match[3] else least)
        if (match[4] and not match[3]) or (most is not None and most < least) or node.text in (_BEGIN, _END):
            raise _refusal()
        return _Node("repeat", parts=(node,), least=least, most=most)

    def _take(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found


class _Builder:
    """Turns nodes into positions and what can follow each."""

    def __init__(self) -> None:
        self.atoms: list[str] = []
        self.follow: list[int] = []

    def build(self, node: _Node) -> _Fragment:
        """The fragment of a node; counted repetitions are written out."""
        if node.kind == "atom":
            if len(self.atoms) >= MAX_POSITIONS:
                raise _refusal()
            self.atoms.append(node.text)
            self.follow.append(0)
            bit = 1 << (len(self.atoms) - 1)
            return _Fragment(bit, bit, empty=False)
        if node.kind == "alt":
            return _union([self.build(part) for part in node.parts])
        if node.kind == "seq":
            return self._join([self.build(part) for part in node.parts])
        return self._repeated(node)

    def _repeated(self, node: _Node) -> _Fragment:
        copies = max(node.least, 1 if node.most is None else node.most)
        if copies > MAX_POSITIONS:
            raise _refusal()
        made = []
        for index in range(copies):
            one = self.build(node.parts[0])
            if node.most is None and index == copies - 1:
                self._link(one.last, one.first)
            made.append(one._replace(empty=one.empty or index >= node.least))
        return self._join(made)

    def _join(self, parts: list[_Fragment]) -> _Fragment:
        whole = _Fragment(0, 0, empty=True)
        for part in parts:
            self._link(whole.last, part.first)
            first = whole.first | part.first if whole.empty else whole.first
            last = whole.last | part.last if part.empty else part.last
            whole = _Fragment(first, last, whole.empty and part.empty)
        return whole

    def _link(self, ends: int, begins: int) -> None:
        while ends:
            lowest = ends & -ends
            self.follow[lowest.bit_length() - 1] |= begins
            ends ^= lowest


def _union(parts: list[_Fragment]) -> _Fragment:
    first = last = 0
    for part in parts:
        first, last = first | part.first, last | part.last
    return _Fragment(first, last, any(part.empty for part in parts))
