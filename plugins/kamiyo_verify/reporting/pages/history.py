"""reports/index.html: deployments over time, by environment, as one file that makes no network requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from jinja2 import Environment

from kamiyo_verify.model.history.environment_history import EnvironmentHistory, Uncounted
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting import history, html
from kamiyo_verify.reporting.charts.trend import ENDINGS, over_time
from kamiyo_verify.reporting.templating import TEMPLATES, templates

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


def index_html(histories: Sequence[EnvironmentHistory], links: Mapping[str, str], *, at: str) -> str:
    """Render the whole page.

    Args:
        histories: the history of each environment; one section each, in this order.
        links: relative URLs of existing reports, by run id.
        at: the time of writing; UTC, ISO 8601.
    """
    template = _templates().get_template("history.html")
    return template.render(histories=histories, links=links, at=at, css=_css())


def over(slo: Slo, value: float) -> bool:
    """Whether a single value violates its objective."""
    return value >= slo.objective if slo.better == "below" else value <= slo.objective


def needed(report: SloReport) -> str:
    """Describe how many samples an objective still needs to be met; "" if none or unknown."""
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
        wording=history,
        most_reports=6,
        needed=needed,
        over=over,
        over_time=over_time,
        uncounted=_UNCOUNTED,
    )
