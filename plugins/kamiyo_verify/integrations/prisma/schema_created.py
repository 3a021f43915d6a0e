"""Effect of `CREATE …` on older code, which does not use what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_rows import nested
from kamiyo_verify.integrations.prisma.schema_state import MigrationState, Name, dotted, table_name
from kamiyo_verify.integrations.prisma.schema_tables import constraint_key, unique_over
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    Handler,
    Verdict,
    constraints_of,
    strange_function,
    unread,
)


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
                note_unique(element.constraint, name, state)
            case "column_def":
                for constraint in constraints_of(element.column_def):
                    note_unique(constraint, name, state)
            case _:
                pass
    yield HARMLESS


def note_unique(constraint: Any, table: Name, state: MigrationState) -> None:
    """Record a unique constraint, whose index has its name."""
    if constraint.conname and constraint.contype in {
        pg.CONSTR_UNIQUE,
        pg.CONSTR_PRIMARY,
        pg.CONSTR_EXCLUSION,
    }:
        state.catalogue.unique_indexes[constraint.conname] = True
        state.created.add(("constraint", constraint_key(table, constraint.conname)))


def _create_index(node: Any, state: MigrationState) -> Iterator[Verdict]:
    table = table_name(node.relation)
    state.created.add(("index", node.idxname))
    if node.idxname:
        state.catalogue.unique_indexes[node.idxname] = node.unique
    keys = [parameter.index_elem for parameter in node.index_params]
    if state.has_created("table", table):
        yield HARMLESS
    elif node.unique:
        yield unique_over((key.name for key in keys), node.nulls_not_distinct, state.added_to(table))
    elif name := next((found for key in keys if (found := strange_function(key))), ""):
        yield unread(f"it calls {name} in each write of older code")
    else:
        yield HARMLESS


def _made(kind: str, name_of: Callable[[Any], Name]) -> Handler:
    """A new object that older code does not use."""

    def handle(node: Any, state: MigrationState) -> Iterator[Verdict]:
        state.created.add((kind, name_of(node)))
        yield HARMLESS

    return handle


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


CREATING: dict[str, Handler] = {
    "create_stmt": _create_table,
    "index_stmt": _create_index,
    "create_enum_stmt": _made("type", lambda node: dotted(node.type_name)),
    "composite_type_stmt": _made("type", lambda node: table_name(node.typevar)),
    "create_range_stmt": _made("type", lambda node: dotted(node.type_name)),
    "create_domain_stmt": _made("domain", lambda node: dotted(node.domainname)),
    "create_seq_stmt": _made("sequence", lambda node: table_name(node.sequence)),
    "create_schema_stmt": _made("schema", lambda node: str(node.schemaname)),
    "create_extension_stmt": _made("extension", lambda node: str(node.extname)),
    "view_stmt": _create_view,
    "create_table_as_stmt": _create_table_as,
}
"""By the name of the statement in PostgreSQL's grammar."""
