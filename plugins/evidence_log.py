"""evidence.jsonl: what was found, line by line as it is found, so that a run that dies leaves a trace."""

from __future__ import annotations

import contextlib
import json
import secrets
from pathlib import Path
from typing import Any

from plugins.ledger.lock import hold
from plugins.masking import Masker


class EvidenceLog:
    """One JSON object a line, each complete on the disk before the next is begun.

    Args:
        path: of the file. What it held before is gone, unless it is of a run that did not come to its end:
            that is put aside, for the ledger.
        masker: keeps secrets out.
    """

    def __init__(self, path: Path, masker: Masker) -> None:
        self._masker = masker
        _put_aside(path)
        self._file = path.open("w", encoding="utf-8")
        hold(self._file)

    def append(self, kind: str, **data: Any) -> str:
        """Add a line; returns it, as JSON.

        Args:
            kind: of line, as `plugins.recording` tells them.
            data: JSON-safe.
        """
        line = {"kind": kind} | self._masker.data(data)
        text = json.dumps(line, ensure_ascii=False, allow_nan=False)
        self._file.write(text + "\n")
        self._file.flush()
        return text

    def close(self) -> None:
        """No more lines."""
        self._file.close()


def _put_aside(path: Path) -> None:
    with contextlib.suppress(OSError):
        last = path.read_bytes().rpartition(b'{"kind": ')[2]
        if last and not last.startswith(b'"verdict"'):
            path.rename(path.with_stem(f"{path.stem}-{secrets.token_hex(4)}"))
