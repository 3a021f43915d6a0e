"""Runs the phases of one deployment, one pytest after the other, and writes down how each ended."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from plugins.ci.rounds import RoundFile, TurnRow, read_round
from plugins.model.words import Phase

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_LONGEST_S = 5_400.0
"""Over any --deadline that a run keeps by itself; a run that does not is ended from outside."""
_OF_THE_JOB = {
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "JOB_TOKEN",
}
_GRACE_S = 60.0
"""For a run that was told to end: it still writes its report."""


class Refused(ValueError):
    """What was asked for cannot be run; the message says what can."""


def planned(environment: str, commit: str, phases: str) -> RoundFile:
    """The round that is asked for; every word may come from outside.

    Args:
        environment: the name of an environment.
        commit: 7 to 40 hex digits, or "".
        phases: by their names, with spaces or commas between them; the order is the runbook's.

    Raises:
        Refused: something of that is not what it should be.
    """
    check_environment(environment)
    if commit and not _COMMIT.fullmatch(commit.lower()):
        raise Refused(f"{commit!r} is no commit: 7 to 40 hex digits are")
    wanted = set(re.split(r"[\s,]+", phases.strip()))
    if unknown := sorted(wanted - set(Phase)):
        raise Refused(f"{', '.join(map(repr, unknown))}: no such phase; there are: {', '.join(Phase)}")
    if Phase.POSTDEPLOY in wanted:
        wanted.discard(Phase.PERFORMANCE)  # its items carry both marks
    turns = [TurnRow(phase=phase.value, folder=phase.value) for phase in Phase if phase in wanted]
    return RoundFile(environment=environment, commit=commit.lower(), turns=turns)


def check_environment(name: str) -> None:
    """Let a name pass, and no path.

    Raises:
        Refused: it can be no environment's name.
    """
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is no environment's name: small letters, digits and - are")


def run_all(told: RoundFile, folder: Path, more: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run every phase, but none of a commit that did not go live.

    Args:
        told: what is to be run; written to the folder before each run and after the last.
        folder: of the reports.
        more: further arguments of every pytest.
        variables: the process environment.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told.write(folder)
    with _asked_to_end_as_by_a_key():
        for row in told.turns:
            if row.left_out:
                continue
            try:
                with _no_commands(variables):
                    row.exit_code = _run(told, row, folder, more, variables)
            finally:
                _leave_out_what_cannot_be(told, folder)
                told.write(folder)


def _run(
    told: RoundFile, row: TurnRow, folder: Path, more: Sequence[str], variables: Mapping[str, str]
) -> int | None:
    asked = [f"--env={told.environment}", f"--report-dir={(folder / row.folder).resolve()}"]
    asked += [f"--commit={told.commit}"] if told.commit else []
    command = [sys.executable, "-m", "pytest", "-m", row.phase, *asked, *more]
    with subprocess.Popen(command, env=_for_a_run(variables), stdin=subprocess.DEVNULL) as process:  # noqa: S603 - no shell; validated above
        try:
            return process.wait(_LONGEST_S)
        except subprocess.TimeoutExpired:
            _end(process)
            return None
        except KeyboardInterrupt:
            _end(process)
            raise


def _for_a_run(variables: Mapping[str, str]) -> dict[str, str]:
    """Without what leads into the job: its files of outputs and variables, and its tokens."""
    return {
        name: value
        for name, value in variables.items()
        if name not in _OF_THE_JOB and not name.startswith("ACTIONS_")
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _leave_out_what_cannot_be(told: RoundFile, folder: Path) -> None:
    """Of a commit that did not go live, no other phase has anything to say."""
    told.write(folder)
    if not any(verdict.deployment.seen.failed for verdict in read_round(folder).verdicts):
        return
    for row in told.turns:
        if row.exit_code is None and row.phase != Phase.DEPLOY:
            row.left_out = "the commit did not go live, so there is nothing of it to look at"


@contextmanager
def _no_commands(variables: Mapping[str, str]) -> Iterator[None]:
    """Let nothing that a run prints, such as what a target sent, be a workflow command.

    Source: docs.github.com, "Stopping and starting workflow commands".
    """
    if variables.get("GITHUB_ACTIONS") != "true":
        yield
        return
    word = secrets.token_hex(16)
    _say(f"::stop-commands::{word}")
    try:
        yield
    finally:
        _say(f"::{word}::")


@contextmanager
def _asked_to_end_as_by_a_key() -> Iterator[None]:
    """A job that is cancelled gets SIGTERM: its reports are written all the same."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
