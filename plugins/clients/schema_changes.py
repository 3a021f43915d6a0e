"""What a migration does to code that is already running, read from its SQL by a real parser (sqlglot).

The question is not whether the database survives, but whether the release *before* the migration still works
on the schema *after* it, since that decides whether code can be rolled back. In doubt the answer is no.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp

from plugins.model.migrations import Change, Effect

# sqlglot warns on the log of each statement that it keeps as a plain command; we judge those ourselves.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

Verdict = tuple[Effect, str]

HARMLESS: Verdict = (Effect.ADDITIVE, "older code does not notice")
UNREAD: Verdict = (Effect.UNKNOWN, "its effect cannot be read from the statement")


class UnreadableSql(ValueError):
    """The file is not SQL that PostgreSQL would take."""


def changes_of(sql: str) -> tuple[Change, ...]:
    """Every change of a migration, in its order.

    Raises:
        UnreadableSql: with the line, where the file cannot be parsed.
    """
    try:
        statements = [found for found in sqlglot.parse(sql, read="postgres") if found is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise UnreadableSql(str(error).splitlines()[0] if str(error) else "nested too deeply") from error
    created = {_table_of(found) for found in statements if _creates_table(found)}
    return tuple(
        Change(effect, _short(found), why)
        for found in statements
        for effect, why in _verdicts(found, created)
        if not isinstance(found, exp.Semicolon)
    )


def _verdicts(statement: exp.Expr, created: set[str]) -> Iterator[Verdict]:
    match statement:
        case exp.Create():
            yield _creation(statement, created)
        case exp.Drop():
            yield _drop(statement, created)
        case exp.Alter():
            added = {action.name for action in statement.args["actions"] if isinstance(action, exp.ColumnDef)}
            for action in statement.args["actions"]:
                yield HARMLESS if _table_of(statement) in created else _alteration(statement, action, added)
        case exp.TruncateTable() | exp.Delete():
            yield Effect.DESTRUCTIVE, "rows are gone; only a backup brings them back"
        case exp.Update() | exp.Merge():
            yield Effect.DESTRUCTIVE, "values are overwritten; only a backup brings them back"
        case exp.Revoke():
            yield Effect.DESTRUCTIVE, "older code may lack a right it had"
        case (
            exp.Insert()
            | exp.Select()
            | exp.Set()
            | exp.Grant()
            | exp.Comment()
            | exp.Transaction()
            | exp.Commit()
        ):
            yield HARMLESS
        case exp.Command():
            yield _command(statement)
        case _:
            yield UNREAD


def _creation(statement: exp.Create, created: set[str]) -> Verdict:
    if statement.args.get("replace"):
        return Effect.UNKNOWN, "it replaces what older code may rely on"
    if statement.kind == "INDEX" and statement.args.get("unique") and _table_of(statement) not in created:
        return Effect.DESTRUCTIVE, "older code may write duplicates, which are now refused"
    return HARMLESS


def _drop(statement: exp.Drop, created: set[str]) -> Verdict:
    if statement.kind == "INDEX" or _table_of(statement) in created:
        return HARMLESS
    return Effect.DESTRUCTIVE, f"older code may still use the {(statement.kind or 'object').lower()}"


def _alteration(statement: exp.Alter, action: exp.Expr, added: set[str]) -> Verdict:
    match action:
        case exp.ColumnDef():
            return _added_column(action)
        case exp.AlterColumn():
            return _altered_column(action)
        case exp.AddConstraint():
            columns = {found.name for found in action.find_all(exp.Identifier)}
            if added and columns & added:
                return HARMLESS
            return Effect.DESTRUCTIVE, "older code may write rows that are now refused"
        case exp.Drop(kind="CONSTRAINT"):
            return HARMLESS
        case exp.Drop():
            return Effect.DESTRUCTIVE, f"older code may still use the {(action.kind or 'object').lower()}"
        case exp.AlterRename() | exp.RenameColumn() if statement.args.get("kind") != "INDEX":
            return Effect.DESTRUCTIVE, "older code still uses the old name"
        case exp.AlterRename():
            return HARMLESS
        case _:
            return UNREAD


def _added_column(column: exp.ColumnDef) -> Verdict:
    kinds = {type(constraint.args.get("kind")) for constraint in column.args.get("constraints") or []}
    filled = (
        kinds
        & {
            exp.DefaultColumnConstraint,
            exp.GeneratedAsIdentityColumnConstraint,
            exp.ComputedColumnConstraint,
        }
        or "SERIAL" in str(column.args.get("kind")).upper()
    )
    if (exp.NotNullColumnConstraint in kinds or exp.PrimaryKeyColumnConstraint in kinds) and not filled:
        return Effect.DESTRUCTIVE, "older code inserts rows without the column, which are now refused"
    return HARMLESS


def _altered_column(column: exp.AlterColumn) -> Verdict:
    if column.args.get("dtype") is not None:
        return Effect.DESTRUCTIVE, "older code expects the old type"
    if column.args.get("default") is not None or column.args.get("comment") is not None:
        return HARMLESS
    if column.args.get("drop"):
        if column.args.get("allow_null"):
            return Effect.DESTRUCTIVE, "older code may meet a null where there was never one"
        return Effect.DESTRUCTIVE, "older code relies on the default"
    return Effect.DESTRUCTIVE, "older code may write a null, which is now refused"


# Statements that sqlglot keeps as plain commands, by their leading words.
_COMMANDS: tuple[tuple[Callable[[list[str]], bool], Verdict], ...] = (
    (lambda words: words[:2] == ["CREATE", "EXTENSION"], HARMLESS),
    (lambda words: words[:2] == ["ALTER", "TYPE"] and "ADD" in words and "VALUE" in words, HARMLESS),
    (lambda words: words[:2] == ["ALTER", "TYPE"], (Effect.DESTRUCTIVE, "older code expects the old type")),
    (lambda words: words[:2] == ["ALTER", "SEQUENCE"] and "OWNED" in words, HARMLESS),
    (lambda words: words[0] in {"ANALYZE", "VACUUM", "REINDEX", "LOCK"}, HARMLESS),
)


def _command(statement: exp.Command) -> Verdict:
    words = [
        token.text.upper() for token in sqlglot.tokenize(statement.sql(dialect="postgres"), read="postgres")
    ]
    return next((verdict for applies, verdict in _COMMANDS if words and applies(words)), UNREAD)


def _creates_table(statement: exp.Expr) -> bool:
    return isinstance(statement, exp.Create) and statement.kind == "TABLE"


def _table_of(statement: exp.Expr) -> str:
    table = statement.find(exp.Table)
    return table.name if table is not None else ""


def _short(statement: exp.Expr) -> str:
    text = " ".join(statement.sql(dialect="postgres", comments=False).split())
    return text if len(text) <= 120 else text[:119] + "…"
