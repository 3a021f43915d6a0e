"""How things were before the deployment, by a baseline or the last good run; the file of a baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from plugins.judge.evidence import Evidence
from plugins.judge.seen import COMMIT_ITEM
from plugins.model.circumstances import Before
from plugins.model.recorded import RecordedRun
from plugins.model.result import Measurement
from plugins.model.verdict import Verdict
from plugins.model.words import Attribution

BASELINE = "baseline.json"
"""In the report of a run with --baseline: which run it is, and its whole verdict."""


@dataclass(frozen=True, slots=True)
class Known:
    """A run that shows how things were.

    Attributes:
        before: its age is not known yet, and 0.
        measurements: of its items, by id.
    """

    before: Before
    measurements: Mapping[str, tuple[Measurement, ...]]


def known(run: RecordedRun) -> Known:
    """What a recorded run shows."""
    return _known(run.verdict, run.id, run.commit, baseline=run.baseline)


def baseline_json(verdict: Verdict, run: str) -> str:
    """The text of the file that keeps a baseline."""
    return json.dumps({"run": run, "verdict": verdict.as_json()}, ensure_ascii=False, indent=2) + "\n"


def newest_file(folder: Path) -> Known | None:
    """The baseline that was kept last as a file, in any report of the folder; None where there is none."""
    found: list[Known] = []
    for path in folder.glob(f"*/{BASELINE}"):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            verdict = Verdict.from_json(data["verdict"])
            found.append(_known(verdict, str(data["run"]), _commit(verdict), baseline=True))
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            continue
    return max(found, key=lambda one: one.before.finished_at, default=None)


def with_before(evidence: Evidence, found: Known | None) -> Evidence:
    """The evidence with what is known of before; only what an objective compares is taken of its numbers."""
    if found is None:
        return evidence
    ended, now = map(datetime.fromisoformat, (found.before.finished_at, evidence.finished_at))
    slos = evidence.runbook.slos
    compared = {slo.item for slo in slos} | {slo.truer.item for slo in slos if slo.truer}
    return replace(
        evidence,
        before=replace(found.before, age_s=max(0.0, (now - ended).total_seconds())),
        baseline={item: taken for item, taken in found.measurements.items() if item in compared},
    )


def _known(verdict: Verdict, run: str, commit: str, *, baseline: bool) -> Known:
    """What our own side disturbed then says nothing of how things were."""
    told = [item for item in verdict.items if item.attribution is not Attribution.PROBER]
    before = Before(
        run=run,
        baseline=baseline,
        commit=commit,
        finished_at=verdict.finished_at,
        age_s=0.0,
        statuses={item.id: item.status for item in told},
    )
    return Known(before, {item.id: item.measurements for item in told if item.measurements})


def _commit(verdict: Verdict) -> str:
    """The commit that every service named of itself, else the one that was asked for."""
    named = {
        str(taken.value) for item in verdict.items if item.id == COMMIT_ITEM for taken in item.measurements
    }
    return named.pop() if len(named) == 1 else verdict.commit
