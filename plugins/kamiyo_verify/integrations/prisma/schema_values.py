"""Values that PostgreSQL computes: what is known of them, how a type keeps them, and how two compare."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final


class _Unknown:
    """Whether it is null, and its value, cannot be told."""


class _NotNull:
    """It has a value, which cannot be told."""


UNKNOWN: Final = _Unknown()
NOT_NULL: Final = _NotNull()
Value = object
"""None for null, a bool, int, Decimal or str, or one of the two above."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WHOLE = frozenset({"int2", "int4", "int8", "numeric"})
# A text that becomes one of these may be written otherwise or refused; an enum keeps it.
_CHANGING = frozenset(
    {
        *("json", "jsonb", "citext", "uuid", "date", "timestamp", "timestamptz", "time", "timetz"),
        *("interval", "inet", "cidr", "macaddr", "bytea", "bit", "varbit", "xml", "numeric", "oid", "name"),
        *("money", "bool", "int2", "int4", "int8", "float4", "float8", "ltree", "hstore", "tsvector"),
        *("tsquery", "bpchar"),
    }
)


def as_type(value: Value, type_name: Any, *, assigned: bool) -> Value:
    """A value as a type keeps it.

    Args:
        value: what is converted.
        type_name: a TypeName of PostgreSQL's grammar.
        assigned: to a column, which refuses a text that is too long; a cast cuts it off.
    """
    if value is None or value is UNKNOWN:
        return value
    name = type_name.names[-1].string.sval
    if type_name.array_bounds:
        return NOT_NULL
    if isinstance(value, str):
        return value if name not in _CHANGING and (assigned or not type_name.typmods) else NOT_NULL
    if isinstance(value, bool):
        return value if name == "bool" else NOT_NULL
    if isinstance(value, (int, Decimal)):
        whole = value == int(value) and name in _WHOLE
        return value if whole or (name == "numeric" and not type_name.typmods) else NOT_NULL
    return NOT_NULL


def compared(name: str, left: Value, right: Value) -> Value:
    """The outcome of a comparison of two values that are not null."""
    numbers = all(isinstance(side, (int, Decimal)) and not isinstance(side, bool) for side in (left, right))
    # Which text is the greater one depends on the collation.
    equal = type(left) is type(right) and isinstance(left, (str, bool)) and name in {"=", "<>"}
    return _COMPARISONS[name](left, right) if name in _COMPARISONS and (numbers or equal) else UNKNOWN


def all_of(values: list[Value]) -> Value:
    """AND, with SQL's three values."""
    if any(value is False for value in values):
        return False
    if all(value is True or value is None for value in values):
        return None if any(value is None for value in values) else True
    return UNKNOWN


def negated(value: Value) -> Value:
    """NOT, with SQL's three values."""
    return not value if isinstance(value, bool) else None if value is None else UNKNOWN
