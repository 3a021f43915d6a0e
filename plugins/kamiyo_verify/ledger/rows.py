"""Conversion between recorded runs and database rows."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Row

from kamiyo_verify.model.adapters import adapter
from kamiyo_verify.model.history.history import Deployed, PastRun, Source, Tally, TrafficSlice
from kamiyo_verify.model.history.recorded_run import (
    Decision,
    DecisionKind,
    Ending,
    RecordedRun,
    Recording,
)
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Attribution, Phase

Found: TypeAlias = Row[*tuple[Any, ...]]
"""A row of a query result, with its columns as attributes."""

_NOT_OURS = {Attribution.PRE_EXISTING, Attribution.THIRD_PARTY, Attribution.PROBER}


def packed(data: object) -> bytes:
    """Compress JSON-safe data."""
    return zlib.compress(_text(data).encode())


def unpacked(body: bytes) -> Any:
    """Decompress JSON-safe data."""
    return json.loads(zlib.decompress(body))


def runbook_row(runbook: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `runbooks`."""
    return {"digest": hashlib.sha256(_text(runbook).encode()).hexdigest(), "body": packed(runbook)}


def run_row(recording: Recording, runbook: str) -> dict[str, Any]:
    """A row of `runs`; `runbook` is the digest of its runbook."""
    run, verdict = recording.run, recording.run.verdict
    return {
        "id": run.id,
        "environment": run.environment,
        "phases": "+".join(run.phases),
        "commit_sha": run.commit,
        "baseline": run.baseline,
        "drill": run.drill,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "ending": run.ending,
        "folder": run.folder,
        "recommendation": verdict.recommendation,
        "exit_code": verdict.exit_code,
        "headline": verdict.headline,
        "blamed": blamed(verdict),
        "exitstatus": recording.exitstatus,
        "problem": recording.problem,
        "runbook": runbook,
        "evidence": packed(recording.evidence),
        "verdict": packed(verdict.as_json()),
        "place": verdict.place,
    }


def item_rows(run: RecordedRun) -> Iterator[dict[str, Any]]:
    """Rows of `items`."""
    for item in run.verdict.items:
        yield {
            "run_id": run.id,
            "item": item.id,
            "phase": item.phase,
            "status": item.status,
            "impact": item.impact,
            "attribution": item.attribution,
            "message": item.message,
            "duration_s": item.duration_s,
            "flaky": item.flaky,
        }


def measurement_rows(run: RecordedRun) -> Iterator[dict[str, Any]]:
    """Rows of `measurements`."""
    for result in run.results:
        for taken in result.measurements:
            yield {
                "run_id": run.id,
                "item": result.item,
                "name": taken.name,
                "number": _number(taken),
                "value": _text(taken.value),
                "unit": taken.unit,
            }


def objective_rows(run: RecordedRun) -> Iterator[dict[str, Any]]:
    """Rows of `objectives`."""
    for slo in run.verdict.slos:
        lower, upper = slo.interval or (None, None)
        yield {
            "run_id": run.id,
            "slo": slo.id,
            "verdict": slo.verdict,
            "unit": slo.unit,
            "value": slo.value,
            "lower_bound": lower,
            "upper_bound": upper,
            "samples": slo.samples,
        }


def deployment_row(run_id: str, seen: Deployed) -> dict[str, Any]:
    """A row of `deployments`."""
    hour = seen.first_hour
    return {
        "run_id": run_id,
        "commit_sha": seen.commit,
        "began_at": seen.began_at,
        "committed_at": seen.committed_at,
        "duration_s": seen.duration_s,
        "downtime_s": seen.downtime_s,
        "deployer": seen.deployer,
        "branch": seen.branch,
        "failed": seen.failed,
        "first_hour_bad": hour.bad if hour else None,
        "first_hour_total": hour.total if hour else None,
    }


def traffic_rows(run_id: str, slices: Iterable[TrafficSlice]) -> Iterator[dict[str, Any]]:
    """Rows of `traffic`."""
    for number, one in enumerate(slices):
        yield {
            "run_id": run_id,
            "number": number,
            "source": one.source,
            "service": one.service,
            "began_at": one.began_at,
            "seconds": one.seconds,
            "total": one.total,
            "bad": one.bad,
        }


def recording_from(row: Found, runbook: bytes, seen: Deployed, decisions: Iterable[Decision]) -> Recording:
    """Build the recording from a row of `runs`; traffic is not included."""
    evidence = unpacked(row.evidence)
    return Recording(
        run=RecordedRun(
            id=row.id,
            environment=row.environment,
            phases=phases(row),
            commit=row.commit_sha,
            baseline=row.baseline,
            drill=row.drill,
            started_at=row.started_at,
            finished_at=row.finished_at,
            ending=Ending(row.ending),
            folder=row.folder,
            verdict=Verdict.from_json(unpacked(row.verdict)),
            results=adapter(tuple[Result, ...]).validate_python(evidence["results"]),
            decisions=tuple(decisions),
        ),
        evidence=evidence,
        runbook=unpacked(runbook),
        exitstatus=row.exitstatus,
        problem=row.problem,
        deployed=seen,
        traffic=(),
    )


def past_run(
    row: Found, seen: Deployed, quantiles: Mapping[str, float], decisions: Iterable[Decision]
) -> PastRun:
    """Build the history data from a row of `runs`."""
    return PastRun(
        id=row.id,
        phases=phases(row),
        started_at=row.started_at,
        recommendation=Action(row.recommendation),
        blamed=row.blamed,
        deployed=seen,
        quantiles=quantiles,
        deeds=tuple((decision.deed, decision.at) for decision in decisions),
    )


def deployed_from(row: Found) -> Deployed:
    """Build the deployment data from a row of `deployments`."""
    hour = None
    if row.first_hour_total is not None:
        hour = Tally(row.first_hour_bad, row.first_hour_total, "requests of users")
    return Deployed(
        commit=row.commit_sha,
        began_at=row.began_at,
        committed_at=row.committed_at,
        duration_s=row.duration_s,
        downtime_s=row.downtime_s,
        deployer=row.deployer,
        branch=row.branch,
        failed=row.failed,
        first_hour=hour,
    )


def slice_from(row: Found) -> TrafficSlice:
    """Build a traffic slice from a row of `traffic`."""
    return TrafficSlice(Source(row.source), row.service, row.began_at, row.seconds, row.total, row.bad)


def decision_from(row: Found) -> Decision:
    """Build a decision from a row of `decisions`."""
    return Decision(
        run=row.run_id, deed=DecisionKind(row.deed), who=row.who, at=row.decided_at, note=row.note
    )


def blamed(verdict: Verdict) -> bool:
    """Whether it recommends a fix or a rollback for a reason that may come from the deployment itself."""
    return verdict.recommendation in {Action.FIX_FORWARD, Action.ROLL_BACK} and any(
        reason.attribution not in _NOT_OURS for reason in verdict.reasons
    )


def phases(row: Found) -> tuple[Phase, ...]:
    """Return the phases of a row of `runs`."""
    return tuple(Phase(phase) for phase in row.phases.split("+") if phase)


def _number(taken: Measurement) -> float | None:
    if isinstance(taken.value, bool) or not isinstance(taken.value, int | float):
        return None
    return float(taken.value)


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
