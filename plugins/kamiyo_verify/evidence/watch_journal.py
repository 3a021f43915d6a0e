"""The journal of a watch, watch.jsonl: its plan and a line for each round, to go on after a kill."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.adapters import adapter
from kamiyo_verify.model.history.watch import RoundRecord, WatchPlan
from kamiyo_verify.model.writing.text import written_out_in_json

FILE = "watch.jsonl"
SCHEMA = "kamiyo-verify-watch/1"


class BadJournal(Exception):
    """A file is no journal of a watch that can go on; the message gives the reason."""


class WatchJournal:
    """Reads the rounds so far, and appends a line for each further one.

    Args:
        folder: the folder of the watch.
        plan: of a new watch. A journal that exists keeps its own.
        masker: masks secrets.

    Attributes:
        plan: the plan of the watch.
        rounds: the rounds so far.
        continued: whether the journal existed.

    Raises:
        BadJournal: the file is no journal.
        OSError: the file cannot be read or written.
    """

    def __init__(self, folder: Path, plan: WatchPlan, masker: Masker) -> None:
        self._path = folder / FILE
        self._masker = masker
        self.plan = plan
        self.rounds: list[RoundRecord] = []
        self.continued = False
        if self._path.exists():
            self._read()
        if not self.continued:
            self._append(
                "watch", {"schema": SCHEMA, "plan": adapter(WatchPlan).dump_python(plan, mode="json")}
            )

    def append(self, record: RoundRecord) -> RoundRecord:
        """Append a round, and return it as the journal holds it, without secrets."""
        data = self._append("round", {"round": adapter(RoundRecord).dump_python(record, mode="json")})
        kept = adapter(RoundRecord).validate_python(data["round"])
        self.rounds.append(kept)
        return kept

    def _append(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        line: dict[str, Any] = {"kind": kind} | self._masker.data(data)
        text = written_out_in_json(json.dumps(line, ensure_ascii=False, allow_nan=False))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        return line

    def _read(self) -> None:
        """Read all whole lines; cut off one that a kill left incomplete."""
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(self._path, len(whole))
        if not whole:
            return
        try:
            head, *rest = (json.loads(line) for line in whole.splitlines())
            if head["kind"] != "watch" or head["schema"] != SCHEMA:
                raise BadJournal(f"{self._path}: is no journal of a watch ({SCHEMA})")
            self.plan = adapter(WatchPlan).validate_python(head["plan"])
            self.rounds = [adapter(RoundRecord).validate_python(line["round"]) for line in rest]
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise BadJournal(f"{self._path}: is no journal of a watch: {type(error).__name__}") from None
        self.continued = True
