"""The parts of which GitHub's summary and comment are put together, each some lines of Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from plugins.model.figures import counted, duration, quantity
from plugins.model.round import Round, Turn
from plugins.model.verdict import RollbackStep, SloReport, Verdict
from plugins.model.words import Action, SloVerdict, Status
from plugins.writers import words
from plugins.writers.markup import code, unlinked

_REASONS = 8
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """What the first lines say: of which deployment, and what in one sentence."""

    subject: str
    headline: str


def entry_of(found: Round) -> Entry:
    """The first lines of a round."""
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
        told = f"{counted(passed, 'item')} passed"
        return Entry(subject, f"{told}; {missing} not verified" if missing else told)
    services = words.services_told(decisive.verdict)
    back = f": {services}" if services and found.recommendation is Action.ROLL_BACK else ""
    return Entry(subject, f"{decisive.verdict.headline}{back}")


def grounds(verdict: Verdict) -> Iterator[str]:
    """Why, how sure, what would change it, what to do, who to call: one line each."""
    groups = words.by_clause(verdict.reasons)
    for group in groups[:_REASONS]:
        names = ", ".join(code(reason.item) for reason in group if reason.item)
        clause = f" *(policy: {unlinked(group[0].clause)})*" if group[0].clause else ""
        yield f"- **because** {names}{': ' if names else ''}{unlinked(group[0].message)}{clause}"
    if len(groups) > _REASONS:
        yield f"- and {counted(len(groups) - _REASONS, 'reason')} more in the report"
    told = {
        "sure": verdict.confidence,
        "would flip": verdict.flip,
        "do": verdict.next_step,
        "compared": words.compared(verdict),
        "who": verdict.escalation,
    }
    yield from (f"- **{name}** {unlinked(text)}" for name, text in told.items() if text)
    yield from (f"- **mind** {unlinked(warning)}" for warning in verdict.rollback.warnings)
    yield ""
    for step in verdict.rollback.services:
        yield from _way_back(step)


def _way_back(step: RollbackStep) -> Iterator[str]:
    """How one service is taken back, by whichever of the three ways suits."""
    there = unlinked(words.target(step))
    yield f"**{unlinked(step.service)}** goes from {unlinked(words.source(step))} to {there}:"
    yield ""
    if step.dashboard:
        yield f"- dashboard: {code(step.dashboard)}: auto-deploy off first, then Rollbacks → {code(step.to)}"
    if step.calls:
        yield f"- Render's API: {', then '.join(map(code, step.calls))}"
    if step.revert:
        since = f", with all else since {code(step.to_commit[:7])}" if step.to_commit else ""
        yield f"- git: {code(step.revert)}{since}, and push"
    if not (step.dashboard or step.calls or step.revert):
        yield f"- {unlinked(step.how)}"
    yield ""


def turns_table(found: Round) -> Iterator[str]:
    """The runs, a line each."""
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
    """The objectives on which this run has something to say."""
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
    sign, told = words.OBJECTIVES[report.verdict]
    value = "–" if report.value is None else quantity(report.value, words.objective_unit(report))
    samples = f"{report.samples:,}"
    if report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE and report.samples_needed:
        samples += f" of {report.samples_needed:,}"
    title = f"{words.short_title(report.title)}, {words.objective(report)}"
    cells = (title, f"{sign} {told}", value, words.interval(report) or "–", samples)
    return f"| {' | '.join(map(unlinked, cells))} |"


def unverified(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was not verified, by the reason."""
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
    """Every item of a run, folded away."""
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
    """The lines, as many as the limit holds; what is left out is said, and what was folded is closed."""
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
