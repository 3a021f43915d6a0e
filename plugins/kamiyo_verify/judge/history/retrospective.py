"""Facts from the ledger for the retrospective's questions. People answer the questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, repeat

from kamiyo_verify.judge.history.events import seconds_between
from kamiyo_verify.model.figures import counted, duration, percent, quantity
from kamiyo_verify.model.history.deployment_record import Answered, DeploymentFile, Happened, Retrospective
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Attribution, Phase, SloVerdict, Status

_ELSEWHERE = {
    Attribution.PRE_EXISTING: "was there before this deployment",
    Attribution.THIRD_PARTY: "was caused by a third party",
    Attribution.PROBER: "was no evidence about the platform",
}
_NOTICEABLE = 1.25
"""The response time ratio from which a slowdown is mentioned; the policy has its own limit."""

_NAMED = 6


def retrospective(runbook: Runbook, deployment_file: DeploymentFile) -> Retrospective:
    """Return the retrospective of a deployment.

    The facts are assigned to the runbook's questions in their order: what went well, what should be better,
    what was surprising, what would have prevented it. Any further question gets no facts.
    """
    facts = chain(_FACTS, repeat(_nothing))
    answers = (
        Answered(question, tuple(find(deployment_file)))
        for question, find in zip(runbook.questions, facts, strict=False)
    )
    return Retrospective(deployment_file, tuple(answers))


def _well(deployment_file: DeploymentFile) -> Iterator[str]:
    record, verdict = deployment_file.record, deployment_file.last.verdict
    yield f"{verdict.count(Status.PASSED)} of {counted(len(verdict.items), 'item')} passed in the last run"
    met = [_short(report) for report in deployment_file.slos if report.verdict is SloVerdict.MET]
    if met:
        yield f"met: {_named(met)}"
    if record.seen.downtime_s == 0:
        yield "nobody saw downtime"
    took, usual = record.seen.duration_s, deployment_file.usual_s
    if took is not None and (usual is None or took <= usual):
        yield f"it took {duration(took)}{_beside_usual(deployment_file)}"
    began, failed = deployment_file.first(Happened.BEGAN), deployment_file.first(Happened.FAILED)
    noticed = seconds_between(began.at, failed.at) if began and failed else None
    if noticed is not None:
        yield f"the first failure was seen {duration(noticed)} after the deployment began"
    if failed and (lasted := seconds_between(failed.at, record.restored_at)) is not None:
        yield f"service was restored {duration(lasted)} after that"


def _better(deployment_file: DeploymentFile) -> Iterator[str]:
    seen, verdict = deployment_file.record.seen, deployment_file.last.verdict
    if seen.downtime_s:
        yield f"{duration(seen.downtime_s)} of downtime"
    if (
        seen.duration_s is not None
        and deployment_file.usual_s is not None
        and seen.duration_s > deployment_file.usual_s
    ):
        yield f"it took {duration(seen.duration_s)}{_beside_usual(deployment_file)}"
    for why, count in Counter(missing.why for missing in verdict.unverified).items():
        yield f"{counted(count, 'item')} not verified: {why}"
    unmeasured = [item.title for item in verdict.items if item.status is Status.ERROR]
    if unmeasured:
        yield f"not measured: {_named(unmeasured)}"
    undecided = sum(run.verdict.recommendation is Action.INCONCLUSIVE for run in deployment_file.runs)
    if undecided:
        yield f"{undecided} of {counted(len(deployment_file.runs), 'run')} decided nothing"
    yield from (f"{_short(one)}: {one.message}" for one in deployment_file.slos if _too_few(one))
    yield from _deciding(deployment_file)


def _deciding(deployment_file: DeploymentFile) -> Iterator[str]:
    """Yield how long people took to act on a call, or that they recorded no decision."""
    call = next(
        (
            run
            for run in deployment_file.runs
            if run.verdict.recommendation in {Action.ROLL_BACK, Action.FIX_FORWARD}
        ),
        None,
    )
    if call is None:
        return
    if not deployment_file.decisions:
        yield "nobody has recorded what was done about the call"
    elif (took := seconds_between(call.finished_at, deployment_file.decisions[0].at)) is not None:
        yield f"{duration(took)} lay between the call and the decision"


def _surprising(deployment_file: DeploymentFile) -> Iterator[str]:
    flaky = {item.title for run in deployment_file.runs for item in run.verdict.items if item.flaky}
    if flaky:
        yield f"flaky, passed on another try: {_named(sorted(flaky))}"
    for trouble in deployment_file.troubles:
        whose = _ELSEWHERE.get(trouble.item.attribution) if trouble.item.attribution else None
        if whose:
            yield f"{trouble.item.title}: {whose}"
    yield from (
        f"{_short(one)}: {one.message}" for one in deployment_file.slos if one.verdict is SloVerdict.BREACHED
    )
    for slo, ratio in deployment_file.record.slowdown.items():
        if ratio >= _NOTICEABLE:
            yield f"{slo} is {quantity(ratio)} times that of the good deployment before"
    hour = deployment_file.record.seen.first_hour
    if hour and hour.bad:
        share = percent(hour.bad / hour.total)
        yield f"{hour.bad:,} of {hour.total:,} {hour.what} failed in the first hour ({share})"
    yield from _changed(deployment_file)


def _changed(deployment_file: DeploymentFile) -> Iterator[str]:
    """Yield the items that passed at first and failed in a later run."""
    passed: set[str] = set()
    seen: set[str] = set()
    for run in deployment_file.runs:
        for item in run.verdict.items:
            if item.status is Status.FAILED and item.id in passed - seen:
                seen.add(item.id)
                yield f"{item.title}: passed at first, and failed later"
            elif item.status is Status.PASSED:
                passed.add(item.id)


def _preventing(deployment_file: DeploymentFile) -> Iterator[str]:
    for trouble in deployment_file.troubles:
        remedy = f"; known as: {trouble.item.remedy.title}" if trouble.item.remedy else ""
        yield f"failed: {trouble.item.title}{remedy}"
    preflight = [run for run in deployment_file.runs if Phase.PREFLIGHT in run.phases]
    if not preflight:
        yield "no preflight run of this commit is recorded"
    for run in preflight:
        yield f"the preflight said {run.verdict.recommendation.replace('_', ' ')}: {run.verdict.headline}"
    if not any(run.verdict.compared for run in deployment_file.runs):
        yield "nothing was known of the time before: there was no baseline and no good run to compare with"


def _nothing(_: DeploymentFile) -> Iterator[str]:
    yield from ()


_FACTS: tuple[Callable[[DeploymentFile], Iterator[str]], ...] = (_well, _better, _surprising, _preventing)
"""In the order of the runbook's questions."""


def _beside_usual(deployment_file: DeploymentFile) -> str:
    return "" if deployment_file.usual_s is None else f", where {duration(deployment_file.usual_s)} is usual"


def _short(report: SloReport) -> str:
    """Return the title without the explanation in brackets."""
    return report.title.partition(" (")[0]


def _too_few(report: SloReport) -> bool:
    return report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE and report.value is not None


def _named(titles: list[str]) -> str:
    more = len(titles) - _NAMED
    return "; ".join(titles[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
