"""Find what a migration changes for code that is already running, with PostgreSQL's own SQL parser.

The question is whether the release *before* the migration still works on the schema *after* it, by what that
code reads, writes and relies on. The answer decides whether code can be rolled back. An unknown statement is
unread, never harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import postgast
from google.protobuf.message import DecodeError

from kamiyo_verify.integrations.prisma.schema_objects import HANDLERS
from kamiyo_verify.integrations.prisma.schema_state import Catalogue, MigrationState
from kamiyo_verify.integrations.prisma.schema_verdicts import UNREAD, Verdict, unread
from kamiyo_verify.model.migrations import Change

_LONGEST = 120


class UnreadableSql(ValueError):
    """The file is not valid SQL for PostgreSQL."""


def changes_of(sql: str, before: Catalogue | None = None) -> tuple[Change, ...]:
    """Every change of a migration, in its order.

    Args:
        sql: its text.
        before: objects of the earlier migrations; this one's objects are added to it.

    Raises:
        UnreadableSql: the file cannot be parsed.
    """
    if "\0" in sql:
        raise UnreadableSql("it holds a NUL character")
    state = MigrationState(before if before is not None else Catalogue())
    try:
        return tuple(
            Change(effect, _short(statement), why)
            for statement in postgast.split(sql, method="parser")
            for effect, why in _verdicts(statement, state)
        )
    except postgast.PgQueryError as error:
        raise UnreadableSql(str(error).splitlines()[0]) from error


def _verdicts(statement: str, state: MigrationState) -> Iterator[Verdict]:
    try:
        parsed = postgast.parse(statement)
    except DecodeError:
        yield unread("it is nested too deeply to be read")
        return
    for one in parsed.stmts:
        kind = one.stmt.WhichOneof("node") or ""
        handler = HANDLERS.get(kind)
        if handler is None:
            yield UNREAD
        else:
            yield from handler(getattr(one.stmt, kind), state)


def _short(statement: str) -> str:
    # Comments can hold anything; in front of a statement they would fill the whole excerpt.
    text = " ".join(re.sub(r"--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
