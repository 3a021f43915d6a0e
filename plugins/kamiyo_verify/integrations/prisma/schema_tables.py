"""Effect of `ALTER TABLE` on older code, action by action."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_state import AddedColumn, MigrationState, Name
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    UNREAD,
    Verdict,
    breaks,
    columns_in,
    constraints_of,
    fills_itself,
    refuses_null,
    strange_function,
    unread,
)

_REFUSED = "older code may write rows that are now refused"
_WITHOUT_IT = "older code inserts rows without the column, which are now refused"
_UPSERT = (
    "older code may upsert on it (ON CONFLICT), which fails without it, or rely on it against duplicates"
)

_UNNOTICED = frozenset(
    {
        pg.AT_ValidateConstraint,
        pg.AT_SetStatistics,
        pg.AT_SetOptions,
        pg.AT_ResetOptions,
        pg.AT_SetStorage,
        pg.AT_SetCompression,
        pg.AT_ClusterOn,
        pg.AT_DropCluster,
        pg.AT_SetLogged,
        pg.AT_SetTableSpace,
        pg.AT_SetRelOptions,
        pg.AT_ResetRelOptions,
        pg.AT_ReplicaIdentity,
    }
)

_BREAKING: dict[int, str] = {
    pg.AT_AlterColumnType: "older code expects the old type",
    pg.AT_DropExpression: "older code relies on the value being computed",
    pg.AT_SetExpression: "older code relies on the value as it was computed",
    pg.AT_AddIdentity: "older code may write the value itself, which is now refused",
    pg.AT_SetIdentity: "older code relies on how the value is made",
    pg.AT_DropIdentity: "older code relies on the value being made",
    pg.AT_AddIndexConstraint: _REFUSED,
    pg.AT_AlterConstraint: "older code relies on when the constraint is checked",
    pg.AT_EnableTrig: "the trigger runs within the writes of older code",
    pg.AT_EnableAlwaysTrig: "the trigger runs within the writes of older code",
    pg.AT_EnableTrigAll: "the triggers run within the writes of older code",
    pg.AT_DisableTrig: "older code relies on the trigger",
    pg.AT_DisableTrigAll: "older code relies on the triggers and foreign keys",
    pg.AT_DisableTrigUser: "older code relies on the triggers",
    pg.AT_EnableRule: "the rule changes the statements of older code",
    pg.AT_DisableRule: "older code relies on the rule",
    pg.AT_EnableRowSecurity: "older code may no longer see or write rows that no policy allows",
    pg.AT_ForceRowSecurity: "older code may no longer see or write rows that no policy allows",
    pg.AT_DisableRowSecurity: "older code relies on the policies to hide rows",
    pg.AT_NoForceRowSecurity: "older code relies on the policies to hide rows",
    pg.AT_DropInherit: "older code no longer finds the rows of the child table",
    pg.AT_DetachPartition: "older code no longer finds the rows of the partition",
    pg.AT_DetachPartitionFinalize: "older code no longer finds the rows of the partition",
    pg.AT_SetUnLogged: "its rows are lost when the server crashes",
}


def altered(action: Any, table: Name, state: MigrationState) -> Verdict:
    """Effect of one action of `ALTER TABLE`, on a table that is older than the migration."""
    definition = getattr(action, "def")  # a Python keyword
    if action.subtype == pg.AT_AddColumn:
        return _added_column(definition.column_def, table, state)
    if action.subtype == pg.AT_AddConstraint:
        return _added_constraint(definition.constraint, table, state)
    added = state.added.get((table, action.name))
    if added is not None:
        return _own_column(action, table, added, state)
    by_kind: dict[int, Callable[[], Verdict]] = {
        pg.AT_DropColumn: lambda: breaks("older code may still use the column"),
        pg.AT_ColumnDefault: lambda: breaks("older code relies on the default as it was"),
        pg.AT_DropNotNull: lambda: breaks("older code may meet a null where there was never one"),
        pg.AT_SetNotNull: lambda: breaks("older code may write a null, which is now refused"),
        pg.AT_DropConstraint: lambda: _dropped_constraint(action, table, state),
    }
    if action.subtype in by_kind:
        return by_kind[action.subtype]()
    if action.subtype in _BREAKING:
        return breaks(_BREAKING[action.subtype])
    return HARMLESS if action.subtype in _UNNOTICED else UNREAD


def constraint_key(table: Name, name: str) -> Name:
    """The key of a constraint among the objects that a migration created."""
    return f"{table}/{name}"


def _added_column(column: Any, table: Name, state: MigrationState) -> Verdict:
    state.added[table, column.colname] = AddedColumn(refuses_null(column), fills_itself(column))
    if refuses_null(column) and not fills_itself(column):
        return breaks(_WITHOUT_IT)
    kinds = {constraint.contype: constraint for constraint in constraints_of(column)}
    if pg.CONSTR_GENERATED in kinds:
        return unread("its expression is computed in each write of older code, and may fail there")
    default = kinds.get(pg.CONSTR_DEFAULT)
    if default is not None and (name := strange_function(default)):
        return unread(f"its default calls {name} in each write of older code")
    unique = kinds.get(pg.CONSTR_UNIQUE) or kinds.get(pg.CONSTR_PRIMARY)
    if unique is not None and (default is not None or unique.nulls_not_distinct):
        return breaks("older code writes the same value in each row, which is refused from the second on")
    check = kinds.get(pg.CONSTR_CHECK)
    return _check(check, {column.colname}) if check is not None else HARMLESS


def _own_column(action: Any, table: Name, added: AddedColumn, state: MigrationState) -> Verdict:
    """A column that this migration added: older code neither reads nor writes it."""
    if action.subtype == pg.AT_DropColumn:
        del state.added[table, action.name]
    elif action.subtype == pg.AT_SetNotNull:
        added.not_null = True
    elif action.subtype == pg.AT_DropNotNull:
        added.not_null = False
    elif action.subtype == pg.AT_ColumnDefault:
        added.default = action.HasField("def")
        if name := strange_function(getattr(action, "def")):
            return unread(f"its default calls {name} in each write of older code")
    elif action.subtype not in {pg.AT_AlterColumnType, *_UNNOTICED}:
        return UNREAD
    return breaks(_WITHOUT_IT) if added.not_null and not added.default else HARMLESS


def _added_constraint(constraint: Any, table: Name, state: MigrationState) -> Verdict:
    if constraint.conname:
        state.created.add(("constraint", constraint_key(table, constraint.conname)))
        if constraint.contype in {pg.CONSTR_UNIQUE, pg.CONSTR_PRIMARY, pg.CONSTR_EXCLUSION}:
            state.catalogue.unique_indexes[constraint.conname] = True
    added = state.added_to(table)
    if constraint.contype == pg.CONSTR_FOREIGN:
        mine = [part.string.sval for part in constraint.fk_attrs]
        return HARMLESS if mine and all(column in added for column in mine) else breaks(_REFUSED)
    if constraint.contype == pg.CONSTR_UNIQUE:
        return unique_over(
            (part.string.sval for part in constraint.keys), constraint.nulls_not_distinct, added
        )
    if constraint.contype == pg.CONSTR_CHECK:
        return _check(constraint, set(added))
    return breaks(_REFUSED)


def unique_over(columns: Iterable[str], nulls_not_distinct: bool, added: dict[str, AddedColumn]) -> Verdict:  # noqa: FBT001
    """A unique key over columns of an older table: harmless if older code leaves one of them null."""
    left_null = [name for name in columns if name in added and not added[name].default]
    return (
        HARMLESS
        if left_null and not nulls_not_distinct
        else breaks("older code may write duplicates, which are now refused")
    )


def _check(constraint: Any, unwritten: set[str]) -> Verdict:
    if name := strange_function(constraint.raw_expr):
        return unread(f"it calls {name} in each write of older code")
    of_old_columns = columns_in(constraint.raw_expr) - unwritten
    tests_null = any(True for _ in postgast.find_nodes(constraint.raw_expr, pg.NullTest))
    return breaks(_REFUSED) if of_old_columns or tests_null else HARMLESS


def _dropped_constraint(action: Any, table: Name, state: MigrationState) -> Verdict:
    key = ("constraint", constraint_key(table, action.name))
    if key in state.created:
        state.created.discard(key)
        return HARMLESS
    if state.catalogue.unique_indexes.pop(action.name, False):
        return breaks(_UPSERT)
    return breaks("older code may rely on what the constraint guarantees, or upsert on it (ON CONFLICT)")
