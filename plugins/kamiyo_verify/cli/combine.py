"""Make one call from the runs of several places: `kamiyo-verify combine RUN…`.

Start one ordinary run at each place, within the same hour, and name the place:

  pytest -m postdeploy --env prod --commit SHA --place frankfurt

Then collect the report folders on one machine and combine them. What fails at most places is the platform's
failure, and a rollback stays; what fails at a minority is regional. A place whose own network is in doubt is
left out. The exit code is that of the combined call (0, 10, 20, 30); 4: the runs cannot be combined.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from kamiyo_verify.cli.file_problems import problem_of
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environments import available
from kamiyo_verify.config.ledger_address import ledger_of
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.evidence.recording import NoRecording, masked, read_recording
from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.judge.places.requirements import CannotCombine
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.verdict import SCHEMA, Verdict
from kamiyo_verify.processes.background_job import BackgroundJob
from kamiyo_verify.reporting.inert import one_line
from kamiyo_verify.reporting.json import verdict_json
from kamiyo_verify.reporting.places import places_lines, places_md

_RUNBOOK = Path("runbook.toml")
_SEVERAL = 2
_LEDGER_S = 20.0
"""Seconds that the command waits for the ledger, as the end of a run does."""

_A_RUN = "a run is the folder of its report (reports/prod/latest), its verdict.json or its evidence.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Combine the runs, write the files and print the call; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        policy = policy_of(options.policy)
        verdict = masked(combine(map(read_run, options.runs), policy, datetime.now(UTC)), Masker())
        deliver(verdict, options.output)
    except (CannotCombine, ConfigurationError, NoRecording, OSError) as error:
        sys.stderr.write(f"cannot combine: {one_line(problem_of(error, _A_RUN), 600)}\n")
        return int(ExitCode.USAGE_ERROR)
    return verdict.exit_code


def deliver(verdict: Verdict, folder: Path) -> None:
    """Write the call of several places to a folder, print it, and record it in the ledger.

    Raises:
        OSError: a file cannot be written; nothing was printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "places.md").write_text(places_md(verdict), encoding="utf-8")
    (folder / "verdict.json").write_text(verdict_json(verdict), encoding="utf-8")
    sys.stdout.writelines(f"{line}\n" for line in places_lines(verdict, str(folder / "verdict.json")))
    if problem := _recorded(verdict):
        sys.stderr.write(f"Ledger       not written; the verdict does not change: {one_line(problem, 600)}\n")


def read_run(path: Path) -> Verdict:
    """Return the verdict of a run: of its folder, its verdict.json or its evidence.jsonl.

    Raises:
        NoRecording: the file holds no verdict of this version, or no run that can be judged.
        OSError: the file cannot be read.
    """
    if path.is_dir():
        path = next((file for file in (path / "verdict.json",) if file.exists()), path / "evidence.jsonl")
    if path.suffix == ".jsonl":
        return read_recording(path).run.verdict
    try:
        verdict = Verdict.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, ValueError) as error:
        raise NoRecording(f"{path}: is no verdict.json: {type(error).__name__}") from error
    if verdict.schema != SCHEMA:
        raise NoRecording(f"{path}: is of the schema {verdict.schema}, and {SCHEMA} is read")
    return verdict


def _recorded(verdict: Verdict) -> str:
    """Record the call in the ledger, if this project has the environment; return the problem, or ""."""
    root = Path.cwd()
    if len(verdict.places) < _SEVERAL or verdict.environment not in available(root / "environments"):
        return ""

    def record() -> None:
        from kamiyo_verify.ledger.store import Store  # noqa: PLC0415 - takes longer than to combine

        with Store.opened(ledger_of(verdict.environment, root)) as store:
            store.combine(verdict)

    try:
        BackgroundJob(record, "ledger").outcome(_LEDGER_S)
    except Exception as error:  # noqa: BLE001 - the call does not depend on the ledger
        return str(error) or type(error).__name__
    return ""


def policy_of(path: Path | None) -> Policy:
    """Return the policy of a runbook, by default of ./runbook.toml; without one, the default policy.

    Raises:
        ConfigurationError: the file has mistakes.
    """
    if path is None and not _RUNBOOK.exists():
        return Policy()
    return load_runbook(path or _RUNBOOK).policy


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify combine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    runs = "a report folder, a verdict.json or an evidence.jsonl; one of each place"
    add("runs", type=Path, nargs="+", metavar="RUN", help=runs)
    quorum = "the runbook.toml with [policy] places_quorum and places_within_min (default: ./runbook.toml)"
    add("--policy", type=Path, metavar="FILE", help=quorum)
    add("--output", type=Path, default=Path("reports/places"), metavar="DIR", help="write the files here")
    return parser
