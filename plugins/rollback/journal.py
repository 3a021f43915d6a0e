"""What an execution did, written down before and after each call, so that even kill -9 leaves the truth.

One JSON object a line, on the disk before anything else happens. A call without a line after it may have been
carried out: whoever goes on looks before sending it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from plugins.ledger.lock import try_to_hold
from plugins.masking import Masker
from plugins.model.rollback import CannotRollBack

FILE = "rollback.jsonl"
_LOCK = ".rollback.lock"

BEGUN, CALL, ANSWER, SEEN, STOPPED, DONE = "begun", "call", "answer", "seen", "stopped", "done"
VERIFIED, RECORDED = "verified", "recorded"


def now() -> str:
    """This moment in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier executions of the same rollback have written.

    Attributes:
        lines: in order; a last one that is torn does not count.
    """

    lines: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The journal of a folder; empty where there is none.

        Raises:
            OSError: it cannot be read.
        """
        path = folder / FILE
        return cls(tuple(_objects(path)) if path.exists() else ())

    @property
    def begun(self) -> bool:
        """An execution was begun here."""
        return bool(self.lines)

    @property
    def finished(self) -> bool:
        """The newest one ended with everything back, verified and recorded as far as that went."""
        kinds = [line.get("kind") for line in self.lines]
        begun = max((at for at, kind in enumerate(kinds) if kind == BEGUN), default=0)
        return RECORDED in kinds[begun:]

    @property
    def began_at(self) -> str:
        """When the first execution was begun; "" where none was."""
        return str(self.lines[0].get("at", "")) if self.lines else ""

    @property
    def sent(self) -> bool:
        """Something was sent to Render."""
        return any(line.get("kind") == CALL for line in self.lines)

    def last_call(self, service: str) -> tuple[datetime | None, str]:
        """When the service's last rollback was sent, and the deploy that Render began by it, or ""."""
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
    """Writes one.

    Args:
        folder: where; it is made.
        masker: nothing is written without it.

    Raises:
        OSError: here and from `write`: the disk does not take it.
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

    def write(self, kind: str, **told: Any) -> None:
        """Write a line; it is on the disk when this returns."""
        line = json.dumps(self._masker.data({"at": now(), "kind": kind, **told}), ensure_ascii=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _ends_well(self) -> bool:
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1) == b"\n"


@contextmanager
def alone(reports: Path, environment: str, by: str) -> Iterator[None]:
    """Nobody else on this machine rolls the environment back for the length of the block.

    Raises:
        CannotRollBack: somebody does.
        OSError: the folder of the reports cannot be written to.
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
            continue  # torn by the end of its process
        if isinstance(found, dict):
            yield found


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _sync_folder(folder: Path) -> None:
    """A new file's name is on the disk only when its folder is."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
