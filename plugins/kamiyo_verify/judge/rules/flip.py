"""What would change the call. Each statement is verified on altered evidence before it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.attribution.before import before_of
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules import effects
from kamiyo_verify.judge.rules.data_loss import falls
from kamiyo_verify.judge.rules.effects import MEDIAN
from kamiyo_verify.judge.slo import readings
from kamiyo_verify.judge.slo.lines import limit_of
from kamiyo_verify.judge.statistics.exact import fewest_over, most_under, sample_quantile
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.figures import percent, quantity
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Attribution, Impact, SloVerdict, Status

Judge = Callable[[Evidence], Action]
"""Returns the call that the rules make on some evidence."""

Statement = tuple[str, Evidence]
"""A change in words, and the evidence with that change."""

_NAMED = 3
_CALLS = {
    Action.PROCEED: "proceed",
    Action.HOLD: "hold",
    Action.FIX_FORWARD: "fix forward",
    Action.ROLL_BACK: "roll back",
    Action.INCONCLUSIVE: "inconclusive",
}
_CLEARLY = 0.9
"""The factor of a limit below which a number is clearly below the limit."""


def flip(
    given: Evidence, action: Action, reasons: Sequence[Reason], slos: Sequence[SloReport], judge: Judge
) -> str:
    """Return what would change the call, or "" if no single change would.

    Args:
        given: the evidence as collected, before attribution.
        action: the call on that evidence.
        reasons: the reasons of that call.
        slos: the reports on the objectives.
        judge: applies the rules to altered evidence.
    """
    statements = [
        *_of_items(given, action, reasons),
        *_numbers(given, reasons, slos),
        *_rows(given),
        *_nearly(given, action),
    ]
    judged = ((description, judge(altered)) for description, altered in statements)
    return "; ".join(f"{description}: {_CALLS[call]}" for description, call in judged if call is not action)


def _of_items(given: Evidence, action: Action, reasons: Sequence[Reason]) -> Iterator[Statement]:
    ids = [reason.item for reason in reasons if given.runbook.item(reason.item)]
    results = [found for item in ids if (found := given.result(item)) and found.status is not Status.PASSED]
    if not results:
        return
    what = _named(result.item for result in results)
    yield f"{what} passing", _with_results(given, [_passed(result) for result in results])
    blamed = {reason.attribution for reason in reasons}
    names = [result.item for result in results]
    if action is Action.ROLL_BACK:
        yield f"{what} known to have failed before this deploy", _before(given, names, Status.FAILED)
    if Attribution.PRE_EXISTING in blamed:
        yield f"a baseline in which {what} passed", _before(given, names, Status.PASSED)
    if Attribution.THIRD_PARTY in blamed:
        yield f"{what} still failing once the third party is well", replace(given, suppliers=())


def _rows(given: Evidence) -> Iterator[Statement]:
    """Yield for each count of rows that fell too far the smallest allowed count."""
    for fall in falls(given):
        result = given.result(fall.item)
        if result is None:
            continue
        counted = tuple(
            replace(taken, value=fall.least) if taken.name == fall.measurement else taken
            for taken in result.measurements
        )
        description = f"{fall.endpoint} counting {fall.least:,} or more (it is {fall.now:,})"
        yield description, _with_results(given, [replace(result, measurements=counted)])


def _passed(result: Result) -> Result:
    return replace(
        result,
        status=Status.PASSED,
        message="",
        attribution=None,
        attempts=(),
        confirmation=None,
        failure=None,
        refusal=None,
        exchanges=tuple(sent for sent in result.exchanges if sent.accepted is not False),
    )


def _with_results(given: Evidence, changed: Iterable[Result]) -> Evidence:
    new = {result.item: result for result in changed}
    kept = (result for result in given.results if result.item not in new)
    return replace(given, results=(*kept, *new.values()))


def _before(given: Evidence, items: Sequence[str], status: Status) -> Evidence:
    """Return the evidence with a baseline in which these items had that status."""
    known = before_of(given) or Before(
        run="", baseline=True, commit="", finished_at=given.started_at, age_s=0.0
    )
    return replace(
        given,
        before=replace(
            known,
            statuses={**known.statuses, **dict.fromkeys(items, status)},
            failures={item: one for item, one in known.failures.items() if item not in items},
        ),
    )


def _named(items: Iterable[str]) -> str:
    ids = list(items)
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _numbers(given: Evidence, reasons: Sequence[Reason], slos: Sequence[SloReport]) -> Iterator[Statement]:
    """Yield for each objective that is a reason of the call the value that would change the call."""
    grounds = {reason.item for reason in reasons}
    for objective, report in zip(given.runbook.slos, slos, strict=True):
        if objective.kind == "history" or not {objective.id, objective.item} & grounds:
            continue
        try:
            yield from (_requests if objective.kind == "ratio" else _times)(given, objective, report)
        except readings.NotMeasured:
            continue


def _requests(given: Evidence, objective: Slo, _: SloReport) -> Iterator[Statement]:
    """Yield how many failing requests would lie on the other side of the policy's limit."""
    line = limit_of(given.runbook.policy, None)
    blast = effects.blast_radius(objective, attributed(given))
    if line is None or line.limit is None or blast is None or blast.before is not None:
        return
    method, sure = readings.method(objective, given), given.runbook.policy.confidence
    bad, total = blast.bad, blast.total

    def failing(count: int) -> Evidence:
        return _measured(given, objective.item, objective.measurement, count)

    more, fewer = fewest_over(total, line.limit, sure, method), most_under(total, line.limit, sure, method)
    if more is not None and bad >= more:
        yield f"at most {more - 1:,} of {total:,} requests failing (it is {bad:,})", failing(more - 1)
        return
    fewer = None if fewer is None else min(fewer, bad)
    if fewer == bad:
        yield "no request failing", failing(0)
    elif fewer is not None:
        yield f"at most {fewer:,} of {total:,} requests failing (it is {bad:,})", failing(fewer)
    if more is not None:
        yield f"{more:,} of {total:,} requests failing", failing(more)


def _times(given: Evidence, objective: Slo, report: SloReport) -> Iterator[Statement]:
    """Yield the response times that would meet the objective, or the policy's limit."""
    if objective.quantile is None or report.value is None:
        return
    side = "under" if objective.better == "below" else "over"
    agreed = quantity(objective.objective, objective.unit)
    if report.verdict is not SloVerdict.MET:
        is_now = quantity(report.value, objective.unit)
        factor = _CLEARLY if objective.better == "below" else 1 / _CLEARLY
        yield (
            f"p{objective.quantile * 100:g} clearly {side} {agreed} (it is {is_now})",
            _scaled(given, objective, factor * objective.objective / report.value),
        )
    line = limit_of(given.runbook.policy, Impact.PERFORMANCE)
    known = readings.series_before(objective, given.baseline)
    if line is None or line.limit is None or known is None:
        return
    before = sample_quantile(known[0], MEDIAN)
    after = sample_quantile(readings.series(objective, given), MEDIAN)
    if not after:
        return
    at_most = before * (1 + line.limit)
    description = (
        f"the median clearly under {quantity(at_most, objective.unit)}, {percent(line.limit)} more than the"
        f" {quantity(before, objective.unit)} before (it is {quantity(after, objective.unit)})"
    )
    yield description, _scaled(given, objective, _CLEARLY * at_most / after)


def _measured(given: Evidence, item: str, name: str, value: float | tuple[float, ...]) -> Evidence:
    """Return the evidence with another measurement of an item."""
    result = given.result(item)
    if result is None:
        return given
    taken = tuple(
        replace(one, value=value) if isinstance(one, Measurement) and one.name == name else one
        for one in result.measurements
    )
    return _with_results(given, [replace(_passed(result), measurements=taken)])


def _scaled(given: Evidence, objective: Slo, factor: float) -> Evidence:
    """Return the evidence with every response time of the objective's series multiplied by `factor`."""
    sources = [(objective.item, objective.measurement)]
    sources += (
        [(objective.preferred_source.item, objective.preferred_source.measurement)]
        if objective.preferred_source
        else []
    )
    for item, name in sources:
        result = given.result(item)
        taken = result.measurement(name) if result else None
        if taken is not None and isinstance(taken.value, tuple):
            given = _measured(given, item, name, tuple(one * factor for one in taken.value))
    return given


def _nearly(given: Evidence, action: Action) -> Iterator[Statement]:
    """Yield flaky items that would have changed the call if they had failed once more."""
    if action is Action.ROLL_BACK:
        return
    for _, result in given.outcomes:
        if result.flaky and result.confirmation is None:
            bad = sum(attempt.status is not Status.PASSED for attempt in result.attempts)
            worst = next(one for one in result.attempts if one.status is not Status.PASSED)
            yield (
                f"one more failing try of {result.item} ({bad} of {len(result.attempts)} failed)",
                _with_results(
                    given, [replace(result, status=worst.status, message=worst.message, attribution=None)]
                ),
            )
