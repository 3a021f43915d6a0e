"""`kamiyo-verify ledger export`: the ledger's tables as CSV or Parquet files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from kamiyo_verify.cli.documents.sources import Sources
from kamiyo_verify.config.draft import shown
from kamiyo_verify.ledger.export import Column, CsvWriter, Writer
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.figures import counted

FORMATS = ("csv", "parquet")

WITHIN_S = 3600.0
"""Seconds for which an export may read a PostgreSQL."""


def export(store: Store, options: argparse.Namespace) -> Iterator[str]:
    """Write the files; yield lines for the terminal.

    Raises:
        LookupError: the format needs a package that is not installed.
        LedgerUnavailable: the ledger cannot be read.
        OSError: the files cannot be written, or are there already.
    """
    suffix, writer = _writer(options.format)
    folder = options.output or Path("reports") / f"export-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    masker = Sources.of(Path.cwd(), "").masker  # of every environment: what one must not show, none may
    counts = store.export(folder, writer, suffix=suffix, environment=options.env, mask=masker.text)
    for name, count in counts.items():
        yield f"{name}{suffix}: {counted(count, 'row')}"
    yield f"written to {shown(folder.resolve())}"


def _writer(name: str) -> tuple[str, Callable[[Path, Sequence[Column]], Writer]]:
    if name == "csv":
        return CsvWriter.suffix, CsvWriter
    if find_spec("pyarrow") is None:
        raise LookupError("pyarrow is not installed; Parquet needs: pip install 'kamiyo-verify[export]'")
    from kamiyo_verify.ledger.parquet import ParquetWriter  # noqa: PLC0415 - needs pyarrow

    return ParquetWriter.suffix, ParquetWriter
