"""Run the phases of one deployment, one pytest process after the other, and record each exit code."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from kamiyo_verify.cli.ci.rounds import RoundFile, TurnRow, read_round
from kamiyo_verify.model.words import Phase
from kamiyo_verify.processes.terminate import interrupted_by_terminate

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_LONGEST_S = 5_400.0
"""Longer than any --deadline of a run; a run that exceeds it is terminated."""
_OF_THE_JOB = {
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "JOB_TOKEN",
}
_GRACE_S = 60.0
"""Seconds in which an interrupted run can still write its report."""


class Refused(ValueError):
    """The requested round cannot be run; the message names the valid choices."""


def planned(environment: str, commit: str, phases: str) -> RoundFile:
    """Build the requested round; all arguments are untrusted.

    Args:
        environment: the name of an environment.
        commit: 7 to 40 hex digits, or "".
        phases: names separated by spaces or commas; they run in the runbook's order.

    Raises:
        Refused: an argument is not valid.
    """
    check_environment(environment)
    if commit and not _COMMIT.fullmatch(commit.lower()):
        raise Refused(f"{commit!r} is no commit: 7 to 40 hex digits are")
    wanted = set(re.split(r"[\s,]+", phases.strip()))
    if unknown := sorted(wanted - set(Phase)):
        raise Refused(f"{', '.join(map(repr, unknown))}: no such phase; there are: {', '.join(Phase)}")
    if Phase.POSTDEPLOY in wanted:
        wanted.discard(Phase.PERFORMANCE)  # postdeploy runs its items too: they carry both marks
    turns = [TurnRow(phase=phase.value, folder=phase.value) for phase in Phase if phase in wanted]
    return RoundFile(environment=environment, commit=commit.lower(), turns=turns)


def check_environment(name: str) -> None:
    """Accept an environment name, and refuse a path.

    Raises:
        Refused: the name is not valid for an environment.
    """
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is no environment's name: small letters, digits and - are")


def run_all(round_file: RoundFile, folder: Path, more: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run every phase; skip the other phases if the commit did not go live.

    Args:
        round_file: the round; it is written to the folder before each run and after the last.
        folder: the folder of the reports.
        more: further arguments for every pytest run.
        variables: the environment variables of the process.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    round_file.write(folder)
    with interrupted_by_terminate():
        for row in round_file.turns:
            if row.left_out:
                continue
            try:
                with _no_commands(variables):
                    row.exit_code = _run(round_file, row, folder, more, variables)
            finally:
                _leave_out_what_cannot_be(round_file, folder)
                round_file.write(folder)


def _run(
    round_file: RoundFile, row: TurnRow, folder: Path, more: Sequence[str], variables: Mapping[str, str]
) -> int | None:
    asked = [f"--env={round_file.environment}", f"--report-dir={(folder / row.folder).resolve()}"]
    asked += [f"--commit={round_file.commit}"] if round_file.commit else []
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
    """Remove variables that give access to the job: its output files and its tokens."""
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


def _leave_out_what_cannot_be(round_file: RoundFile, folder: Path) -> None:
    """Skip the remaining phases if the commit did not go live."""
    round_file.write(folder)
    if not any(verdict.deployment.seen.failed for verdict in read_round(folder).verdicts):
        return
    for row in round_file.turns:
        if row.exit_code is None and row.phase != Phase.DEPLOY:
            row.left_out = "the commit did not go live, so there is nothing of it to look at"


@contextmanager
def _no_commands(variables: Mapping[str, str]) -> Iterator[None]:
    """Stop workflow commands during a run, because its output may contain text from a target.

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


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
