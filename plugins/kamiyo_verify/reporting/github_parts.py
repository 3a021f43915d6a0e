"""Parts of GitHub's summary and comment, each as lines of Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kamiyo_verify.model.figures import counted, duration, quantity
from kamiyo_verify.model.history.round import Round, Turn
from kamiyo_verify.model.verdict import RollbackStep, SloReport, Verdict
from kamiyo_verify.model.words import Action, SloVerdict, Status
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.markup import code, unlinked

_REASONS = 8
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """The first lines: the deployment, and the result in one sentence."""

    subject: str
    headline: str


def entry_of(found: Round) -> Entry:
    """Build the first lines of a round."""
    decisive = found.decisive
    commit = f"commit {found.commit[:7]}" if found.commit else "no commit named"
    subject = ", ".join(filter(None, (found.environment, commit)))
    if found.why:
        return Entry(subject, found.why)
    if decisive is None:
        return Entry(subject, "nothing was run")
    if decisive.verdict is None or decisive.why:
        return Entry(subject, f"{decisive.phase}: {decisive.why}")
    if found.recommendation is Action.PROCEED:
        passed = sum(verdict.count(Status.PASSED) for verdict in found.verdicts)
        missing = sum(len(verdict.unverified) for verdict in found.verdicts)
        passing = f"{counted(passed, 'item')} passed"
        return Entry(subject, f"{passing}; {missing} not verified" if missing else passing)
    services = words.describe_services(decisive.verdict)
    back = f": {services}" if services and found.recommendation is Action.ROLL_BACK else ""
    return Entry(subject, f"{decisive.verdict.headline}{back}")


def grounds(verdict: Verdict) -> Iterator[str]:
    """Yield one line each for the reasons, the confidence, the next step and the people to call."""
    groups = words.by_clause(verdict.reasons)
    for group in groups[:_REASONS]:
        names = ", ".join(code(reason.item) for reason in group if reason.item)
        clause = f" *(policy: {unlinked(group[0].clause)})*" if group[0].clause else ""
        yield f"- **because** {names}{': ' if names else ''}{unlinked(group[0].message)}{clause}"
    if len(groups) > _REASONS:
        yield f"- and {counted(len(groups) - _REASONS, 'reason')} more in the report"
    lines = {
        "do": verdict.next_step,
        "confidence": verdict.confidence,
        "who acts": verdict.escalation,
        "what would change this call": verdict.flip,
        "baseline": words.compared(verdict),
    }
    yield from (f"- **{name}** {unlinked(text)}" for name, text in lines.items() if text)
    yield from (f"- **warning** {unlinked(warning)}" for warning in verdict.rollback.warnings)
    yield ""
    for step in verdict.rollback.services:
        yield from _way_back(step)


def _way_back(step: RollbackStep) -> Iterator[str]:
    """Describe how to roll one service back: by dashboard, API or git."""
    there = unlinked(words.target(step))
    yield f"**{unlinked(step.service)}** goes from {unlinked(words.source(step))} to {there}:"
    yield ""
    if step.dashboard:
        yield f"- dashboard: {code(step.dashboard)}: auto-deploy off first, then Rollbacks → {code(step.to)}"
    if step.calls:
        yield f"- by API or command: {', then '.join(map(code, step.calls))}"
    if step.revert:
        since = f", with all else since {code(step.to_commit[:7])}" if step.to_commit else ""
        yield f"- git: {code(step.revert)}{since}, and push"
    if not (step.dashboard or step.calls or step.revert):
        yield f"- {unlinked(step.how)}"
    yield ""


def turns_table(found: Round) -> Iterator[str]:
    """Format a table with one row for each run."""
    if not found.turns:
        return
    yield "| phase | call | passed | failed | not measured | unverified | took |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    yield from map(_turn, found.turns)
    yield ""


def _turn(turn: Turn) -> str:
    verdict = turn.verdict
    if verdict is None or turn.why:
        call = "not run" if turn.left_out else words.CALLS[Action.INCONCLUSIVE]
        return f"| {unlinked(turn.phase)} | {call}: {unlinked(turn.why)} | | | | | |"
    counts = [
        str(verdict.count(status) or "–")
        for status in (Status.PASSED, Status.FAILED, Status.ERROR, Status.UNVERIFIED)
    ]
    seconds = words.seconds_taken(verdict)
    cells = [
        unlinked(verdict.phase.replace("+", ", ")),
        words.CALLS[verdict.recommendation],
        *counts,
        "–" if seconds is None else duration(seconds),
    ]
    return f"| {' | '.join(cells)} |"


def objectives(verdict: Verdict) -> Iterator[str]:
    """Format a table of the objectives for which this run has evidence."""
    said = [one for one in verdict.slos if one.samples or one.verdict is not SloVerdict.INSUFFICIENT_EVIDENCE]
    if not said:
        return
    yield f"### Service level objectives ({unlinked(verdict.phase.partition('+')[0])})"
    yield ""
    yield "| objective | | seen | interval | samples |"
    yield "| --- | --- | ---: | ---: | ---: |"
    yield from map(_objective, said)
    yield ""


def _objective(report: SloReport) -> str:
    sign, label = words.OBJECTIVES[report.verdict]
    value = "–" if report.value is None else quantity(report.value, words.objective_unit(report))
    samples = f"{report.samples:,}"
    if report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE and report.samples_needed:
        samples += f" of {report.samples_needed:,}"
    title = f"{words.short_title(report.title)}, {words.objective(report)}"
    cells = (title, f"{sign} {label}", value, words.interval(report) or "–", samples)
    return f"| {' | '.join(map(unlinked, cells))} |"


def unverified(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """List the unverified items, grouped by reason."""
    why: defaultdict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        for missing in verdict.unverified:
            why[missing.why].append(missing.item)
    if not why:
        return
    count = sum(map(len, why.values()))
    yield f"<details><summary>What was not verified: {counted(count, 'item')}</summary>"
    yield ""
    for reason, items in sorted(why.items(), key=lambda row: -len(row[1])):
        named = ", ".join(map(code, items[:_NAMED]))
        more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
        yield f"- {unlinked(reason)}: {named}{more}"
    yield ""
    yield "</details>"
    yield ""


def checklist(verdict: Verdict) -> Iterator[str]:
    """List every item of a run in a collapsed section."""
    if not verdict.items:
        return
    phases = unlinked(verdict.phase.replace("+", ", "))
    yield f"<details><summary>Checklist of {phases}: {counted(len(verdict.items), 'item')}</summary>"
    yield ""
    for item in verdict.items:
        flaky = " (flaky)" if item.flaky else ""
        yield f"- {words.STATUSES[item.status][0]} {unlinked(item.title)}{flaky}"
    yield ""
    yield "</details>"
    yield ""


def cut(lines: Iterable[str], limit: int, measure: Callable[[str], int]) -> str:
    """Join as many lines as fit the limit; if lines are dropped, close an open section and add a note."""
    end = "… cut here, as GitHub shows no more; the report has all of it"
    room = limit - measure(end) - len("</details>\n\n\n")
    kept: list[str] = []
    folded = False
    for line in lines:
        room -= measure(line) + 1
        if room < 0:
            kept += [*(["", "</details>"] if folded else []), "", end]
            break
        folded = line.startswith("<details>") or (folded and line != "</details>")
        kept.append(line)
    return "\n".join(kept).rstrip("\n") + "\n"
