"""The annotation that Grafana draws over the time of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting.inert import one_line

_LONGEST = 500


def annotation(
    verdict: Verdict, tags: Sequence[str] = (), dashboard: str = "", report_url: str = ""
) -> dict[str, Any]:
    """Return the body of an annotation. Grafana shows its text as HTML, so external text is escaped.

    Args:
        verdict: the verdict of a run.
        tags: added to the environment and the recommendation.
        dashboard: the UID of a dashboard, or "" for all.
        report_url: where the report is, or "".
    """
    call = verdict.recommendation.value.replace("_", " ").upper()
    commit = f" · commit {verdict.commit[:7]}" if verdict.commit else ""
    text = escape(one_line(f"{call}: {verdict.headline}{commit}", _LONGEST))
    if report_url:
        text += f'\n<a href="{escape(report_url)}">report</a>'
    body = {
        "time": _ms(verdict.started_at),
        "timeEnd": _ms(verdict.finished_at),
        "tags": [one_line(tag) for tag in (*tags, verdict.environment, verdict.recommendation.value)],
        "text": text,
    }
    return body | ({"dashboardUID": dashboard} if dashboard else {})


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
