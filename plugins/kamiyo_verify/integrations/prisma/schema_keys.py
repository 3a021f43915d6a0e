"""Effect of a new key or check of an older table on the rows that older code writes there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kamiyo_verify.integrations.prisma.schema_expressions import value_of
from kamiyo_verify.integrations.prisma.schema_state import AddedColumn, MigrationState, table_name
from kamiyo_verify.integrations.prisma.schema_verdicts import (
    HARMLESS,
    Verdict,
    breaks,
    columns_in,
    strange_in_writes,
    unread,
)

REFUSED = "older code may write rows that are now refused"
PERHAPS_OLDER = "IF NOT EXISTS leaves a column of this name as it is, and older code may use that one"


def foreign_key(constraint: Any, mine: Mapping[str, AddedColumn], state: MigrationState) -> Verdict:
    """A foreign key from new columns of an older table: a null there refers to nothing."""
    state.referenced.add(table_name(constraint.pktable))
    for added in mine.values():
        added.judged = True
    if not all(added.certain for added in mine.values()):
        return unread(PERHAPS_OLDER)
    nulls = [added.value is None for added in mine.values()]
    # With MATCH FULL all of them have to be null, else any one.
    if all(nulls) if constraint.fk_matchtype == "f" else any(nulls):
        return HARMLESS
    return unread("older code writes its default, and the row to which that refers may be missing")


def unique_over(columns: Iterable[str], nulls_not_distinct: bool, added: dict[str, AddedColumn]) -> Verdict:  # noqa: FBT001
    """A unique key over columns of an older table: harmless if older code leaves one of them null."""
    left_null = [added[name] for name in columns if name in added and added[name].value is None]
    for column in left_null:
        column.judged = True
    if not left_null or nulls_not_distinct:
        return breaks("older code may write duplicates, which are now refused")
    return HARMLESS if any(column.certain for column in left_null) else unread(PERHAPS_OLDER)


def check(constraint: Any, unwritten: Mapping[str, AddedColumn]) -> Verdict:
    """A check on an older table: harmless if it is about what older code leaves in new columns alone."""
    if name := strange_in_writes(constraint.raw_expr):
        return unread(f"it calls {name} in each write of older code")
    columns = columns_in(constraint.raw_expr)
    if columns - {*unwritten}:
        return breaks(REFUSED)
    for column in columns:
        unwritten[column].judged = True
    if not all(unwritten[column].certain for column in columns):
        return unread(PERHAPS_OLDER)
    outcome = value_of(constraint.raw_expr, {column: unwritten[column].value for column in columns})
    if outcome is None or outcome is True:
        return HARMLESS
    return (
        breaks(REFUSED) if outcome is False else unread("the check may refuse what older code leaves there")
    )
