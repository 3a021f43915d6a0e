"""Effect of each kind of statement on older code; `ALTER TABLE` has a module of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_created import CREATING, note_unique
from kamiyo_verify.integrations.prisma.schema_rows import ROW_HANDLERS
from kamiyo_verify.integrations.prisma.schema_state import (
    KINDS,
    IndexKind,
    MigrationState,
    Name,
    beside,
    dotted,
    table_name,
)
from kamiyo_verify.integrations.prisma.schema_tables import altered
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    UNREAD,
    Handler,
    Verdict,
    always,
    breaks,
    unread,
)

_HARMLESS_SETTINGS = frozenset(
    {
        *("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "client_min_messages"),
        *("client_encoding", "standard_conforming_strings", "check_function_bodies", "xmloption", "timezone"),
        *("maintenance_work_mem", "work_mem", "default_tablespace", "default_table_access_method"),
        *("transaction_timeout", "max_parallel_maintenance_workers", "application_name", "datestyle"),
    }
)
"""Settings of the migration's own session that do not change the meaning of its statements."""


_NAMED = unread("older code may name the constraint (ON CONFLICT ON CONSTRAINT)")


def _drop(node: Any, state: MigrationState) -> Iterator[Verdict]:
    kind = KINDS.get(node.remove_type, "object")
    for target in node.objects:
        cascades = node.behavior == pg.DROP_CASCADE and kind != "table"
        if cascades and state.added and (kind, _named(target)) in state.created:
            yield unread("CASCADE may drop a default or a column of an older table with it")
        else:
            yield _dropped(kind, _named(target), state)


def _dropped(kind: str, name: Name, state: MigrationState) -> Verdict:
    index = state.catalogue.indexes.pop(name, None) if kind == "index" else None
    if (kind, name) in state.created:
        state.created.discard((kind, name))
        return HARMLESS
    if kind == "index":
        if index is None:
            return unread("no migration says whether the index is unique: older code may upsert on it")
        if index is not IndexKind.PLAIN:
            return breaks("older code may upsert on the unique index (ON CONFLICT), which fails without it")
        return HARMLESS
    return breaks(f"older code may still use the {kind}")


def _named(target: Any) -> Name:
    match target.WhichOneof("node"):
        case "list":
            return dotted(target.list.items)
        case "string":
            return str(target.string.sval)
        case "type_name":
            return dotted(target.type_name.names)
        case "object_with_args":
            return dotted(target.object_with_args.objname)
        case _:
            return ""


def _alter_table(node: Any, state: MigrationState) -> Iterator[Verdict]:
    name = table_name(node.relation)
    kind = KINDS.get(node.objtype, "object")
    for command in node.cmds:
        action = command.alter_table_cmd
        if kind == "table" and not state.has_created("table", name):
            yield altered(action, name, state)
        elif state.has_created(kind, name):
            if action.subtype == pg.AT_AddConstraint:
                note_unique(getattr(action, "def").constraint, name, state)
            yield HARMLESS
        elif kind == "index" and action.subtype in {pg.AT_SetRelOptions, pg.AT_ResetRelOptions}:
            yield HARMLESS
        elif kind == "type":
            yield breaks("older code expects the old type")
        else:
            yield UNREAD


def _create_function(node: Any, _state: MigrationState) -> Iterator[Verdict]:
    if node.replace:
        yield unread("it may replace what older code calls")
    else:
        yield unread("it may be what a call of older code then means")


def _create_trigger(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if state.has_created("table", table_name(node.relation)):
        yield HARMLESS
    else:
        yield breaks("the trigger runs within the writes of older code")


def _create_rule(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if state.has_created("table", table_name(node.relation)):
        yield HARMLESS
    else:
        yield breaks("the rule changes the statements of older code")


def _policy(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if state.has_created("table", table_name(node.table)):
        yield HARMLESS
    else:
        yield breaks("the policy changes which rows older code sees or may write")


def _alter_enum(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if state.has_created("type", dotted(node.type_name)):
        yield HARMLESS
    elif node.old_val:
        yield breaks("older code still uses the old value")
    else:
        yield breaks("older code does not know the new value, and fails on a row that has it")


def _alter_domain(node: Any, state: MigrationState) -> Iterator[Verdict]:
    if state.has_created("domain", dotted(node.type_name)) and not state.added:
        yield HARMLESS
    else:
        yield breaks("older code may write values that are now refused")


def _alter_sequence(node: Any, state: MigrationState) -> Iterator[Verdict]:
    options = {option.def_elem.defname for option in node.options}
    if options <= {"owned_by", "cache"} or state.has_created("sequence", table_name(node.sequence)):
        yield HARMLESS
    else:
        yield breaks("older code takes its numbers from the sequence")


def _rename(node: Any, state: MigrationState) -> Iterator[Verdict]:
    kind = KINDS.get(node.rename_type, "object")
    relation = table_name(node.relation) if node.HasField("relation") else _named(node.object)
    if node.rename_type == pg.OBJECT_INDEX:
        yield _renamed_index(relation, node.newname, state)
    elif node.rename_type == pg.OBJECT_TABCONSTRAINT:
        yield _NAMED
    elif (kind, relation) in state.created:
        state.created.discard((kind, relation))
        state.created.add((kind, beside(relation, node.newname)))
        yield HARMLESS
    elif node.rename_type == pg.OBJECT_COLUMN and (relation, node.subname) in state.added:
        if not state.added[relation, node.subname].certain:
            yield breaks("older code still uses the old name, if the column was there")
            return
        state.added[relation, node.newname] = state.added.pop((relation, node.subname))
        yield HARMLESS
    elif node.rename_type == pg.OBJECT_COLUMN and state.has_created("table", relation):
        yield HARMLESS
    else:
        yield breaks("older code still uses the old name")


def _renamed_index(name: Name, new: str, state: MigrationState) -> Verdict:
    kind = state.catalogue.indexes.pop(name, None)
    own = ("index", name) in state.created
    if own:
        state.created.discard(("index", name))
        state.created.add(("index", beside(name, new)))
    if kind is not None:
        state.catalogue.indexes[beside(name, new)] = kind
    # PostgreSQL renames the constraint of the index with it.
    return HARMLESS if own or kind in {IndexKind.PLAIN, IndexKind.UNIQUE} else _NAMED


def _refreshed(node: Any, state: MigrationState) -> Iterator[Verdict]:
    own = state.has_created("materialized view", table_name(node.relation))
    yield breaks("older code can no longer read the view") if node.skip_data and not own else HARMLESS


def _set(node: Any, _state: MigrationState) -> Iterator[Verdict]:
    if node.name.lower() in _HARMLESS_SETTINGS:
        yield HARMLESS
    else:
        yield unread(f"after SET {node.name} the statements may mean other objects or rights")


def _transaction(node: Any, _state: MigrationState) -> Iterator[Verdict]:
    undoing = {pg.TRANS_STMT_ROLLBACK, pg.TRANS_STMT_ROLLBACK_TO}
    yield unread("it takes statements back") if node.kind in undoing else HARMLESS


def _grant(node: Any, _state: MigrationState) -> Iterator[Verdict]:
    yield HARMLESS if node.is_grant else breaks("older code may lack a right it had")


HANDLERS: dict[str, Handler] = {
    **CREATING,
    "drop_stmt": _drop,
    "alter_table_stmt": _alter_table,
    "create_function_stmt": _create_function,
    "create_trig_stmt": _create_trigger,
    "rule_stmt": _create_rule,
    "create_policy_stmt": _policy,
    "alter_policy_stmt": _policy,
    "alter_enum_stmt": _alter_enum,
    "alter_domain_stmt": _alter_domain,
    "alter_seq_stmt": _alter_sequence,
    "rename_stmt": _rename,
    "refresh_mat_view_stmt": _refreshed,
    "alter_object_schema_stmt": always(breaks("older code does not find it in the other schema")),
    "alter_owner_stmt": always(unread("older code may lack the rights of its owner")),
    "alter_database_set_stmt": always(breaks("it changes the settings of older code's sessions")),
    "alter_role_set_stmt": always(breaks("it changes the settings of older code's sessions")),
    "drop_owned_stmt": always(breaks("older code may still use what is dropped")),
    "drop_role_stmt": always(breaks("older code may still sign in with the role")),
    **ROW_HANDLERS,
    "variable_set_stmt": _set,
    "transaction_stmt": _transaction,
    "grant_stmt": _grant,
    "grant_role_stmt": _grant,
    "do_stmt": always(unread("a DO block can do anything")),
    "call_stmt": always(unread("the procedure can do anything")),
    **dict.fromkeys(
        (
            *("comment_stmt", "lock_stmt", "vacuum_stmt", "reindex_stmt", "check_point_stmt", "cluster_stmt"),
            *("create_stats_stmt", "create_role_stmt", "variable_show_stmt"),
            *("notify_stmt", "listen_stmt"),
        ),
        always(HARMLESS),
    ),
}
"""By the name of the statement in PostgreSQL's grammar; any other is unread."""
