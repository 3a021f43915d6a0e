"""Write the ledger's tables into files, one for each, typed and masked, all of one moment.

The compressed columns are left out: `evidence` and `verdict` of a run are in its report folder, as
evidence.jsonl and verdict.json.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol, Self

from sqlalchemy import Boolean, Connection, Double, Integer, LargeBinary, Select, Table, select

from kamiyo_verify.ledger.schema import (
    COMBINED,
    COMBINED_PLACES,
    DECISIONS,
    DEPLOYMENTS,
    ITEMS,
    MEASUREMENTS,
    OBJECTIVES,
    RUNS,
    TRAFFIC,
)

TABLES = (
    RUNS,
    ITEMS,
    MEASUREMENTS,
    OBJECTIVES,
    DEPLOYMENTS,
    TRAFFIC,
    DECISIONS,
    COMBINED,
    COMBINED_PLACES,
)
_ROWS = 5_000
"""Rows in memory at once."""

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")

Row = Mapping[str, Any]


class Kind(Enum):
    """The type of a column."""

    TEXT = auto()
    MOMENT = auto()
    """Text, UTC, ISO 8601; "" is unknown."""
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table."""

    name: str
    kind: Kind


class Writer(Protocol):
    """Writes one file, as a context manager."""

    def __enter__(self) -> Self:
        """Create the file."""
        ...

    def __exit__(self, *_: object) -> None:
        """Complete the file."""
        ...

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        ...


class CsvWriter:
    """Writes a CSV file (RFC 4180, UTF-8): text is quoted, numbers are not; NULL is empty; true, false.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
    """

    suffix = ".csv"

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._names = [column.name for column in columns]
        self._file = path.open("w", encoding="utf-8", newline="")

    def __enter__(self) -> Self:
        self._file.write(",".join(self._names) + "\r\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        self._file.writelines(",".join(_cell(row[name]) for name in self._names) + "\r\n" for row in rows)


def export(
    connection: Connection,
    folder: Path,
    writer: Callable[[Path, Sequence[Column]], Writer],
    *,
    suffix: str,
    environment: str,
    mask: Callable[[str], str],
) -> dict[str, int]:
    """Write the files; return the number of rows by table.

    Args:
        connection: in a transaction that reads one snapshot.
        folder: is created with all files in it, or not at all.
        writer: creates the writer of a file.
        suffix: of the files' names.
        environment: the environment whose runs are exported; "" for all.
        mask: hides secrets in a text.

    Raises:
        OSError: the folder is there already, or cannot be written.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: name a new folder by --output")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    partial.mkdir()
    try:
        counts = {}
        for table in TABLES:
            columns = columns_of(table)
            with writer(partial / f"{table.name}{suffix}", columns) as file:
                counts[table.name] = 0
                query = _query(table, columns, environment)
                with closing(_masked(connection, query, mask)) as parts:
                    for rows in parts:
                        file.add(rows)
                        counts[table.name] += len(rows)
        partial.rename(folder)
    finally:
        with suppress(OSError):
            shutil.rmtree(partial)
    return counts


def columns_of(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table that are exported."""
    return tuple(
        Column(one.name, _kind(one.name, one.type))
        for one in table.columns
        if not isinstance(one.type, LargeBinary) and (table.name, one.name) != ("runs", "runbook")
    )


def _kind(name: str, type_: object) -> Kind:
    match type_:
        case Boolean():
            return Kind.BOOLEAN
        case Integer():
            return Kind.INTEGER
        case Double():
            return Kind.NUMBER
    return Kind.MOMENT if name.endswith("_at") else Kind.TEXT


def _query(table: Table, columns: Sequence[Column], environment: str) -> Select[Any]:
    query = select(*(table.c[one.name] for one in columns)).order_by(*table.primary_key.columns)
    if not environment:
        return query
    if "environment" in table.c:
        return query.where(table.c.environment == environment)
    column, owner = ("combined_id", COMBINED) if "combined_id" in table.c else ("run_id", RUNS)
    return query.where(table.c[column].in_(select(owner.c.id).where(owner.c.environment == environment)))


def _masked(
    connection: Connection, query: Select[Any], mask: Callable[[str], str]
) -> Generator[Sequence[Row]]:
    with connection.execute(query.execution_options(yield_per=_ROWS)) as found:
        for rows in found.mappings().partitions():
            yield [
                {name: mask(value) if isinstance(value, str) else value for name, value in row.items()}
                for row in rows
            ]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
            text = f"'{value}" if formula else value
            return '"' + text.replace('"', '""') + '"'
    return str(value)
