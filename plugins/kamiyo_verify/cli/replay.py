"""Judge recorded runs again, offline: `kamiyo-verify replay RUN_DIR [--policy FILE]`, or `--ledger`.

With the same runbook, a run gets an identical verdict, byte for byte. With another runbook, the output shows
what that runbook would recommend for the same evidence.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kamiyo_verify.cli.file_problems import problem_of
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.ledger_address import ledger_of
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.evidence.recording import NoRecording, judged, judged_by, read_recording
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Recording
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting.json import verdict_json

SAME, DIFFERENT, USAGE = 0, 1, 2
"""Exit codes. With --policy a different verdict is an expected result, so the exit code is SAME."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run with its old and new verdict.

    Attributes:
        then: the text of the recorded verdict.json.
        was: the recorded verdict.
        now: the new verdict.
    """

    run: str
    then: str
    was: Verdict
    now: Verdict

    @property
    def identical(self) -> bool:
        """Whether both verdicts are identical, byte for byte."""
        return self.then == verdict_json(self.now)

    @property
    def another_call(self) -> bool:
        """Whether the recommendation has changed."""
        return self.was.recommendation is not self.now.recommendation


def replay(recording: Recording, policy: Runbook | None, then: str = "") -> Replayed:
    """Judge a recording again.

    Args:
        recording: the recording of a run.
        policy: the runbook to judge by; None for the run's own.
        then: the text of its verdict.json, or "" if that file does not exist.
    """
    now = judged(recording) if policy is None else judged_by(fitted(recording, policy), policy)
    return Replayed(recording.run.id, then or verdict_json(recording.run.verdict), recording.run.verdict, now)


def fitted(recording: Recording, policy: Runbook) -> Recording:
    """Return the recording without the items that the other runbook does not have."""
    known = {item.id for item in policy.items}
    evidence: dict[str, Any] = dict(recording.evidence)
    evidence["results"] = [result for result in evidence["results"] if result["item"] in known]
    for key in ("expected", "no_check"):
        evidence[key] = [item for item in evidence[key] if item in known]
    evidence["not_run"] = {item: why for item, why in evidence.get("not_run", {}).items() if item in known}
    return dataclasses.replace(recording, evidence=evidence)


def table(replayed: Sequence[Replayed]) -> Iterator[str]:
    """Format one line for each run: the old and the new recommendation."""
    width = max((len(one.run) for one in replayed), default=3)
    yield f"{'run':<{width}}  {'then':<12}  {'now':<12}  changed"
    for one in replayed:
        changed = "yes" if one.another_call else "no" if one.identical else "in its details"
        yield f"{one.run:<{width}}  {one.was.recommendation:<12}  {one.now.recommendation:<12}  {changed}"
        if one.another_call:
            yield f"{'':<{width}}  then: {one.was.headline}"
            yield f"{'':<{width}}  now:  {one.now.headline}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    if bool(options.run_dir) == options.ledger:
        return _refuse("name a run's folder, or --ledger for every run that is recorded")
    try:
        policy = load_runbook(options.policy) if options.policy else None
        replayed = (
            [*_of_ledger(options.env, policy)] if options.ledger else [_of_folder(options.run_dir, policy)]
        )
    except (ConfigurationError, LedgerUnavailable, NoRecording, OSError) as error:
        return _refuse(problem_of(error, "a run is the folder of its report, such as reports/latest"))
    if options.output:
        options.output.write_text("".join(verdict_json(one.now) for one in replayed), encoding="utf-8")
    _say(table(replayed))
    same = sum(one.identical for one in replayed)
    if policy is None:
        _say([f"{same} of {len(replayed)} verdicts are identical to the byte"])
        return SAME if same == len(replayed) else DIFFERENT
    calls = sum(one.another_call for one in replayed)
    _say([f"by {options.policy}: another call for {calls} of {len(replayed)}"])
    return SAME


def _of_folder(folder: Path, policy: Runbook | None) -> Replayed:
    recording = read_recording(folder / "evidence.jsonl")
    verdict = folder / "verdict.json"
    return replay(recording, policy, verdict.read_text(encoding="utf-8") if verdict.exists() else "")


def _of_ledger(environment: str, policy: Runbook | None) -> Iterator[Replayed]:
    with Store.opened(ledger_of(environment, Path.cwd())) as store:
        for recording in store.recordings(environment):
            yield replay(recording, policy)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kamiyo-verify replay", description=__doc__)
    add = parser.add_argument
    add("run_dir", type=Path, nargs="?", metavar="RUN_DIR", help="a run's report folder: reports/prod/…")
    add("--policy", type=Path, metavar="FILE", help="judge by this runbook.toml instead of the run's own")
    add("--ledger", action="store_true", help="judge every run of the ledger")
    add("--env", default="", metavar="NAME", help="with --ledger: this environment's ledger, its runs only")
    add("--output", type=Path, metavar="FILE", help="write the new verdict.json here")
    return parser


def _refuse(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return USAGE


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
