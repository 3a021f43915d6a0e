"""reports/index.html: deployments over time, by environment; one file, inert, that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from jinja2 import Environment

from plugins.model.chronicle import Chronicle, Uncounted
from plugins.model.runbook import Slo
from plugins.model.verdict import SloReport
from plugins.model.words import Action
from plugins.writers import history, html
from plugins.writers.charts.trend import ENDINGS, over_time
from plugins.writers.templating import TEMPLATES, templates

_CALL_TONES = {
    Action.PROCEED: "passed",
    Action.HOLD: "error",
    Action.FIX_FORWARD: "error",
    Action.ROLL_BACK: "failed",
    Action.INCONCLUSIVE: "unverified",
}
_END_TONES = {"good": "passed", "bad": "failed", "unknown": "unverified"}
_UNCOUNTED = {
    Uncounted.DRILL: "a drill: the platform was broken on purpose",
    Uncounted.BASELINE: "a baseline: the state before a deployment",
    Uncounted.CUT_SHORT: "cut short: it did not come to its end",
    Uncounted.NAMELESS: "of no known commit",
    Uncounted.BEFORE: "before a deployment",
}


def index_html(chronicles: Sequence[Chronicle], links: Mapping[str, str], *, at: str) -> str:
    """The whole page.

    Args:
        chronicles: a section each, in this order.
        links: by a run's id, where its report is from the page; of those whose report is still there.
        at: when it is written; UTC, ISO 8601.
    """
    template = _templates().get_template("history.html")
    return template.render(chronicles=chronicles, links=links, at=at, css=_css())


def over(slo: Slo, value: float) -> bool:
    """A single value lies on the wrong side of its objective."""
    return value >= slo.objective if slo.better == "below" else value <= slo.objective


def needed(report: SloReport) -> str:
    """What it would still take to call an objective met; "" where nothing, or where nobody can tell."""
    more = (report.samples_needed or 0) - report.samples
    if report.verdict != "insufficient_evidence" or more <= 0:
        return ""
    return f"{more:,} more in a row without a bad one would show it"


@cache
def _css() -> str:
    return html.css() + (TEMPLATES / "history.css").read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return templates(
        call_tones=_CALL_TONES,
        endings=ENDINGS,
        end_tones=_END_TONES,
        told=history,
        most_reports=6,
        needed=needed,
        over=over,
        over_time=over_time,
        uncounted=_UNCOUNTED,
    )
