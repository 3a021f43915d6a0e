"""Parts that retrospective and incident pages share, as lines of escaped Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from kamiyo_verify.model.figures import counted, duration, quantity
from kamiyo_verify.model.history.deployment_record import DeploymentFile, FailedItem
from kamiyo_verify.model.history.recorded_run import DecisionKind, RecordedRun
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.reporting import history, words
from kamiyo_verify.reporting.inert import one_line
from kamiyo_verify.reporting.markup import code, unlinked

BLANK = "**TO FILL IN**"
"""Placeholder for facts that only people know."""

_MOST_RUNS = 8
_MOST_EVENTS = 60
_MOST_TROUBLES = 30
_MEASUREMENTS = 4

Links = Mapping[str, str]
"""Relative URLs of reports, by run id."""


def title(deployment_file: DeploymentFile) -> str:
    """Return the project and the environment."""
    return f"{unlinked(deployment_file.last.verdict.project)} {unlinked(deployment_file.environment)}"


def about(deployment_file: DeploymentFile, links: Links, at: str) -> Iterator[str]:
    """Introduce the page, and list the main facts of the deployment."""
    record, seen = deployment_file.record, deployment_file.record.seen
    yield f"A draft from the ledger, written {clock(at)}. What it says is what was measured and recorded;"
    yield f"what is marked {BLANK} is for people. Once you have edited it, no later draft replaces it."
    yield ""
    if deployment_file.drill:
        yield "**This was a drill: the platform was broken on purpose.**"
        yield ""
    yield f"- **Environment:** {unlinked(deployment_file.environment)}"
    yield f"- **Commit:** {code(record.commit) if record.commit else 'not known'}"
    if seen.branch:
        yield f"- **Branch:** {unlinked(seen.branch)}"
    yield f"- **Deployed by:** {unlinked(seen.deployer) if seen.deployer else BLANK}"
    yield f"- **Began:** {clock(seen.began_at) if seen.began_at else 'not known'}"
    yield f"- **Duration:** {_seconds(seen.duration_s)}; downtime: {_seconds(seen.downtime_s)}"
    yield f"- **How it ended:** {history.ended(record)}"
    shown = deployment_file.runs[-_MOST_RUNS:]
    more = len(deployment_file.runs) - len(shown) + deployment_file.earlier_runs
    earlier = f", and {counted(more, 'earlier one')}" if more else ""
    yield f"- **Runs:** {', '.join(_run(run, links) for run in shown)}{earlier}"


def timeline(deployment_file: DeploymentFile, links: Links) -> Iterator[str]:
    """List all known events; if there are very many, only the first and the last ones."""
    events = deployment_file.events
    half = _MOST_EVENTS // 2
    shown = events if len(events) <= _MOST_EVENTS else (*events[:half], *events[-half:])
    rows = [(clock(one.at), unlinked(one.text), _report(one.run, links)) for one in shown]
    if len(shown) < len(events):
        rows.insert(half, ("…", counted(len(events) - len(shown), "further moment"), ""))
    rows.append((BLANK, "what people saw and did that no run could see", ""))
    yield from table(("When (UTC)", "What", "Report"), rows)


def evidence(deployment_file: DeploymentFile, links: Links) -> Iterator[str]:
    """List failed items with their measurements, and the objectives."""
    yield "### What failed"
    yield ""
    troubles = deployment_file.troubles[:_MOST_TROUBLES]
    if troubles:
        head = ("Item", "Impact", "Attribution", "What was seen", "Measured", "Report")
        yield from table(head, [_trouble(one, links) for one in troubles])
    else:
        yield "No failed item is recorded for this deployment."
    if (more := len(deployment_file.troubles) - len(troubles)) > 0:
        yield f"\n{counted(more, 'more item')} failed; the reports list them."
    yield ""
    yield "### Objectives"
    yield ""
    if not deployment_file.slos:
        yield "No objective is recorded for this deployment."
        return
    yield from table(
        ("Objective", "Verdict", "Value", "What was seen"), map(_objective, deployment_file.slos)
    )


def decisions(deployment_file: DeploymentFile) -> Iterator[str]:
    """List the recorded decisions of people."""
    if deployment_file.decisions:
        rows = [
            (clock(one.at), unlinked(one.who), one.deed.replace("_", " "), unlinked(one.note) or BLANK)
            for one in deployment_file.decisions
        ]
        yield from table(("When (UTC)", "Who", "What", "Why"), rows)
        return
    yield "Nobody has recorded a decision. What was decided, when, by whom, and why:"
    yield f"{BLANK}. To record it too:"
    yield ""
    environment, run = one_line(deployment_file.environment), one_line(deployment_file.last.id)
    decision = f"--env {environment} decide {run} {'|'.join(DecisionKind)}"
    yield f"    kamiyo-verify ledger {decision} --by NAME --note WHY"


def todos(deployment_file: DeploymentFile) -> Iterator[str]:
    """List suggested action items, for people to accept, delete and extend."""
    rows = [
        (f"{n}", unlinked(one.what), unlinked(one.why), BLANK, BLANK, "no")
        for n, one in enumerate(deployment_file.todos, 1)
    ]
    rows.append((f"{len(rows) + 1}", BLANK, BLANK, BLANK, BLANK, "no"))
    yield from table(("#", "What", "Why", "Who", "By when", "Done"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Format a table; its cells must be Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def clock(moment: str) -> str:
    """Format an ISO time such as "2026-11-23 14:09:58", in UTC; return other text escaped."""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return unlinked(moment)


def _run(run: RecordedRun, links: Links) -> str:
    phases = unlinked(", ".join(run.phases) or "no phase")
    description = f"{phases} at {clock(run.started_at)}"
    return (
        f"[{description}]({links[run.id]})" if run.id in links else f"{description} (its report is not here)"
    )


def _report(run: str, links: Links) -> str:
    return f"[report]({links[run]})" if run in links else ""


def _trouble(trouble: FailedItem, links: Links) -> tuple[str, ...]:
    item = trouble.item
    times = f" ({counted(trouble.times, 'run')})" if trouble.times > 1 else ""
    over = "; a later run saw it pass" if trouble.over else ""
    measured = "; ".join(
        f"{taken.name.replace('_', ' ')} {words.value(taken)}" for taken in item.measurements[:_MEASUREMENTS]
    )
    return (
        f"{unlinked(item.title)}{times}",
        item.impact,
        words.ATTRIBUTIONS[item.attribution] if item.attribution else "not known",
        f"{unlinked(item.message)}{over}",
        unlinked(measured) or "–",
        _report(trouble.run, links) or "–",
    )


def _objective(report: SloReport) -> tuple[str, ...]:
    sign, label = words.OBJECTIVES[report.verdict]
    value = "–" if report.value is None else quantity(report.value, words.objective_unit(report))
    title = f"{words.short_title(report.title)}, {words.objective(report)}"
    return unlinked(title), f"{sign} {label}", unlinked(value), unlinked(report.message)


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else duration(seconds)
