"""Effect of `ALTER TABLE` on older code, action by action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_expressions import value_of
from kamiyo_verify.integrations.prisma.schema_keys import (
    PERHAPS_OLDER,
    REFUSED,
    check,
    foreign_key,
    unique_over,
)
from kamiyo_verify.integrations.prisma.schema_state import (
    AddedColumn,
    IndexKind,
    MigrationState,
    Name,
    beside,
    dotted,
)
from kamiyo_verify.integrations.prisma.schema_values import NOT_NULL, UNKNOWN
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    UNREAD,
    Verdict,
    breaks,
    constraints_of,
    refuses_null,
    strange_in_writes,
    unread,
    value_left,
)
from kamiyo_verify.model.migrations import Effect

_WITHOUT_IT = "older code inserts rows without the column, which are now refused"
_JUDGED = "older code writes this default, and a key or check of the same migration may refuse it"
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
    }
)

_BREAKING: dict[int, str] = {
    pg.AT_AlterColumnType: "older code expects the old type",
    pg.AT_DropExpression: "older code relies on the value being computed",
    pg.AT_SetExpression: "older code relies on the value as it was computed",
    pg.AT_AddIdentity: "older code may write the value itself, which is now refused",
    pg.AT_SetIdentity: "older code relies on how the value is made",
    pg.AT_DropIdentity: "older code relies on the value being made",
    pg.AT_AddIndexConstraint: REFUSED,
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
        return _added_column(definition.column_def, table, state, certain=not action.missing_ok)
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
        pg.AT_SetRelOptions: lambda: _options(definition),
        pg.AT_ResetRelOptions: lambda: _options(definition),
        pg.AT_ReplicaIdentity: lambda: _replica_identity(definition.replica_identity_stmt),
    }
    if action.subtype in by_kind:
        return by_kind[action.subtype]()
    if action.subtype in _BREAKING:
        return breaks(_BREAKING[action.subtype])
    return HARMLESS if action.subtype in _UNNOTICED else UNREAD


def constraint_key(table: Name, name: str) -> Name:
    """The key of a constraint among the objects that a migration created."""
    return f"{table}/{name}"


def _added_column(column: Any, table: Name, state: MigrationState, *, certain: bool) -> Verdict:
    value = value_left(column)
    state.added[table, column.colname] = added = AddedColumn(refuses_null(column), value, certain)
    kinds = {constraint.contype: constraint for constraint in constraints_of(column)}
    if pg.CONSTR_GENERATED in kinds:
        return unread("its expression is computed in each write of older code, and may fail there")
    if (left := _left_empty(added)) is not HARMLESS:
        return left
    if value is None and dotted(column.type_name.names) in state.catalogue.strict_domains:
        return breaks(_WITHOUT_IT)
    default = kinds.get(pg.CONSTR_DEFAULT)
    if default is not None and (name := strange_in_writes(default)):
        return unread(f"its default calls {name} in each write of older code")
    given = [*constraints_of(column)]
    unique = [each for each in given if each.contype in {pg.CONSTR_UNIQUE, pg.CONSTR_PRIMARY}]
    added.judged = bool(unique)
    same = default is not None and value is not None
    if unique and (same or any(each.nulls_not_distinct for each in unique)):
        return breaks("older code writes the same value in each row, which is refused from the second on")
    mine = {column.colname: added}
    verdicts = [check(each, mine) for each in given if each.contype == pg.CONSTR_CHECK]
    verdicts += [foreign_key(each, mine, state) for each in given if each.contype == pg.CONSTR_FOREIGN]
    by_gravity = (Effect.DESTRUCTIVE, Effect.UNKNOWN)
    return next((one for effect in by_gravity for one in verdicts if one[0] is effect), HARMLESS)


def _left_empty(added: AddedColumn) -> Verdict:
    """Effect of a row without a value for the column."""
    if not added.not_null or added.value not in {None, UNKNOWN}:
        return HARMLESS
    return breaks(_WITHOUT_IT) if added.value is None else unread("its default may be null, which is refused")


def _own_column(action: Any, table: Name, added: AddedColumn, state: MigrationState) -> Verdict:
    """A column that this migration added: older code neither reads nor writes it."""
    if not added.certain and action.subtype not in {pg.AT_SetNotNull, *_UNNOTICED}:
        return unread(PERHAPS_OLDER)
    if action.subtype == pg.AT_DropColumn:
        del state.added[table, action.name]
    elif action.subtype == pg.AT_SetNotNull:
        added.not_null = True
        if not added.certain:
            return breaks("older code may write a null, which is now refused")
    elif action.subtype == pg.AT_DropNotNull:
        added.not_null = False
    elif action.subtype == pg.AT_ColumnDefault:
        return _own_default(action, added)
    elif action.subtype not in {pg.AT_AlterColumnType, *_UNNOTICED}:
        return UNREAD
    return _left_empty(added)


def _own_default(action: Any, added: AddedColumn) -> Verdict:
    definition = getattr(action, "def")
    value = value_of(definition, {}) if action.HasField("def") else None
    # The type that would keep the value is not at hand.
    added.value = value if value in {None, UNKNOWN} else NOT_NULL
    if name := strange_in_writes(definition):
        return unread(f"its default calls {name} in each write of older code")
    return unread(_JUDGED) if added.judged and added.value is not None else _left_empty(added)


def _added_constraint(constraint: Any, table: Name, state: MigrationState) -> Verdict:
    if constraint.conname:
        state.created.add(("constraint", constraint_key(table, constraint.conname)))
        if constraint.contype in {pg.CONSTR_UNIQUE, pg.CONSTR_PRIMARY, pg.CONSTR_EXCLUSION}:
            state.catalogue.indexes[beside(table, constraint.conname)] = IndexKind.CONSTRAINT
    added = state.added_to(table)
    if constraint.contype == pg.CONSTR_FOREIGN:
        mine = [part.string.sval for part in constraint.fk_attrs]
        if not mine or any(column not in added for column in mine):
            return breaks(REFUSED)
        return foreign_key(constraint, {column: added[column] for column in mine}, state)
    if constraint.contype == pg.CONSTR_UNIQUE:
        return unique_over(
            (part.string.sval for part in constraint.keys), constraint.nulls_not_distinct, added
        )
    if constraint.contype == pg.CONSTR_CHECK:
        return check(constraint, added)
    return breaks(REFUSED)


def _options(definition: Any) -> Verdict:
    """Storage parameters: how and where rows are kept, and nothing about who reads them."""
    names = [option.def_elem.defname for option in definition.list.items]
    kept = ("autovacuum_", "toast_", "vacuum_", "log_autovacuum_", "fillfactor", "parallel_workers")
    return HARMLESS if all(name.startswith(kept) for name in names) else UNREAD


def _replica_identity(identity: Any) -> Verdict:
    if identity.identity_type == "f":
        return HARMLESS
    return unread("where the table is published, older code may no longer update or delete its rows")


def _dropped_constraint(action: Any, table: Name, state: MigrationState) -> Verdict:
    key = ("constraint", constraint_key(table, action.name))
    if key in state.created:
        state.created.discard(key)
        return HARMLESS
    if state.catalogue.indexes.pop(beside(table, action.name), None) is not None:
        return breaks(_UPSERT)
    return breaks("older code may rely on what the constraint guarantees, or upsert on it (ON CONFLICT)")
