"""The lines at the end of a run, as spans of text with a style, so that whoever prints them can colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from plugins.model.figures import counted, duration, quantity
from plugins.model.verdict import ItemReport, Reason, RollbackStep, SloReport, Verdict
from plugins.model.words import Action, SloVerdict, Status
from plugins.writers import words
from plugins.writers.inert import one_line

_LABEL = 13
_NARROWEST = 40
_NAMED = 3
_REASONS = 6
_WARNINGS = 2
_ITEMS = 8
_WHYS = 4
_MESSAGE = 240
_SHORT = 200
_FLIP = 320
_REMEDY = 360


class Style(Enum):
    """How a span looks; its value holds the keyword arguments for pytest's terminal writer."""

    PLAIN = ()
    QUIET = ("light",)
    STRONG = ("bold",)
    GOOD = ("green", "bold")
    DOUBTFUL = ("yellow", "bold")
    BAD = ("red", "bold")

    @property
    def markup(self) -> dict[str, bool]:
        """As `TerminalWriter.write(text, **markup)` takes it."""
        return dict.fromkeys(self.value, True)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A label in its column, and the text beside it; `style` is the label's."""

    label: str
    text: str
    style: Style = Style.PLAIN


_CALL_STYLES = {
    Action.PROCEED: Style.GOOD,
    Action.HOLD: Style.DOUBTFUL,
    Action.FIX_FORWARD: Style.DOUBTFUL,
    Action.ROLL_BACK: Style.BAD,
    Action.INCONCLUSIVE: Style.DOUBTFUL,
}
_STATUS_STYLES = {
    Status.PASSED: Style.GOOD,
    Status.FAILED: Style.BAD,
    Status.ERROR: Style.DOUBTFUL,
    Status.UNVERIFIED: Style.DOUBTFUL,
    Status.NOT_APPLICABLE: Style.QUIET,
}


def lines(verdict: Verdict, *, report_path: str, width: int = 100) -> list[Line]:
    """What a person reads first: the call, its grounds, what to do, and where the rest is.

    Args:
        verdict: what to tell.
        report_path: where the report lies, as the reader can open it.
        width: columns of the terminal; longer lines go on below, indented.
    """
    columns = max(width, _NARROWEST)
    entries = [
        Entry(words.CALLS[verdict.recommendation], _call(verdict), _CALL_STYLES[verdict.recommendation]),
        *_grounds(verdict),
        *_actions(verdict),
        *_objectives(verdict),
        *_checklist(verdict),
        Entry("Report", report_path),
    ]
    header = [(Span(piece, Style.STRONG),) for piece in textwrap.wrap(_header(verdict), columns)]
    return [*header, *(line for entry in entries for line in _folded(entry, columns))]


def _header(verdict: Verdict) -> str:
    taken = words.seconds_taken(verdict)
    commit = f"commit {one_line(verdict.commit)[:12]}" if verdict.commit else ""
    parts = (verdict.project, verdict.environment, verdict.phase, commit, duration(taken) if taken else "")
    return " · ".join(filter(None, parts))


def _call(verdict: Verdict) -> str:
    services = words.services_told(verdict)
    return f"{services}: {verdict.headline}" if services else verdict.headline


def _grounds(verdict: Verdict) -> Iterator[Entry]:
    items = {item.id: item for item in verdict.items}
    grounds = words.by_clause(verdict.reasons)
    for group in grounds[:_REASONS]:
        yield Entry("  because", _ground(group, items.get(group[0].item)))
    if (more := sum(map(len, grounds[_REASONS:]))) > 0:
        yield Entry("", f"and {counted(more, 'more reason')} in the report")
    if verdict.confidence and verdict.recommendation is not Action.PROCEED:
        yield Entry("  sure", one_line(verdict.confidence, _MESSAGE))
    if verdict.compared:
        yield Entry("  before", one_line(words.compared(verdict), _MESSAGE))
    if verdict.flip:
        yield Entry("  would flip", one_line(verdict.flip, _FLIP))


def _ground(group: tuple[Reason, ...], item: ItemReport | None) -> str:
    """Items under one clause are one ground: the first with its evidence, the others by name."""
    first = group[0]
    told = one_line(first.message, _MESSAGE)
    if first.item:
        told = f"{first.item}: {told}"
    if item is not None and item.status is Status.FAILED and item.loses:
        told += f" (users: {item.loses})"
    if others := [reason.item for reason in group[1:]]:
        told += f"; also {_named(others)}"
    blame = f", {words.ATTRIBUTIONS[first.attribution]}" if first.attribution else ""
    return f"{told}{blame}" + (f" [policy: {first.clause}]" if first.clause else "")


def _named(ids: list[str]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _actions(verdict: Verdict) -> Iterator[Entry]:
    yield Entry("  do", verdict.next_step)
    for step in verdict.rollback.services:
        if step.calls:
            yield Entry("  or", _by_hand(step))
    for how, services in _ways(verdict).items():
        yield Entry("  how", how.format(service=" and ".join(services)))
    for warning in verdict.rollback.warnings[:_WARNINGS]:
        yield Entry("  mind", one_line(warning, _SHORT))
    if (more := len(verdict.rollback.warnings) - _WARNINGS) > 0:
        yield Entry("", f"and {more} more in the report")
    if verdict.escalation:
        yield Entry("  who", verdict.escalation)


def _by_hand(step: RollbackStep) -> str:
    """One service by dashboard and by git; the calls of the API are in the report, for they are long."""
    revert = f"; or {step.revert}, and push" if step.revert else ""
    return f"{step.dashboard}: auto-deploy off first, then Rollbacks → {step.to}{revert}"


def _ways(verdict: Verdict) -> dict[str, list[str]]:
    """Each way back that names no deploys, with "{service}" where it names one, and who goes it."""
    ways: dict[str, list[str]] = {}
    for step in verdict.rollback.services:
        if step.calls:
            continue
        how = (step.how or "{service}: not known").replace("{", "").replace("}", "")
        ways.setdefault(how.replace(step.service, "{service}"), []).append(step.service)
    return ways


def _objectives(verdict: Verdict) -> Iterator[Entry]:
    judged = [_objective(report) for report in verdict.slos if report.value is not None]
    if blank := [words.short_title(report.title) for report in verdict.slos if report.value is None]:
        sign, _ = words.OBJECTIVES[SloVerdict.INSUFFICIENT_EVIDENCE]
        judged.append(f"{sign} {', '.join(blank)}: this run alone says nothing of it")
    if judged:
        yield Entry("SLOs", " · ".join(judged))


def _objective(report: SloReport) -> str:
    """Value, interval, objective and verdict; of what is not decided, how many samples would do."""
    sign, told = words.OBJECTIVES[report.verdict]
    unit = words.objective_unit(report)
    value = "" if report.value is None else quantity(report.value, unit)
    if report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE:
        told = f"needs {report.samples_needed:,}, seen {report.samples:,}" if report.samples_needed else told
    title = words.short_title(report.title)
    return f"{sign} {title} {value} [{words.interval(report)}] {words.objective(report)}: {told}"


def _checklist(verdict: Verdict) -> Iterator[Entry]:
    counts = [(status, verdict.count(status)) for status in Status]
    tally = " · ".join(f"{count} {words.STATUSES[status][1]}" for status, count in counts if count)
    flaky = sum(item.flaky for item in verdict.items)
    told = (tally or "no item") + (f" · {flaky} flaky" if flaky else "")
    whys = words.why_unverified(verdict)
    if len(whys) == 1:
        yield Entry("Checklist", f"{told} ({one_line(whys[0][0], _MESSAGE)})")
    else:
        yield Entry("Checklist", told)
        for why, count in whys[:_WHYS]:
            label = "  unverified" if (why, count) == whys[0] else ""
            yield Entry(label, f"{count} × {one_line(why, _MESSAGE)}")
    if (more := sum(count for _, count in whys[_WHYS:])) > 0:
        yield Entry("", f"{more} × other reasons, in the report")
    yield from _unwell(verdict)


def _unwell(verdict: Verdict) -> Iterator[Entry]:
    """What failed, with its remedy; and what else went wrong and is no ground of the call."""
    grounds = {reason.item for reason in verdict.reasons}
    groups: dict[tuple[Status, str], list[str]] = {}
    for item in words.unwell(verdict):
        if item.remedy is not None and item.remedy.steps:
            says = one_line(f"{item.remedy.title}: {' '.join(item.remedy.steps)}", _REMEDY)
        else:
            says = "" if item.id in grounds else one_line(item.message, _MESSAGE)
        if says or item.status is Status.FAILED:
            groups.setdefault((item.status, says), []).append(item.id)
    for (status, says), ids in list(groups.items())[:_ITEMS]:
        label = f"  {words.STATUSES[status][0]} {status}"
        yield Entry(label, _named(ids) + (f" → {says}" if says else ""), _STATUS_STYLES[status])
    if (more := len(groups) - _ITEMS) > 0:
        yield Entry("", f"and {counted(more, 'more line')} in the report")


def _folded(entry: Entry, columns: int) -> Iterator[Line]:
    """What does not fit beside the label goes on below the text."""
    pieces = textwrap.wrap(entry.text, columns - _LABEL, break_on_hyphens=False) or [""]
    yield Span(entry.label.ljust(_LABEL), entry.style), Span(pieces[0])
    for piece in pieces[1:]:
        yield (Span(" " * _LABEL + piece),)
