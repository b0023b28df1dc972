"""Metadata policy operators: what may stand together, how are two merged, and what do they do (§6.1.3)?

One table of the seven standard operators, in their order of application. A value that is no array where one belongs, or
a combination that is not allowed, is a policy error, and the whole chain is then invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from ssi.encoding import Json
from ssi.errors import Refused

ABSENT: Final = object()
"""A parameter that is not there: not the same as null."""

Policy = Mapping[str, Json]
"""The operators of one parameter, by name."""


def error(sentence: str) -> Refused:
    """A policy error (§6.1.4): the chain is invalid."""
    return Refused("trust.federation_policy", f"The federation's metadata policy cannot be met: {sentence}.")


def same(one: Json, other: Json) -> bool:
    """Equal as JSON: `true` is not 1, and the order of an object's members does not matter."""
    return type(one) is type(other) and _canonical(one) == _canonical(other)


def _canonical(value: Json) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError):
        raise error("a value cannot be compared") from None


def _key(value: Json) -> bytes:
    return type(value).__name__.encode() + _canonical(value)


def array(value: Json) -> list[Json]:
    """An array, each member once. Raises Refused (`trust.federation_policy`)."""
    if not isinstance(value, list):
        raise error("an array is missing")
    return list({_key(each): each for each in value}.values())


def _within(some: Json, all_of: Json) -> bool:
    return {_key(each) for each in array(some)} <= {_key(each) for each in array(all_of)}


def _among(value: Json, choices: Json) -> bool:
    return _key(value) in {_key(each) for each in array(choices)}


def _union(one: Json, other: Json) -> Json:
    return array([*array(one), *array(other)])


def _common(one: Json, other: Json) -> list[Json]:
    kept = {_key(each) for each in array(other)}
    return [each for each in array(one) if _key(each) in kept]


# --- merging two values of one operator (§6.1.3.1.x "Operator value merge") -------------------------------------------


def _equal(one: Json, other: Json) -> Json:
    if not same(one, other):
        raise error("two superiors set different values")
    return one


def _choices(one: Json, other: Json) -> Json:
    common = _common(one, other)
    if not common:
        raise error("two superiors leave no choice")
    return common


def _either(one: Json, other: Json) -> Json:
    return bool(one or other)


# --- what an operator does to a parameter ("Action") ------------------------------------------------------------------


def _value(parameter: Json, operand: Json) -> Json:
    return ABSENT if operand is None else operand


def _add(parameter: Json, operand: Json) -> Json:
    return array(operand) if parameter is ABSENT else _union(parameter, operand)


def _default(parameter: Json, operand: Json) -> Json:
    return operand if parameter is ABSENT else parameter


def _one_of(parameter: Json, operand: Json) -> Json:
    if parameter is not ABSENT and not _among(parameter, operand):
        raise error("a value is not one of those allowed")
    return parameter


def _subset_of(parameter: Json, operand: Json) -> Json:
    return parameter if parameter is ABSENT else _common(parameter, operand)


def _superset_of(parameter: Json, operand: Json) -> Json:
    if parameter is not ABSENT and not _within(operand, parameter):
        raise error("a value that must be there is not")
    return parameter


def _essential(parameter: Json, operand: Json) -> Json:
    if operand and parameter is ABSENT:
        raise error("a parameter that must be there is not")
    return parameter


# --- what operands may be ---------------------------------------------------------------------------------------------


def _anything(operand: Json) -> bool:
    return True


def _something(operand: Json) -> bool:
    return operand is not None


def _array_of_values(operand: Json) -> bool:
    return isinstance(operand, list) and not any(each is None for each in operand)


def _boolean(operand: Json) -> bool:
    return isinstance(operand, bool)


@dataclass(frozen=True)
class Operator:
    """A standard operator: may its operand be this, how are two merged, and what does it do to a parameter?"""

    name: str
    takes: Callable[[Json], bool]
    merge: Callable[[Json, Json], Json]
    apply: Callable[[Json, Json], Json]


OPERATORS: Final[tuple[Operator, ...]] = (
    Operator("value", _anything, _equal, _value),
    Operator("add", _array_of_values, _union, _add),
    Operator("default", _something, _equal, _default),
    Operator("one_of", _array_of_values, _choices, _one_of),
    Operator("subset_of", _array_of_values, _common, _subset_of),
    Operator("superset_of", _array_of_values, _union, _superset_of),
    Operator("essential", _boolean, _either, _essential),
)
"""The standard operators, in their order of application."""

NAMES: Final = frozenset(operator.name for operator in OPERATORS)


def _never(_one: Json, _other: Json) -> bool:
    return False


_Rule = tuple[str, str, Callable[[Json, Json], bool]]
_COMBINATIONS: Final[tuple[_Rule, ...]] = (
    ("value", "add", lambda value, add: value is not None and _within(add, value)),
    ("value", "default", lambda value, _default: value is not None),
    ("value", "one_of", _among),
    ("value", "subset_of", lambda value, subset: value is not None and _within(value, subset)),
    ("value", "superset_of", lambda value, superset: value is not None and _within(superset, value)),
    ("value", "essential", lambda value, essential: not (value is None and essential)),
    ("add", "one_of", _never),
    ("add", "subset_of", _within),
    ("one_of", "subset_of", _never),
    ("one_of", "superset_of", _never),
    ("subset_of", "superset_of", lambda subset, superset: _within(superset, subset)),
)
"""When two operators may stand together ("Combination with other operators"); pairs not named here always may."""


def combined(policy: Policy) -> Policy:
    """The policy, if its operators and their combination are allowed. Raises Refused (`trust.federation_policy`)."""
    for operator in OPERATORS:
        if operator.name in policy and not operator.takes(policy[operator.name]):
            raise error(f"{operator.name} has a value that it cannot have")
    for one, other, allowed in _COMBINATIONS:
        if one in policy and other in policy and not allowed(policy[one], policy[other]):
            raise error(f"{one} and {other} contradict each other")
    return policy


def merged(superior: Policy, subordinate: Policy) -> Policy:
    """Both policies at once, never less strict than either. Raises Refused (`trust.federation_policy`)."""
    found = dict(superior)
    for operator in OPERATORS:
        if operator.name in subordinate:
            below = subordinate[operator.name]
            found[operator.name] = operator.merge(found[operator.name], below) if operator.name in found else below
    return combined(found)


def applied(policy: Policy, parameter: Json) -> Json:
    """The parameter (or `ABSENT`) as the policy leaves it. Raises Refused (`trust.federation_policy`)."""
    for operator in OPERATORS:
        if operator.name in policy:
            parameter = operator.apply(parameter, policy[operator.name])
    return parameter
