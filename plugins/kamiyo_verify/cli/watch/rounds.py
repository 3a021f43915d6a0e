"""One round of a watch: a run of pytest in a process of its own, and its record from its evidence."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from kamiyo_verify.evidence.lock import nobody_writes
from kamiyo_verify.evidence.older_recordings import current_runbook
from kamiyo_verify.evidence.recording import NoRecording, evidence_from, judged, read_recording
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.judge.watch.rounds import record_of, without_verdict
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.history.recorded_run import Ending
from kamiyo_verify.model.history.watch import RoundRecord
from kamiyo_verify.model.runbook import Runbook

OUTPUT = "output.txt"
_EVIDENCE = "evidence.jsonl"
_LONGEST_S = 5_400.0
"""Longer than any --deadline of a run; a run that exceeds it is ended."""
_GRACE_S = 60.0
_POLL_S = 0.2


class RoundRefused(Exception):
    """pytest refused the command line, the environment or the runbook; the message is its own."""


class Rounds:
    """Runs rounds, and reads what they left.

    Args:
        folder: the folder of the watch; each round has a folder below it.
        root: the project's folder.
        arguments: pytest's arguments.
        variables: the environment variables of each round.
    """

    def __init__(
        self, folder: Path, root: Path, arguments: Sequence[str], variables: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self._root = root
        self._arguments = tuple(arguments)
        self._variables = dict(variables)

    def folder(self, number: int) -> Path:
        """The folder of a round's report."""
        return self._folder / "rounds" / f"{number:04}"

    def begun(self, number: int) -> bool:
        """Whether a round has begun, by this process or by one that was killed."""
        return self.folder(number).exists()

    def run(self, number: int) -> RoundRecord:
        """Run a round to its end.

        Raises:
            RoundRefused: nothing can be run.
        """
        folder = self.folder(number)
        folder.mkdir(parents=True)
        started_at = now()
        command = [sys.executable, "-m", "pytest", f"--report-dir={folder}", "--no-notify", *self._arguments]
        with (folder / OUTPUT).open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - no shell; pytest validates its own arguments
                command,
                cwd=self._root,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches it once, from here
            )
            try:
                code = process.wait(_LONGEST_S)
            except subprocess.TimeoutExpired:
                code = _end(process)
            except KeyboardInterrupt:
                _end(process)
                raise
        record = self.read(number, started_at)
        if code == ExitCode.USAGE_ERROR and record.call is None:
            raise RoundRefused(_last_lines(folder / OUTPUT) or f"pytest ended with exit code {code}")
        return record

    def read(self, number: int, started_at: str = "") -> RoundRecord:
        """Return the record of a round from its evidence; wait for a process that still writes it."""
        folder = self.folder(number)
        began = started_at or datetime.fromtimestamp(folder.stat().st_mtime, UTC).isoformat()
        try:
            _wait_for_writer(folder / _EVIDENCE)
            recording = read_recording(folder / _EVIDENCE)
            runbook = Runbook.model_validate(current_runbook(recording.runbook))
            # A watch adds the rounds up itself, so each is judged without the samples of earlier ones.
            alone = replace(recording, evidence={**recording.evidence, "earlier": None})
            evidence = evidence_from(alone.evidence, runbook)
            verdict = judged(alone)
        except (NoRecording, OSError, ValidationError):
            last = _last_lines(folder / OUTPUT, most=1)
            why = f"round {number} left no evidence{f': {last}' if last else ''}"
            return without_verdict(number, began, now(), why)
        cut_short = recording.problem
        if not cut_short and recording.run.ending is not Ending.FINISHED:
            cut_short = f"round {number} was cut short"
        return record_of(number, evidence, verdict, cut_short)


def _wait_for_writer(path: Path) -> None:
    """Wait until no process writes the evidence: pytest outlives a watch that was killed."""
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        with nobody_writes(path) as free:
            if free:
                return
        time.sleep(_POLL_S)


def _end(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _last_lines(path: Path, most: int = 8) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-most:])
