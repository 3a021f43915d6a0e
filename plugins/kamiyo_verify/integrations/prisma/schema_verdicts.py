"""Verdicts on a change for older code, and the parts of statements that decide them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_expressions import value_of
from kamiyo_verify.integrations.prisma.schema_state import MigrationState
from kamiyo_verify.integrations.prisma.schema_values import NOT_NULL, UNKNOWN, Value, as_type
from kamiyo_verify.model.migrations import Effect

Verdict = tuple[Effect, str]
Handler = Callable[[Any, MigrationState], Iterator[Verdict]]
"""Yields the verdicts on one statement, a message of PostgreSQL's grammar."""

HARMLESS: Verdict = (Effect.ADDITIVE, "older code does not notice")
UNREAD: Verdict = (Effect.UNKNOWN, "its effect cannot be read from the statement")


def breaks(why: str) -> Verdict:
    """Older code may fail after the change."""
    return Effect.DESTRUCTIVE, why


def unread(why: str) -> Verdict:
    """The effect cannot be determined from the statement."""
    return Effect.UNKNOWN, why


def always(verdict: Verdict) -> Handler:
    """A statement with the same verdict whatever its content."""

    def handle(_node: Any, _state: MigrationState) -> Iterator[Verdict]:
        yield verdict

    return handle


_WITHOUT_EFFECT = frozenset(
    {
        *("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timezone", "date_trunc"),
        *("gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "random", "nextval", "md5", "sha256"),
        *("lower", "upper", "trim", "btrim", "concat", "concat_ws", "length", "substring", "replace", "left"),
        *("count", "min", "max", "sum", "avg", "row_number", "array_agg", "string_agg", "coalesce", "unnest"),
        *("to_char", "to_timestamp", "to_tsvector", "jsonb_build_object", "json_build_object", "jsonb_agg"),
        *("floor", "ceil", "round", "abs", "greatest", "least", "generate_series", "version", "to_regclass"),
        *("current_setting", "pg_advisory_lock", "pg_advisory_unlock", "pg_advisory_xact_lock", "pg_sleep"),
        *("current_schema", "current_database", "array_length", "cardinality", "encode", "split_part"),
    }
)
"""Functions without side effects, which do not fail on ordinary rows."""


_ONCE = frozenset(
    {
        *("current_setting", "to_regclass", "pg_sleep", "pg_advisory_lock", "pg_advisory_unlock"),
        *("pg_advisory_xact_lock", "unnest", "generate_series"),
    }
)
"""Functions that a migration may call once, and that may fail or wait in the sessions of older code."""


def strange_in_writes(node: Any) -> str:
    """The name of a called function that may fail or do something in the writes of older code; "" if none."""
    return strange_function(node, _WITHOUT_EFFECT - _ONCE)


def strange_function(node: Any, known: Collection[str] = _WITHOUT_EFFECT) -> str:
    """The name of a called function whose effect is unknown; "" if there is none."""
    for call in postgast.find_nodes(node, pg.FuncCall):
        name = call.funcname[-1].string.sval if call.funcname else ""
        schema = call.funcname[0].string.sval if len(call.funcname) > 1 else "pg_catalog"
        if name.lower() not in known or schema not in {"pg_catalog", "public", "extensions"}:
            return name or "a function"
    return ""


def columns_in(node: Any) -> set[str]:
    """The columns that an expression names."""
    return {
        reference.fields[-1].string.sval
        for reference in postgast.find_nodes(node, pg.ColumnRef)
        if reference.fields
    }


def constraints_of(column: Any) -> Iterator[Any]:
    """The constraints written with a column."""
    for node in column.constraints:
        yield node.constraint


def is_serial(column: Any) -> bool:
    """Its type creates its own sequence."""
    names = [part.string.sval for part in column.type_name.names]
    return bool(names) and names[-1] in {
        "serial",
        "bigserial",
        "smallserial",
        "serial2",
        "serial4",
        "serial8",
    }


def value_left(column: Any) -> Value:
    """What a row written without the column has in it."""
    kinds = {constraint.contype: constraint for constraint in constraints_of(column)}
    if is_serial(column) or pg.CONSTR_IDENTITY in kinds:
        return NOT_NULL
    if pg.CONSTR_GENERATED in kinds:
        return UNKNOWN
    default = kinds.get(pg.CONSTR_DEFAULT)
    if default is None:
        return None
    return as_type(value_of(default.raw_expr, {}), column.type_name, assigned=True)


def refuses_null(column: Any) -> bool:
    """It must have a value."""
    kinds = {constraint.contype for constraint in constraints_of(column)}
    return bool(kinds & {pg.CONSTR_NOTNULL, pg.CONSTR_PRIMARY}) or is_serial(column)
