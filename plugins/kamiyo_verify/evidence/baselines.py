"""The state before the deployment, from a baseline or the last good run, and the baseline file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from kamiyo_verify.judge.attribution.before import (
    addresses,
    failed_before,
    is_too_old,
    other_address,
    why_unusable,
)
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.schema_since import MIGRATIONS_ITEM
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM
from kamiyo_verify.judge.rules.data_loss import counted_items
from kamiyo_verify.model.circumstances import Before, FailedBefore
from kamiyo_verify.model.history.recorded_run import RecordedRun
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Attribution, Status

BASELINE = "baseline.json"
"""The file in the report of a run with --baseline: the run's id and its complete verdict."""


@dataclass(frozen=True, slots=True)
class Known:
    """The state that an earlier run shows.

    Attributes:
        before: the earlier state; its age is not set yet and 0.
        measurements: the measurements of its items, by item id.
    """

    before: Before
    measurements: Mapping[str, tuple[Measurement, ...]]


def known(run: RecordedRun, *, moves: bool = False) -> Known:
    """Return the state that a recorded run shows.

    Args:
        run: the earlier run.
        moves: each run starts the platform at another address, so that the address shows nothing.
    """
    shown = _known(run.verdict, run.id, run.commit, baseline=run.baseline)
    failures = {
        result.item: failed_before(result)
        for result in run.results
        if shown.before.statuses.get(result.item) in {Status.FAILED, Status.ERROR}
    }
    asked = {} if moves else addresses(run.results)
    return replace(shown, before=replace(shown.before, failures=failures, addresses=asked))


def baseline_json(verdict: Verdict, run: str) -> str:
    """Return the text of the baseline file."""
    return json.dumps({"run": run, "verdict": verdict.as_json()}, ensure_ascii=False, indent=2) + "\n"


def newest_file(folder: Path, place: str = "") -> Known | None:
    """Return the newest baseline file of a place in the reports of a folder; None if there is none."""
    found: list[Known] = []
    for path in folder.glob(f"*/{BASELINE}"):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            verdict = Verdict.from_json(data["verdict"])
            if verdict.place != place:
                continue
            found.append(_known(verdict, str(data["run"]), _commit(verdict), baseline=True))
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            continue
    return max(found, key=lambda one: one.before.finished_at, default=None)


def with_before(evidence: Evidence, found: Known | None) -> Evidence:
    """Return the evidence with the earlier state and the earlier measurements that are compared.

    No measurements are added if the earlier run is too old, or asked another address. If it is of the same
    commit, only the counts of rows and the list of migrations are: they are facts about the database, not
    about the code.
    """
    if found is None or evidence.records_baseline:
        return evidence
    ended, now = map(datetime.fromisoformat, (found.before.finished_at, evidence.finished_at))
    slos = evidence.runbook.slos
    compared = {slo.item for slo in slos} | {
        slo.preferred_source.item for slo in slos if slo.preferred_source
    }
    counted = {MIGRATIONS_ITEM, *counted_items(evidence.runbook)}
    compared |= counted
    evidence = replace(evidence, before=replace(found.before, age_s=max(0.0, (now - ended).total_seconds())))
    if is_too_old(evidence) or other_address(evidence):
        return evidence
    if why_unusable(evidence):  # of the same commit: rows and migrations are compared all the same
        compared = counted
    return replace(
        evidence,
        baseline={item: taken for item, taken in found.measurements.items() if item in compared},
    )


def _known(verdict: Verdict, run: str, commit: str, *, baseline: bool) -> Known:
    """Return the state from a verdict, without items that our own side failed, or that were not tried."""
    comparable = [
        item
        for item in verdict.items
        if item.attribution is not Attribution.PROBER
        and (item.status is not Status.ERROR or item.attribution is not None)
    ]
    before = Before(
        run=run,
        baseline=baseline,
        commit=commit,
        finished_at=verdict.finished_at,
        age_s=0.0,
        statuses={item.id: item.status for item in comparable},
        failures={
            item.id: FailedBefore(measurements=_single(item.measurements))
            for item in comparable
            if item.status is Status.FAILED
        },
    )
    return Known(before, {item.id: item.measurements for item in comparable if item.measurements})


def _single(measurements: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    return tuple(taken for taken in measurements if not isinstance(taken.value, tuple))


def _commit(verdict: Verdict) -> str:
    """Return the commit that all services reported, else the requested commit."""
    named = {
        str(taken.value) for item in verdict.items if item.id == COMMIT_ITEM for taken in item.measurements
    }
    return named.pop() if len(named) == 1 else verdict.commit
