"""ctrf.json, the verdict's items in the Common Test Report Format (https://ctrf.io)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from kamiyo_verify.model.result import Attempt
from kamiyo_verify.model.verdict import ItemReport, Verdict
from kamiyo_verify.model.words import Action, Status
from kamiyo_verify.model.writing.text import written_out_in_json

_SPEC = "0.0.0"
"""The version of the format that https://github.com/ctrf-io/ctrf describes."""

_STATUSES = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    # CTRF has no word for "could not be measured". Readers count "failed" alone as bad.
    Status.ERROR: "failed",
    Status.UNVERIFIED: "pending",
    Status.NOT_APPLICABLE: "skipped",
}
_ALL = ("passed", "failed", "pending", "skipped", "other")


def ctrf_json(verdict: Verdict) -> str:
    """Return the items as CTRF; the same verdict always gives the same bytes.

    Raises:
        ValueError: the verdict contains a number that JSON cannot encode, such as infinity.
    """
    text = json.dumps(_document(verdict), indent=2, ensure_ascii=False, allow_nan=False)
    return written_out_in_json(text) + "\n"


def _document(verdict: Verdict) -> Mapping[str, Any]:
    start, stop = _ms(verdict.started_at), _ms(verdict.finished_at)
    tests = [_test(item) for item in verdict.items]
    counts = {status: sum(test["status"] == status for test in tests) for status in _ALL}
    environment = {
        "appName": verdict.project,
        "testEnvironment": verdict.environment,
        "commit": verdict.commit,
        "branchName": verdict.deployment.seen.branch,
        "healthy": verdict.recommendation is Action.PROCEED and verdict.exit_code == 0,
    }
    return {
        "reportFormat": "CTRF",
        "specVersion": _SPEC,
        "generatedBy": "kamiyo-verify",
        "results": {
            "tool": {"name": "kamiyo-verify"},
            "summary": {
                "tests": len(tests),
                **counts,
                "flaky": sum(item.flaky for item in verdict.items),
                "start": start,
                "stop": stop,
                "duration": max(0, stop - start),
            },
            "tests": tests,
            "environment": {key: value for key, value in environment.items() if value != ""},
        },
        "extra": {
            "recommendation": verdict.recommendation.value,
            "exitCode": verdict.exit_code,
            "headline": verdict.headline,
            "nextStep": verdict.next_step,
            "phase": verdict.phase,
            "place": verdict.place,
            "objectives": [
                {"id": slo.id, "verdict": slo.verdict.value, "message": slo.message} for slo in verdict.slos
            ],
        },
    }


def _test(item: ItemReport) -> dict[str, Any]:
    labels = {"impact": item.impact.value, "phase": item.phase.value}
    if item.attribution is not None:
        labels["attribution"] = item.attribution.value
    test: dict[str, Any] = {
        "testId": item.id,
        "name": item.title or item.id,
        "status": _STATUSES[item.status],
        "rawStatus": item.status.value,
        "duration": _whole_ms(item.duration_s),
        "suite": [part for part in (item.phase.value, item.section) if part],
        "labels": labels,
        "flaky": item.flaky,
    }
    if item.message:
        test["message"] = item.message
    if len(item.attempts) > 1:
        test["retries"] = len(item.attempts) - 1
        earlier = islice(item.attempts, len(item.attempts) - 1)
        test["retryAttempts"] = [_attempt(number, one) for number, one in enumerate(earlier, 1)]
    return test


def _attempt(number: int, attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": number,
        "status": _STATUSES[attempt.status],
        "duration": _whole_ms(attempt.duration_s),
        "message": attempt.message,
    }


def _whole_ms(seconds: float) -> int:
    return round(seconds * 1000)


def _ms(moment: str) -> int:
    """Return ISO 8601 as milliseconds since the epoch; 0 if it is unknown."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0
