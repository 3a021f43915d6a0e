"""Runs that were recorded, written as the suite writes them, and read back as the ledger reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kamiyo_verify.evidence.recording import evidence_data, read_recording
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.history.recorded_run import Recording
from kamiyo_verify.model.result import Attempt, Result
from tests.support.evidence_for import evidence

EPOCH = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def moment(minutes: float) -> str:
    """So many minutes after the beginning of all this."""
    return (EPOCH + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")


def written(
    folder: Path,
    *results: Result,
    run: str = "run-1",
    minute: float = 0,
    commit: str = "",
    environment: str = "staging",
    baseline: bool = False,
    faults: Iterable[str] = (),
    without: tuple[str, ...] = (),
    cut: int = 0,
    **more: Any,
) -> Path:
    """The evidence file of a run that took a minute; the last `cut` lines are missing."""
    judged = evidence(
        *results,
        without=without,
        commit=commit,
        environment=environment,
        started_at=moment(minute),
        finished_at=moment(minute + 1),
        **more,
    )
    head = {
        "kind": "run",
        "schema": "kamiyo-verify/1",
        "id": run,
        "environment": environment,
        "project": judged.project,
        "production": judged.production,
        "absent": sorted(judged.absent),
        "commit": commit,
        "baseline": baseline,
        "started_at": judged.started_at,
        "faults": [*faults],
        "runbook": judged.runbook.model_dump(mode="json"),
    }
    lines = [head, _selection(judged), *map(_tried, judged.results), *_end(judged)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "evidence.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[: len(lines) - cut]), encoding="utf-8")
    return path


def recorded(folder: Path, *results: Result, **more: Any) -> Recording:
    """The run that `written` writes, as it is read."""
    return read_recording(written(folder, *results, **more))


def _selection(judged: Evidence) -> dict[str, Any]:
    return {
        "kind": "selection",
        "phases": list(judged.phases),
        "expected": judged.expected,
        "no_check": judged.no_check,
    }


def _tried(one: Result) -> dict[str, Any]:
    attempt = Attempt(one.status, one.message, one.started_at or moment(0.5), 1.5)
    line = asdict(one) | {"attempts": [asdict(attempt)], "nodeids": [f"checks/{one.item}"], "attempt": 1}
    return {"kind": "result", **line}


def _end(judged: Evidence) -> list[dict[str, Any]]:
    return [
        {"kind": "conclusion", "exitstatus": 0, "evidence": evidence_data(judged)},
        {"kind": "verdict", "finished_at": judged.finished_at},
    ]
