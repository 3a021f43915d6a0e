"""Effect of `CREATE …` on older code, which does not use what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_expressions import value_of
from kamiyo_verify.integrations.prisma.schema_keys import unique_over
from kamiyo_verify.integrations.prisma.schema_rows import nested
from kamiyo_verify.integrations.prisma.schema_state import (
    IndexKind,
    MigrationState,
    Name,
    beside,
    dotted,
    table_name,
)
from kamiyo_verify.integrations.prisma.schema_tables import constraint_key
from kamiyo_verify.integrations.prisma.schema_values import Value
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    Handler,
    Verdict,
    constraints_of,
    strange_in_writes,
    unread,
)

_SAFE_OPERATORS = frozenset(
    {"->", "->>", "#>", "#>>", "=", "<>", "<", "<=", ">", ">=", "@>", "<@", "&&", "?", "||"}
)
# PostgreSQL lets an index cast to the latter two only what is a date or time already.
_SAFE_TYPES = frozenset({"text", "date", "timestamp"})


def _create_table(node: Any, state: MigrationState) -> Iterator[Verdict]:
    name = table_name(node.relation)
    parents = {table_name(parent.range_var) for parent in node.inh_relations}
    if any(not state.has_created("table", parent) for parent in parents):
        yield unread("older code meets its rows through the parent table")
        return
    if not node.if_not_exists:
        state.created.add(("table", name))
    for element in node.table_elts:
        match element.WhichOneof("node"):
            case "constraint":
                note_unique(element.constraint, name, state, certain=not node.if_not_exists)
            case "column_def":
                for constraint in constraints_of(element.column_def):
                    note_unique(constraint, name, state, certain=not node.if_not_exists)
            case _:
                pass
    yield HARMLESS


def note_unique(constraint: Any, table: Name, state: MigrationState, *, certain: bool = True) -> None:
    """Record a unique constraint, whose index has its name; uncertain if its table may have been there."""
    if constraint.conname and constraint.contype in {
        pg.CONSTR_UNIQUE,
        pg.CONSTR_PRIMARY,
        pg.CONSTR_EXCLUSION,
    }:
        state.catalogue.indexes[beside(table, constraint.conname)] = IndexKind.CONSTRAINT
        if certain:
            state.created.add(("constraint", constraint_key(table, constraint.conname)))


def _create_index(node: Any, state: MigrationState) -> Iterator[Verdict]:
    table = table_name(node.relation)
    name = beside(table, node.idxname)
    if node.idxname and not (node.if_not_exists and name in state.catalogue.indexes):
        state.catalogue.indexes[name] = IndexKind.UNIQUE if node.unique else IndexKind.PLAIN
    if not node.if_not_exists:
        state.created.add(("index", name))
    keys = [parameter.index_elem for parameter in node.index_params]
    computed = [*(key.expr for key in keys), node.where_clause]
    if state.has_created("table", table):
        yield HARMLESS
    elif node.unique:
        yield unique_over((key.name for key in keys), node.nulls_not_distinct, state.added_to(table))
    elif strange := next((found for each in computed if (found := strange_in_writes(each))), ""):
        yield unread(f"it calls {strange} in each write of older code")
    elif not all(_cannot_fail(each) for each in computed):
        yield unread("its expression is computed in each write of older code, and may fail there")
    else:
        yield HARMLESS


def _made(kind: str, name_of: Callable[[Any], Name]) -> Handler:
    """A new object that older code does not use."""

    def handle(node: Any, state: MigrationState) -> Iterator[Verdict]:
        # Types and domains have no IF NOT EXISTS.
        if not getattr(node, "if_not_exists", False):
            state.created.add((kind, name_of(node)))
        yield HARMLESS

    return handle


def _create_domain(node: Any, state: MigrationState) -> Iterator[Verdict]:
    name = dotted(node.domainname)
    state.created.add(("domain", name))
    constraints = [each.constraint for each in node.constraints]
    row = {"value": next((_default(each) for each in constraints if each.contype == pg.CONSTR_DEFAULT), None)}
    if any(_refuses(each, row) for each in constraints):
        state.catalogue.strict_domains.add(name)
    yield HARMLESS


def _default(constraint: Any) -> Value:
    return value_of(constraint.raw_expr, {})


def _refuses(constraint: Any, row: Mapping[str, Value]) -> bool:
    if constraint.contype == pg.CONSTR_NOTNULL:
        return row["value"] is None
    return constraint.contype == pg.CONSTR_CHECK and value_of(constraint.raw_expr, row) not in {None, True}


def _create_view(node: Any, state: MigrationState) -> Iterator[Verdict]:
    name = table_name(node.view)
    if node.replace and not state.has_created("view", name):
        yield unread("it replaces what older code may read")
        return
    state.created.add(("view", name))
    yield HARMLESS


def _create_table_as(node: Any, state: MigrationState) -> Iterator[Verdict]:
    kind = "materialized view" if node.objtype == pg.OBJECT_MATVIEW else "table"
    if not node.if_not_exists:
        state.created.add((kind, table_name(node.into.rel)))
    yield from nested(node.query, state)


def _cannot_fail(expression: Any) -> bool:
    """Whether PostgreSQL can compute it for every row: no casts of columns, and no arithmetic."""
    kind: str = expression.WhichOneof("node") or ""
    node: Any = getattr(expression, kind) if kind else None
    match kind:
        case "" | "column_ref" | "a_const" | "null_test" | "boolean_test":
            return True
        case "type_cast":
            return node.arg.WhichOneof("node") == "a_const" or (
                node.type_name.names[-1].string.sval in _SAFE_TYPES and _cannot_fail(node.arg)
            )
        case "a_expr":
            names = {part.string.sval for part in node.name}
            known = node.kind != pg.AEXPR_OP or names <= _SAFE_OPERATORS
            return known and _cannot_fail(node.lexpr) and _cannot_fail(node.rexpr)
        case "bool_expr" | "func_call" | "coalesce_expr" | "min_max_expr":
            return all(_cannot_fail(each) for each in node.args)
        case "list":
            return all(_cannot_fail(each) for each in node.items)
        case "a_array_expr":
            return all(_cannot_fail(each) for each in node.elements)
        case "collate_clause":
            return _cannot_fail(node.arg)
        case _:
            return False


CREATING: dict[str, Handler] = {
    "create_stmt": _create_table,
    "index_stmt": _create_index,
    "create_enum_stmt": _made("type", lambda node: dotted(node.type_name)),
    "composite_type_stmt": _made("type", lambda node: table_name(node.typevar)),
    "create_range_stmt": _made("type", lambda node: dotted(node.type_name)),
    "create_domain_stmt": _create_domain,
    "create_seq_stmt": _made("sequence", lambda node: table_name(node.sequence)),
    "create_schema_stmt": _made("schema", lambda node: str(node.schemaname)),
    "create_extension_stmt": _made("extension", lambda node: str(node.extname)),
    "view_stmt": _create_view,
    "create_table_as_stmt": _create_table_as,
}
"""By the name of the statement in PostgreSQL's grammar."""
