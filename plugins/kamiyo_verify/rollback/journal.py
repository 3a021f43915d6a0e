"""Rollback journal: a line before and after each call, so that the record survives even kill -9.

The journal holds one JSON object a line, flushed to disk before the next step. A call without a line after it
may have been carried out: an execution that continues checks the host before it sends the call again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

from kamiyo_verify.evidence.lock import try_to_hold
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.hosting.rollback import CannotRollBack

FILE = "rollback.jsonl"
_LOCK = ".rollback.lock"

BEGUN, CALL, ANSWER, SEEN, STOPPED, DONE = "begun", "call", "answer", "seen", "stopped", "done"
VERIFIED, RECORDED = "verified", "recorded"
_AT_THE_HOST = frozenset({CALL, ANSWER, SEEN, STOPPED, DONE})


@dataclass(frozen=True, slots=True)
class Past:
    """The lines that earlier executions of the same rollback wrote.

    Attributes:
        lines: in order, without an incomplete last line.
    """

    lines: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the journal of a folder; empty if there is none.

        Raises:
            OSError: the file cannot be read.
        """
        path = folder / FILE
        return cls(tuple(_objects(path)) if path.exists() else ())

    @property
    def begun(self) -> bool:
        """Whether an execution was started."""
        return bool(self.lines)

    @property
    def finished(self) -> bool:
        """Whether the newest execution recorded its decision, its last step."""
        kinds = [line.get("kind") for line in self.lines]
        begun = max((at for at, kind in enumerate(kinds) if kind == BEGUN), default=0)
        return RECORDED in kinds[begun:]

    @property
    def began_at(self) -> str:
        """When the first execution started (ISO 8601); "" if none did."""
        return str(self.lines[0].get("at", "")) if self.lines else ""

    @property
    def sent(self) -> bool:
        """Whether any call was sent to the host."""
        return any(line.get("kind") == CALL for line in self.lines)

    @property
    def rolled_back_at(self) -> datetime | None:
        """When the last step at the host was written; None if no rollback was sent."""
        if not any(line.get("kind") == CALL and line.get("what") == "rollback" for line in self.lines):
            return None
        steps = (_moment(line.get("at")) for line in self.lines if line.get("kind") in _AT_THE_HOST)
        return max((at for at in steps if at is not None), default=None)

    def resume(self, service: str) -> str:
        """The call that switches the service's auto-deploy back to what it was; "" if it was not switched."""
        calls = (line for line in self.lines if line.get("kind") == CALL and line.get("service") == service)
        return next((str(line["resume"]) for line in calls if line.get("resume")), "")

    def last_call(self, service: str) -> tuple[datetime | None, str]:
        """When the service's last rollback was sent, and the id of the deploy that it started, or ""."""
        of = [
            line
            for line in self.lines
            if line.get("service") == service and line.get("kind") in {CALL, ANSWER}
        ]
        at, deploy = None, ""
        for line in of:
            if line.get("what") == "rollback":
                if line["kind"] == CALL:
                    at, deploy = _moment(line.get("at")), ""
                else:
                    deploy = str(line.get("deploy", ""))
        return at, deploy


class Journal:
    """Writes a rollback journal.

    Args:
        folder: the folder of the journal; it is created.
        masker: masks secrets in every line.

    Raises:
        OSError: here and in `write`: the file cannot be written.
    """

    def __init__(self, folder: Path, masker: Masker) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._masker = masker
        new = not self.path.exists()
        self._file = self.path.open("a+b")
        if self._file.tell() and not self._ends_well():
            self._file.write(b"\n")
        if new:
            _sync_folder(folder)

    def write(self, kind: str, **fields: Any) -> None:
        """Write a line and flush it to disk before returning."""
        line = json.dumps(self._masker.data({"at": now(), "kind": kind, **fields}), ensure_ascii=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _ends_well(self) -> bool:
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1) == b"\n"


@contextmanager
def alone(reports: Path, environment: str, by: str) -> Iterator[None]:
    """Lock the environment against other rollbacks on this machine for the duration of the block.

    Raises:
        CannotRollBack: another rollback holds the lock.
        OSError: the reports' folder cannot be written to.
    """
    folder = reports / environment
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+", encoding="utf-8") as file:
        if not try_to_hold(file):
            file.seek(0)
            whose = file.read().strip() or "it does not say whose"
            raise CannotRollBack(f"another rollback of {environment} is running ({whose}): wait for its end")
        _sign(file, f"{by}, process {os.getpid()}, since {now()}")
        yield
        _sign(file, "")


def _sign(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _objects(path: Path) -> Iterator[Mapping[str, Any]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # incomplete: its process ended while writing
        if isinstance(found, dict):
            yield found


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _sync_folder(folder: Path) -> None:
    """Flush the folder: a new file's name is on disk only after that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
