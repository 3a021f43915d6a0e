"""Values of expressions in a row that older code writes: of defaults and of checks.

Only what follows from SQL's rules for null and from constants is known. Everything else is `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_values import (
    NOT_NULL,
    UNKNOWN,
    Value,
    all_of,
    as_type,
    compared,
    negated,
)

_STRICT = frozenset(
    {
        *("timezone", "date_trunc", "md5", "sha256", "lower", "upper", "trim", "btrim", "length", "replace"),
        *("left", "floor", "ceil", "round", "abs", "to_timestamp", "split_part", "encode"),
    }
)
"""Functions that answer null if one argument is null, and else a value."""

_OFTEN_NULL = frozenset({"substring", "to_char"})
"""Functions that answer null if one argument is null, and at other times too."""

_NEVER_NULL = frozenset(
    {
        *("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "random", "nextval"),
        *("gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "version", "concat"),
        *("json_build_object", "jsonb_build_object"),
    }
)


def value_of(expression: Any, row: Mapping[str, Value]) -> Value:
    """The value of an expression.

    Args:
        expression: a node of PostgreSQL's grammar.
        row: the columns whose values are known; others are `UNKNOWN`.
    """
    kind = expression.WhichOneof("node")
    read = _READERS.get(kind or "")
    return read(getattr(expression, kind), row) if read else UNKNOWN


def _constant(node: Any, _row: Mapping[str, Value]) -> Value:
    if node.isnull:
        return None
    match node.WhichOneof("val"):
        case "ival":
            return int(node.ival.ival)
        case "fval":
            return Decimal(node.fval.fval)
        case "boolval":
            return bool(node.boolval.boolval)
        case "sval":
            return str(node.sval.sval)
        case _:
            return NOT_NULL


def _column(node: Any, row: Mapping[str, Value]) -> Value:
    return row.get(node.fields[-1].string.sval, UNKNOWN) if node.fields else UNKNOWN


def _cast(node: Any, row: Mapping[str, Value]) -> Value:
    return as_type(value_of(node.arg, row), node.type_name, assigned=False)


def _operation(node: Any, row: Mapping[str, Value]) -> Value:
    left = value_of(node.lexpr, row)
    name = "".join(part.string.sval for part in node.name)
    if node.kind in {pg.AEXPR_IN, pg.AEXPR_OP_ANY} and name == "=":
        return _among(left, node.rexpr, row)
    if node.kind in {pg.AEXPR_IN, pg.AEXPR_OP_ANY, pg.AEXPR_OP_ALL}:
        elements = _elements(node.rexpr)
        return None if left is None and elements else UNKNOWN
    if node.kind in {pg.AEXPR_BETWEEN, pg.AEXPR_NOT_BETWEEN, pg.AEXPR_BETWEEN_SYM, pg.AEXPR_NOT_BETWEEN_SYM}:
        return _between(left, node, row)
    if node.kind == pg.AEXPR_NULLIF:
        return None if left is None else UNKNOWN
    right = value_of(node.rexpr, row)
    if node.kind in {pg.AEXPR_LIKE, pg.AEXPR_ILIKE, pg.AEXPR_SIMILAR}:
        return None if left is None or right is None else UNKNOWN
    sides = [right] if not node.HasField("lexpr") else [left, right]
    if node.kind != pg.AEXPR_OP or any(side is UNKNOWN for side in sides):
        return UNKNOWN
    if any(side is None for side in sides):
        # This operator takes a null array for an empty one.
        return UNKNOWN if name == "||" else None
    return NOT_NULL if name in {"+", "-", "*", "/", "%", "||"} else compared(name, left, right)


def _elements(node: Any) -> list[Any]:
    match node.WhichOneof("node"):
        case "list":
            return [*node.list.items]
        case "a_array_expr":
            return [*node.a_array_expr.elements]
        case "type_cast":
            return _elements(node.type_cast.arg)
        case _:
            return []


def _among(left: Value, candidates: Any, row: Mapping[str, Value]) -> Value:
    elements = _elements(candidates)
    if left is None and elements:
        return None
    if any(compared("=", left, value_of(each, row)) is True for each in elements):
        return True
    return UNKNOWN


def _between(left: Value, node: Any, row: Mapping[str, Value]) -> Value:
    if left is None:
        return None
    bounds = [value_of(each, row) for each in _elements(node.rexpr)]
    if node.kind != pg.AEXPR_BETWEEN or len(bounds) != 2:
        return UNKNOWN
    return all_of([compared(">=", left, bounds[0]), compared("<=", left, bounds[1])])


def _logical(node: Any, row: Mapping[str, Value]) -> Value:
    values = [value_of(each, row) for each in node.args]
    if node.boolop == pg.AND_EXPR:
        return all_of(values)
    if node.boolop == pg.OR_EXPR:
        return negated(all_of([negated(value) for value in values]))
    return negated(values[0])


def _null_test(node: Any, row: Mapping[str, Value]) -> Value:
    value = value_of(node.arg, row)
    if value is UNKNOWN:
        return UNKNOWN
    return (value is None) == (node.nulltesttype == pg.IS_NULL)


def _boolean_test(node: Any, row: Mapping[str, Value]) -> Value:
    value = value_of(node.arg, row)
    if value is not None and not isinstance(value, bool):
        return UNKNOWN
    wanted: dict[int, tuple[bool | None, bool]] = {
        pg.IS_TRUE: (True, True),
        pg.IS_NOT_TRUE: (True, False),
        pg.IS_FALSE: (False, True),
        pg.IS_NOT_FALSE: (False, False),
        pg.IS_UNKNOWN: (None, True),
        pg.IS_NOT_UNKNOWN: (None, False),
    }
    sought, same = wanted[node.booltesttype]
    return (value is sought) == same


def _call(node: Any, row: Mapping[str, Value]) -> Value:
    name = node.funcname[-1].string.sval.lower() if node.funcname else ""
    if name in _NEVER_NULL:
        return NOT_NULL
    values = [value_of(each, row) for each in node.args]
    if name not in _STRICT | _OFTEN_NULL or any(value is UNKNOWN for value in values):
        return UNKNOWN
    if any(value is None for value in values):
        return None
    by_place = name == "substring" and all(isinstance(value, int) for value in values[1:])
    return NOT_NULL if name in _STRICT or by_place else UNKNOWN


def _first_known(node: Any, row: Mapping[str, Value]) -> Value:
    """COALESCE: its value is known if that of the first that is not null is."""
    for each in node.args:
        value = value_of(each, row)
        if value is not None:
            return value
    return None


_READERS: dict[str, Callable[[Any, Mapping[str, Value]], Value]] = {
    "a_const": _constant,
    "column_ref": _column,
    "type_cast": _cast,
    "a_expr": _operation,
    "bool_expr": _logical,
    "null_test": _null_test,
    "boolean_test": _boolean_test,
    "func_call": _call,
    "coalesce_expr": _first_known,
    "sqlvalue_function": lambda _node, _row: NOT_NULL,
    "a_array_expr": lambda _node, _row: NOT_NULL,
    "collate_clause": lambda node, row: value_of(node.arg, row),
}
