"""Effect of statements about rows on older code, and of the statements nested in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_state import MigrationState, table_name
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    UNREAD,
    Handler,
    Verdict,
    always,
    breaks,
    strange_function,
    unread,
)

_GONE = "rows are gone; only a backup brings them back"
_OVERWRITTEN = "values are overwritten; only a backup brings them back"


def _insert(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if node.on_conflict_clause.action == pg.ONCONFLICT_UPDATE and not _is_own(node, state):
        yield breaks(_OVERWRITTEN)
    else:
        yield from _reading(node, state)


def _update(node: Any, state: MigrationState) -> Iterator[Verdict]:
    added = state.added_to(table_name(node.relation))
    columns = {target.res_target.name for target in node.target_list}
    if _is_own(node, state) or all(column in added and added[column].certain for column in columns):
        yield from _reading(node, state)
    elif columns <= {*added}:
        yield unread("IF NOT EXISTS leaves a column of this name as it is, and its values are overwritten")
    else:
        yield breaks(_OVERWRITTEN)


def _delete(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if not _is_own(node, state):
        yield breaks(_GONE)
    elif table_name(node.relation) in state.referenced:
        yield unread("a foreign key may delete rows of older tables with it")
    else:
        yield HARMLESS


def _truncate(node: Any, state: MigrationState) -> Iterator[Verdict]:
    own = all(state.has_created("table", table_name(one.range_var)) for one in node.relations)
    if own and node.behavior == pg.DROP_CASCADE and state.referenced:
        yield breaks("CASCADE deletes the rows of older tables that refer to it")
    else:
        yield HARMLESS if own else breaks(_GONE)


def _is_own(node: Any, state: MigrationState) -> bool:
    return state.has_created("table", table_name(node.relation))


def _reading(node: Any, state: MigrationState) -> Iterator[Verdict]:
    """A statement that may contain others: functions, and `WITH … AS (DELETE …)`."""
    hidden = [
        verdict
        for part in postgast.find_nodes(node, pg.CommonTableExpr)
        for verdict in nested(part.ctequery, state)
    ]
    if name := strange_function(node):
        yield unread(f"it calls {name}, whose effect is not known")
    yield from (verdict for verdict in hidden if verdict is not HARMLESS)
    if not name and all(verdict is HARMLESS for verdict in hidden):
        yield HARMLESS


def nested(statement: Any, state: MigrationState) -> Iterator[Verdict]:
    """Effect of a statement within another; it can only be about rows."""
    kind = statement.WhichOneof("node")
    handler = ROW_HANDLERS.get(kind)
    if handler is None:
        yield UNREAD
    else:
        yield from handler(getattr(statement, kind), state)


def _select(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if node.HasField("into_clause"):
        state.created.add(("table", table_name(node.into_clause.rel)))
    yield from _reading(node, state)


def _copy(node: Any, _state: MigrationState) -> Iterator[Verdict]:
    yield HARMLESS if node.is_from and not node.is_program else UNREAD


ROW_HANDLERS: dict[str, Handler] = {
    "insert_stmt": _insert,
    "update_stmt": _update,
    "merge_stmt": always(breaks(_OVERWRITTEN)),
    "delete_stmt": _delete,
    "truncate_stmt": _truncate,
    "select_stmt": _select,
    "copy_stmt": _copy,
}
"""By the name of the statement in PostgreSQL's grammar."""
