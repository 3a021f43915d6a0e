"""The summary at the end of a run, in at most twelve lines, as styled spans that the caller can print.

The order is that of report.html: the call and its cause, what to do, the confidence, who acts, the evidence
by cause, objectives, outages, items, and the report's path. Everything else is only in the report.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from kamiyo_verify.model.figures import counted, duration, quantity
from kamiyo_verify.model.verdict import SloReport, Verdict
from kamiyo_verify.model.words import Action, SloVerdict, Status
from kamiyo_verify.reporting import summary, words
from kamiyo_verify.reporting.inert import one_line

_LABEL = 14
_NARROWEST = 40
_MOST_LINES = 12
_EVIDENCE = 2
_WHYS = 2


class Style(Enum):
    """The style of a span; its value lists keyword arguments of pytest's terminal writer."""

    PLAIN = ()
    QUIET = ("light",)
    STRONG = ("bold",)
    GOOD = ("green", "bold")
    DOUBTFUL = ("yellow", "bold")
    BAD = ("red", "bold")

    @property
    def markup(self) -> dict[str, bool]:
        """Keyword arguments for `TerminalWriter.write(text, **markup)`."""
        return dict.fromkeys(self.value, True)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line with one style."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A label in its column and the text beside it.

    Attributes:
        style: the style of the label.
        lines: the most lines that the text may take; more is cut.
        optional: the higher, the sooner it is left out where the lines do not suffice; 0 is never left out.
    """

    label: str
    text: str
    style: Style = Style.PLAIN
    lines: int = 1
    optional: int = 0


_CALL_STYLES = {
    Action.PROCEED: Style.GOOD,
    Action.HOLD: Style.DOUBTFUL,
    Action.FIX_FORWARD: Style.DOUBTFUL,
    Action.ROLL_BACK: Style.BAD,
    Action.INCONCLUSIVE: Style.DOUBTFUL,
}


def lines(verdict: Verdict, *, report_path: str, width: int = 100) -> list[Line]:
    """Format the summary, from the call and its cause to the report's path: at most twelve lines.

    Args:
        verdict: the verdict of the run.
        report_path: the report's path as the reader can open it.
        width: columns of the terminal; longer text is wrapped and indented, or cut.
    """
    columns = max(width, _NARROWEST)
    call = verdict.recommendation
    entries = [
        Entry(words.CALLS[call], summary.cause(verdict), _CALL_STYLES[call], lines=2),
        *_actions(verdict),
        *_evidence(verdict),
        *_objectives(verdict),
        *_outages(verdict),
        Entry("Items", _items(verdict)),
    ]
    header = (Span(textwrap.shorten(_header(verdict), columns, placeholder=" …"), Style.STRONG),)
    path = textwrap.wrap(report_path, columns - _LABEL) or [""]
    last = [*_beside(Entry("Report", ""), path)]
    return [header, *_fitting(entries, columns, _MOST_LINES - 1 - len(last)), *last]


def _header(verdict: Verdict) -> str:
    taken = words.seconds_taken(verdict)
    commit = f"commit {one_line(verdict.commit)[:12]}" if verdict.commit else ""
    place = f"from {verdict.place}" if verdict.place else ""
    parts = (
        verdict.project,
        verdict.environment,
        place,
        verdict.phase,
        commit,
        duration(taken) if taken else "",
    )
    return " · ".join(filter(None, map(one_line, parts)))


def _actions(verdict: Verdict) -> Iterator[Entry]:
    yield Entry("  Do", verdict.next_step, lines=2)
    if back := "; ".join(filter(None, (*summary.goes_back(verdict), summary.stays(verdict)))):
        yield Entry("  Goes back", back, lines=2, optional=1)
    elif manual := summary.without_target(verdict):
        services = ", ".join(step.service for step in manual)
        how = next((step.how for step in manual if step.how), "how is not known")
        yield Entry("  Goes back", f"{services}: {how}", lines=2, optional=1)
    if verdict.confidence:
        yield Entry("  Confidence", verdict.confidence, optional=2)
    if verdict.escalation:
        yield Entry("  Who", verdict.escalation, optional=3)
    warnings = verdict.rollback.warnings
    if warnings:
        more = f" (and {len(warnings) - 1} more in the report)" if len(warnings) > 1 else ""
        yield Entry("  Warning", f"{warnings[0]}{more}", optional=7)


def _evidence(verdict: Verdict) -> Iterator[Entry]:
    """Yield the grounds of the call: each with its first failing exchange, its items and their remedy."""
    found = summary.grounds(verdict)
    # What is missing for a call is mended by what the line says, so it is shown whole.
    lines = 2 if verdict.recommendation is Action.INCONCLUSIVE else 1
    remedies = {item.id: item.remedy for item in verdict.items if item.remedy is not None}
    for place, ground in enumerate(found[:_EVIDENCE]):
        remedy = next((remedies[item].title for item in ground.items if item in remedies), "")
        of = words.attribution(verdict, ground.attribution)
        items = summary.named(ground.items)
        description = (ground.title, ground.first_exchange if ground.broken else "", of, items)
        text = " · ".join(filter(None, description)) + (
            f" → if this is the cause: {remedy}" if remedy else ""
        )
        if place == len(found[:_EVIDENCE]) - 1 and (more := len(found) - _EVIDENCE) > 0:
            text = f"{counted(more + 1, 'more cause')} in the report, such as {text}"
        yield Entry("" if place else "Evidence", text, lines=lines, optional=4 + 2 * place)


def _objectives(verdict: Verdict) -> Iterator[Entry]:
    """Yield the breached objectives with their values, and how many are met or undecided."""
    breached = [_objective(report) for report in verdict.slos if report.verdict is SloVerdict.BREACHED]
    others = (SloVerdict.MET, SloVerdict.INSUFFICIENT_EVIDENCE)
    counts = [(state, sum(report.verdict is state for report in verdict.slos)) for state in others]
    judged = [*breached, *("{} {count} {}".format(*words.OBJECTIVES[of], count=n) for of, n in counts if n)]
    if judged:
        yield Entry("SLOs", " · ".join(judged), optional=5)


def _objective(report: SloReport) -> str:
    sign, label = words.OBJECTIVES[report.verdict]
    value = "" if report.value is None else f" {quantity(report.value, words.objective_unit(report))}"
    return f"{sign} {words.short_title(report.title)}{value}, {label}: agreed is {words.objective(report)}"


def _outages(verdict: Verdict) -> Iterator[Entry]:
    if verdict.outages:
        more = len(verdict.outages) - 1
        yield Entry("Outage", f"{verdict.outages[0]}{f'; and {more} more' if more else ''}", optional=4)


def _items(verdict: Verdict) -> str:
    counts = [(words.STATUSES[one][1], verdict.count(one)) for one in Status if one is not Status.UNVERIFIED]
    counts.append(("flaky", sum(item.flaky for item in verdict.items)))
    # At the end, because the reasons follow, which are about these alone.
    counts.append((words.STATUSES[Status.UNVERIFIED][1], verdict.count(Status.UNVERIFIED)))
    tally = " · ".join(f"{count} {label}" for label, count in counts if count)
    whys = [why for why, _ in words.why_unverified(verdict)]
    more = f"; and {counted(len(whys) - _WHYS, 'other reason')}" if len(whys) > _WHYS else ""
    why = f" ({'; '.join(whys[:_WHYS])}{more})" if whys else ""
    return (tally or "none was selected") + why


def _fitting(entries: list[Entry], columns: int, most: int) -> list[Line]:
    """Wrap the entries, and leave out the least important ones to keep to `most` lines."""
    kept = list(entries)
    while True:
        shown = [line for entry in kept for line in _folded(entry, columns)]
        droppable = [entry for entry in kept if entry.optional]
        if len(shown) <= most or not droppable:
            return shown[:most]
        kept.remove(max(droppable, key=lambda entry: entry.optional))


def _folded(entry: Entry, columns: int) -> Iterator[Line]:
    """Wrap text that does not fit beside the label, aligned with the text, and cut it after its lines."""
    text = one_line(entry.text, entry.lines * columns)
    pieces = textwrap.wrap(
        text, columns - _LABEL, break_on_hyphens=False, max_lines=entry.lines, placeholder=" …"
    )
    return _beside(entry, pieces or [""])


def _beside(entry: Entry, pieces: list[str]) -> Iterator[Line]:
    yield Span(entry.label.ljust(_LABEL), entry.style), Span(pieces[0])
    for piece in pieces[1:]:
        yield (Span(" " * _LABEL + piece),)
