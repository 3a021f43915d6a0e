"""The run as one trace: a span for the run, and within it a span for each item.

`test.*`, `vcs.*` and `deployment.*` are OpenTelemetry's semantic conventions; `kamiyo_verify.*` are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kamiyo_verify.model.outside.trace import Span
from kamiyo_verify.model.verdict import ItemReport, Verdict
from kamiyo_verify.model.words import Status
from kamiyo_verify.model.writing.text import visible

_BAD = {Status.FAILED, Status.ERROR}


def run_span(verdict: Verdict, started: Mapping[str, str]) -> Span:
    """Return the span of a run with those of its items.

    Args:
        verdict: the verdict of the run.
        started: when each item began, by id; UTC, ISO 8601. An item that never began has the run's beginning.
    """
    start = _ns(verdict.started_at)
    items = tuple(_item_span(item, _ns(started.get(item.id, "")) or start) for item in verdict.items)
    attributes = {
        "kamiyo_verify.recommendation": verdict.recommendation.value,
        "kamiyo_verify.headline": verdict.headline,
        "kamiyo_verify.phase": verdict.phase,
        "kamiyo_verify.place": verdict.place,
        "deployment.environment.name": verdict.environment,
        "vcs.ref.head.revision": verdict.commit,
    }
    return Span(
        name=f"kamiyo-verify {visible(verdict.phase)}".rstrip(),
        start_ns=start,
        end_ns=max((_ns(verdict.finished_at), start, *(item.end_ns for item in items))),
        attributes={**_known(attributes), "kamiyo_verify.exit_code": verdict.exit_code},
        error=visible(verdict.headline) if verdict.exit_code else "",
        children=items,
    )


def _item_span(item: ItemReport, start: int) -> Span:
    tries = [_ns(one.started_at) + _duration_ns(one.duration_s) for one in item.attempts]
    attributes = {
        "kamiyo_verify.item": item.id,
        "kamiyo_verify.status": item.status.value,
        "kamiyo_verify.impact": item.impact.value,
        "kamiyo_verify.attribution": item.attribution.value if item.attribution else "",
        "test.case.name": item.title,
    }
    if item.status in _BAD or item.status is Status.PASSED:
        attributes["test.case.result.status"] = "fail" if item.status in _BAD else "pass"
    return Span(
        name=item.id,
        start_ns=start,
        end_ns=max(start + _duration_ns(item.duration_s), *tries, start),
        attributes={**_known(attributes), "kamiyo_verify.tries": max(1, len(item.attempts))},
        error=visible(item.message) or item.status.value if item.status in _BAD else "",
    )


def _known(attributes: Mapping[str, str]) -> dict[str, str | int | bool]:
    return {key: visible(value) for key, value in attributes.items() if value}


def _ns(moment: str) -> int:
    """Return ISO 8601 as nanoseconds since the epoch; 0 if it is unknown."""
    return round(datetime.fromisoformat(moment).timestamp() * 1_000_000) * 1_000 if moment else 0


def _duration_ns(seconds: float) -> int:
    return max(0, round(seconds * 1_000_000_000))
