"""The last deployments side by side: response times, errors, durations and endings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.history import Ended, PastDeployment
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.charts.frame import number
from kamiyo_verify.reporting.charts.plots import Series, bars, lines, table
from kamiyo_verify.reporting.inert import one_line

ENDINGS = {
    Ended.GOOD: ("✓", "good", "good"),
    Ended.FAILED: ("✗", "failed", "bad"),
    Ended.ROLLED_BACK: ("↩", "rolled back", "bad"),
    Ended.UNKNOWN: ("?", "nobody knows", "unknown"),
}
"""Symbol, word and look of each ending."""


def trend(recent: Sequence[PastDeployment], tracked: Sequence[Slo]) -> Markup:
    """Draw the endings, a chart for each value measured more than once, and the numbers."""
    charts = Markup("").join(over_time(recent, tracked))
    return Markup('{}<div class="c-grid">{}</div>{}').format(
        _endings(recent), charts, _numbers(recent, tracked)
    )


def over_time(
    recent: Sequence[PastDeployment], tracked: Sequence[Slo], *, name: str = "trend"
) -> Iterator[Markup]:
    """Yield a figure for each objective and one for the durations, if they were measured more than once.

    Args:
        recent: the deployments, oldest first.
        tracked: the objectives.
        name: prefix of the figures' names, which are unique on their page.
    """
    labels = [_commit(one) for one in recent]
    for slo in tracked:
        values = [one.values.get(slo.id) for one in recent]
        if sum(value is not None for value in values) > 1:
            title, unit = words.short_title(slo.title), slo.unit or "share"
            yield lines(
                f"{name}-{slo.id}",
                title,
                _describe(values, unit, labels),
                labels=labels,
                series=[Series("measured", values)],
                unit=unit,
                limit=("objective", slo.objective),
                numbers=False,
            )
    durations = [one.duration_s for one in recent]
    if sum(value is not None for value in durations) > 1:
        minutes = [None if value is None else value / 60 for value in durations]
        yield bars(
            f"{name}-duration",
            "Duration of the deployment",
            _describe(minutes, "min", labels),
            labels=labels,
            series=[Series("from its beginning to live", minutes)],
            unit="min",
            numbers=False,
        )


def _describe(values: Sequence[float | None], unit: str, labels: Sequence[str]) -> str:
    known = [(label, value) for label, value in zip(labels, values, strict=True) if value is not None]
    (first, began), (last, ended) = known[0], known[-1]
    return (
        f"From {number(began, unit)} ({first}) to {number(ended, unit)} ({last}),"
        f" over {len(known)} deployments; at most {number(max(value for _, value in known), unit)}."
    )


def _endings(recent: Sequence[PastDeployment]) -> Markup:
    entries = Markup("").join(
        Markup(
            '<li class="c-{}"><span aria-hidden="true">{}</span> <code>{}</code> <span>{}</span></li>'
        ).format(ENDINGS[one.ended][2], ENDINGS[one.ended][0], _commit(one), ENDINGS[one.ended][1])
        for one in recent
    )
    return Markup(
        '<ol class="c-endings" aria-label="How the last deployments ended, oldest first">{}</ol>'
    ).format(entries)


def _numbers(recent: Sequence[PastDeployment], tracked: Sequence[Slo]) -> Markup:
    head = [
        "Commit",
        "Began",
        "Ended",
        "Duration",
        "Downtime",
        *(words.short_title(slo.title) for slo in tracked),
    ]
    return table(head, (_row(one, tracked) for one in reversed(recent)))


def _row(one: PastDeployment, tracked: Sequence[Slo]) -> list[str]:
    spans = [_known(one.duration_s), _known(one.downtime_s)]
    values = [
        "–" if (value := one.values.get(slo.id)) is None else number(value, slo.unit or "share")
        for slo in tracked
    ]
    return [_commit(one), words.moment(one.began_at), ENDINGS[one.ended][1], *spans, *values]


def _known(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds)


def _commit(one: PastDeployment) -> str:
    return one_line(one.commit[:7]) or "?"
