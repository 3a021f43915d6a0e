"""Insert a row unless its key exists; both databases do this atomically under concurrent writes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Table


def insert_if_new(table: Table, result: ColumnElement[Any], connection: Connection) -> Executable:
    """Return the statement that inserts a row and returns `result`, or no row if the key exists.

    Only the dialect of this database is imported: each takes as long as a run's queries.
    """
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - see above

        return postgresql.insert(table).on_conflict_do_nothing().returning(result)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - see above

    return sqlite.insert(table).on_conflict_do_nothing().returning(result)
