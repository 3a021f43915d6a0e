"""What the ledger can say to the questions after a deployment. The answers are people's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, repeat

from plugins.judge.moments import seconds_between
from plugins.model.dossier import Answered, Dossier, Happened, Retrospective
from plugins.model.figures import counted, duration, percent, quantity
from plugins.model.runbook import Runbook
from plugins.model.verdict import SloReport
from plugins.model.words import Action, Attribution, Phase, SloVerdict, Status

_ELSEWHERE = {
    Attribution.PRE_EXISTING: "was there before this deployment",
    Attribution.THIRD_PARTY: "was a third party's doing",
    Attribution.PROBER: "was our own side's doing",
}
_NOTICEABLE = 1.25
"""From this multiple on, a response time is worth a word; the policy draws its line elsewhere."""

_NAMED = 6


def retrospective(runbook: Runbook, dossier: Dossier) -> Retrospective:
    """A deployment, looked back at.

    The facts go to the runbook's questions in their order there: what went well, what should be better, what
    was surprising, what would have prevented it. A further question gets no facts.
    """
    facts = chain(_FACTS, repeat(_nothing))
    answers = (
        Answered(question, tuple(find(dossier)))
        for question, find in zip(runbook.questions, facts, strict=False)
    )
    return Retrospective(dossier, tuple(answers))


def _well(dossier: Dossier) -> Iterator[str]:
    record, verdict = dossier.record, dossier.last.verdict
    yield f"{verdict.count(Status.PASSED)} of {counted(len(verdict.items), 'item')} passed in the last run"
    met = [_short(report) for report in dossier.slos if report.verdict is SloVerdict.MET]
    if met:
        yield f"met: {_named(met)}"
    if record.seen.downtime_s == 0:
        yield "nobody saw downtime"
    took, usual = record.seen.duration_s, dossier.usual_s
    if took is not None and (usual is None or took <= usual):
        yield f"it took {duration(took)}{_beside_usual(dossier)}"
    began, failed = dossier.first(Happened.BEGAN), dossier.first(Happened.FAILED)
    noticed = seconds_between(began.at, failed.at) if began and failed else None
    if noticed is not None:
        yield f"the first failure was seen {duration(noticed)} after the deployment began"
    if failed and (lasted := seconds_between(failed.at, record.restored_at)) is not None:
        yield f"service was restored {duration(lasted)} after that"


def _better(dossier: Dossier) -> Iterator[str]:
    seen, verdict = dossier.record.seen, dossier.last.verdict
    if seen.downtime_s:
        yield f"{duration(seen.downtime_s)} of downtime"
    if seen.duration_s is not None and dossier.usual_s is not None and seen.duration_s > dossier.usual_s:
        yield f"it took {duration(seen.duration_s)}{_beside_usual(dossier)}"
    for why, count in Counter(missing.why for missing in verdict.unverified).items():
        yield f"{counted(count, 'item')} not verified: {why}"
    unmeasured = [item.title for item in verdict.items if item.status is Status.ERROR]
    if unmeasured:
        yield f"not measured: {_named(unmeasured)}"
    undecided = sum(run.verdict.recommendation is Action.INCONCLUSIVE for run in dossier.runs)
    if undecided:
        yield f"{undecided} of {counted(len(dossier.runs), 'run')} decided nothing"
    yield from (f"{_short(one)}: {one.message}" for one in dossier.slos if _too_few(one))
    yield from _deciding(dossier)


def _deciding(dossier: Dossier) -> Iterator[str]:
    """How long people took to act on a call, or that they have recorded nothing."""
    call = next(
        (run for run in dossier.runs if run.verdict.recommendation in {Action.ROLL_BACK, Action.FIX_FORWARD}),
        None,
    )
    if call is None:
        return
    if not dossier.decisions:
        yield "nobody has recorded what was done about the call"
    elif (took := seconds_between(call.finished_at, dossier.decisions[0].at)) is not None:
        yield f"{duration(took)} lay between the call and the decision"


def _surprising(dossier: Dossier) -> Iterator[str]:
    flaky = {item.title for run in dossier.runs for item in run.verdict.items if item.flaky}
    if flaky:
        yield f"flaky, passed on another try: {_named(sorted(flaky))}"
    for trouble in dossier.troubles:
        whose = _ELSEWHERE.get(trouble.item.attribution) if trouble.item.attribution else None
        if whose:
            yield f"{trouble.item.title}: {whose}"
    yield from (f"{_short(one)}: {one.message}" for one in dossier.slos if one.verdict is SloVerdict.BREACHED)
    for slo, ratio in dossier.record.slowdown.items():
        if ratio >= _NOTICEABLE:
            yield f"{slo} is {quantity(ratio)} times that of the good deployment before"
    hour = dossier.record.seen.first_hour
    if hour and hour.bad:
        share = percent(hour.bad / hour.total)
        yield f"{hour.bad:,} of {hour.total:,} {hour.what} failed in the first hour ({share})"
    yield from _changed(dossier)


def _changed(dossier: Dossier) -> Iterator[str]:
    """What passed at first, and failed in a later run."""
    passed: set[str] = set()
    told: set[str] = set()
    for run in dossier.runs:
        for item in run.verdict.items:
            if item.status is Status.FAILED and item.id in passed - told:
                told.add(item.id)
                yield f"{item.title}: passed at first, and failed later"
            elif item.status is Status.PASSED:
                passed.add(item.id)


def _preventing(dossier: Dossier) -> Iterator[str]:
    for trouble in dossier.troubles:
        remedy = f"; known as: {trouble.item.remedy.title}" if trouble.item.remedy else ""
        yield f"failed: {trouble.item.title}{remedy}"
    preflight = [run for run in dossier.runs if Phase.PREFLIGHT in run.phases]
    if not preflight:
        yield "no preflight run of this commit is recorded"
    for run in preflight:
        yield f"the preflight said {run.verdict.recommendation.replace('_', ' ')}: {run.verdict.headline}"
    if not any(run.verdict.compared for run in dossier.runs):
        yield "nothing was known of the time before: there was no baseline and no good run to compare with"


def _nothing(_: Dossier) -> Iterator[str]:
    yield from ()


_FACTS: tuple[Callable[[Dossier], Iterator[str]], ...] = (_well, _better, _surprising, _preventing)
"""In the order of the runbook's questions."""


def _beside_usual(dossier: Dossier) -> str:
    return "" if dossier.usual_s is None else f", where {duration(dossier.usual_s)} is usual"


def _short(report: SloReport) -> str:
    """Its title, without what that explains in brackets."""
    return report.title.partition(" (")[0]


def _too_few(report: SloReport) -> bool:
    return report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE and report.value is not None


def _named(titles: list[str]) -> str:
    more = len(titles) - _NAMED
    return "; ".join(titles[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
