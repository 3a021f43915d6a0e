"""The log evidence.jsonl, written line by line during the run, so that a killed run leaves evidence."""

from __future__ import annotations

import contextlib
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.evidence.lock import FolderLock, hold
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.unwritable import unwritable
from kamiyo_verify.model.writing.text import written_out_in_json


class EvidenceLog:
    """Writes one JSON object per line; each is flushed before the next begins.

    Args:
        path: the path of the file. A file of another run is renamed, never overwritten.
        masker: masks secrets.

    Attributes:
        path: the path of the file.
        problem: why lines are missing on the disk, such as a full disk; "" if none are missing.

    Raises:
        pytest.UsageError: another run is writing to this folder.
    """

    def __init__(self, path: Path, masker: Masker) -> None:
        self.path = path
        self.problem = ""
        self._masker = masker
        self._lock = FolderLock(path.parent)
        if not self._lock.held:
            raise pytest.UsageError(
                f"--report-dir {path.parent}: another run writes its report there; choose another folder"
            )
        _put_aside(path)
        self._file = path.open("w", encoding="utf-8")
        hold(self._file)

    def append(self, kind: str, **data: Any) -> str:
        """Append a line, and return it as JSON.

        Args:
            kind: the kind of line; see `kamiyo_verify.evidence.recording`.
            data: the fields of the line, JSON-safe.
        """
        line = {"kind": kind} | self._masker.data(data)
        text = written_out_in_json(json.dumps(line, ensure_ascii=False, allow_nan=False))
        try:
            self._file.write(text + "\n")
            self._file.flush()
        except OSError as error:
            if not unwritable(error):
                raise
            self.problem = str(error)
        return text

    def close(self) -> None:
        """Close the file and release the lock."""
        with contextlib.suppress(OSError):  # an earlier write error may occur again
            self._file.close()
        self._lock.release()


def _put_aside(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.stat().st_size:
            path.rename(path.with_stem(f"{path.stem}-{secrets.token_hex(4)}"))
