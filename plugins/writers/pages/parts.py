"""The parts that a retrospective and an incident page share, as lines of Markdown that do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from plugins.model.dossier import Dossier, Trouble
from plugins.model.figures import counted, duration, quantity
from plugins.model.recorded import Deed, RecordedRun
from plugins.model.verdict import SloReport
from plugins.writers import history, words
from plugins.writers.inert import one_line
from plugins.writers.markup import code, unlinked

BLANK = "**TO FILL IN**"
"""What only people know."""

_MOST_RUNS = 8
_MOST_EVENTS = 60
_MOST_TROUBLES = 30
_MEASUREMENTS = 4

Links = Mapping[str, str]
"""By a run's id, where its report is from the page."""


def title(dossier: Dossier) -> str:
    """Whose deployment it was, and where."""
    return f"{unlinked(dossier.last.verdict.project)} {unlinked(dossier.environment)}"


def about(dossier: Dossier, links: Links, at: str) -> Iterator[str]:
    """What the page is, and the deployment in a few lines."""
    record, seen = dossier.record, dossier.record.seen
    yield f"A draft from the ledger, written {clock(at)}. What it says is what was measured and recorded;"
    yield f"what is marked {BLANK} is for people. Once you have edited it, no later draft replaces it."
    yield ""
    if dossier.drill:
        yield "**This was a drill: the platform was broken on purpose.**"
        yield ""
    yield f"- **Environment:** {unlinked(dossier.environment)}"
    yield f"- **Commit:** {code(record.commit) if record.commit else 'not known'}"
    if seen.branch:
        yield f"- **Branch:** {unlinked(seen.branch)}"
    yield f"- **Deployed by:** {unlinked(seen.deployer) if seen.deployer else BLANK}"
    yield f"- **Began:** {clock(seen.began_at) if seen.began_at else 'not known'}"
    yield f"- **Duration:** {_seconds(seen.duration_s)}; downtime: {_seconds(seen.downtime_s)}"
    yield f"- **How it ended:** {history.ended(record)}"
    shown = dossier.runs[-_MOST_RUNS:]
    more = len(dossier.runs) - len(shown) + dossier.earlier_runs
    earlier = f", and {counted(more, 'earlier one')}" if more else ""
    yield f"- **Runs:** {', '.join(_run(run, links) for run in shown)}{earlier}"


def timeline(dossier: Dossier, links: Links) -> Iterator[str]:
    """Every moment that is known; of very many the first ones and the last ones."""
    events = dossier.events
    half = _MOST_EVENTS // 2
    shown = events if len(events) <= _MOST_EVENTS else (*events[:half], *events[-half:])
    rows = [(clock(one.at), unlinked(one.text), _report(one.run, links)) for one in shown]
    if len(shown) < len(events):
        rows.insert(half, ("…", counted(len(events) - len(shown), "further moment"), ""))
    rows.append((BLANK, "what people saw and did that no run could see", ""))
    yield from table(("When (UTC)", "What", "Report"), rows)


def evidence(dossier: Dossier, links: Links) -> Iterator[str]:
    """What failed, with what was measured, and the objectives."""
    yield "### What failed"
    yield ""
    troubles = dossier.troubles[:_MOST_TROUBLES]
    if troubles:
        head = ("Item", "Impact", "Whose doing", "What was seen", "Measured", "Report")
        yield from table(head, [_trouble(one, links) for one in troubles])
    else:
        yield "No item failed in any run that is recorded."
    if (more := len(dossier.troubles) - len(troubles)) > 0:
        yield f"\n{counted(more, 'more item')} failed; the reports list them."
    yield ""
    yield "### Objectives"
    yield ""
    yield from table(("Objective", "Verdict", "Value", "What was seen"), map(_objective, dossier.slos))


def decisions(dossier: Dossier) -> Iterator[str]:
    """What people did, as far as they have recorded it."""
    if dossier.decisions:
        rows = [
            (clock(one.at), unlinked(one.who), one.deed.replace("_", " "), unlinked(one.note) or BLANK)
            for one in dossier.decisions
        ]
        yield from table(("When (UTC)", "Who", "What", "Why"), rows)
        return
    yield "Nobody has recorded a decision. What was decided, when, by whom, and why:"
    yield f"{BLANK}. To record it too:"
    yield ""
    told = f"--env {one_line(dossier.environment)} decide {one_line(dossier.last.id)} {'|'.join(Deed)}"
    yield f"    python -m plugins.ledger {told} --by NAME --note WHY"


def todos(dossier: Dossier) -> Iterator[str]:
    """What the facts suggest, for people to take on, to strike out and to add to."""
    rows = [
        (f"{n}", unlinked(one.what), unlinked(one.why), BLANK, BLANK, "no")
        for n, one in enumerate(dossier.todos, 1)
    ]
    rows.append((f"{len(rows) + 1}", BLANK, BLANK, BLANK, BLANK, "no"))
    yield from table(("#", "What", "Why", "Who", "By when", "Done"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def clock(moment: str) -> str:
    """An ISO time to the second, such as "2026-11-23 14:09:58"; as text where it is none."""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return unlinked(moment)


def _run(run: RecordedRun, links: Links) -> str:
    phases = unlinked(", ".join(run.phases) or "no phase")
    told = f"{phases} at {clock(run.started_at)}"
    return f"[{told}]({links[run.id]})" if run.id in links else f"{told} (its report is not here)"


def _report(run: str, links: Links) -> str:
    return f"[report]({links[run]})" if run in links else ""


def _trouble(trouble: Trouble, links: Links) -> tuple[str, ...]:
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
    sign, told = words.OBJECTIVES[report.verdict]
    value = "–" if report.value is None else quantity(report.value, words.objective_unit(report))
    title = f"{words.short_title(report.title)}, {words.objective(report)}"
    return unlinked(title), f"{sign} {told}", unlinked(value), unlinked(report.message)


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else duration(seconds)
