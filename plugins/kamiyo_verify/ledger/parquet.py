"""Parquet files of the ledger's tables, by pyarrow, which the extra `export` installs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow import parquet

from kamiyo_verify.ledger.export import Column, Kind, Row

_TYPES: dict[Kind, Any] = {
    Kind.TEXT: pa.string(),
    Kind.MOMENT: pa.timestamp("ms", tz="UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
}


class ParquetWriter:
    """Writes a Parquet file; moments are timestamps with milliseconds in UTC, unknown ones are null."""

    suffix = ".parquet"

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._moments = [one.name for one in columns if one.kind is Kind.MOMENT]
        self._schema = pa.schema([(one.name, _TYPES[one.kind]) for one in columns])
        self._file = parquet.ParquetWriter(path, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        typed = [{**row, **{name: _moment(row[name]) for name in self._moments}} for row in rows]
        self._file.write_table(pa.Table.from_pylist(typed, schema=self._schema))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
