"""Build the report's chart data from the verdict's evidence, so that a replay draws the same charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history import timeline
from kamiyo_verify.judge.observations import deployed
from kamiyo_verify.judge.slo import readings
from kamiyo_verify.judge.statistics.exact import sample_quantile
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.history.chart_data import Breakdown, ChartData, Latency, Part, Quantile, Sent, Step
from kamiyo_verify.model.history.history import Ended, PastDeployment
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Attribution, Status

QUANTILES = (0.5, 0.95, 0.99)
MOST_SHOWN = 5
_OF_PASSED = 1

_STEPS = (
    ("name lookup", "", "time_namelookup"),
    ("connect", "time_namelookup", "time_connect"),
    ("TLS", "time_connect", "time_appconnect"),
    ("wait for the first byte", "time_pretransfer", "time_starttransfer"),
    ("transfer", "time_starttransfer", "time_total"),
)
"""The step between each two of curl's time points; each of these counts from the beginning."""

_NOUNS = {"RUN": "command", "SQL": "SQL statement"}
"""What is no HTTP request, by its method."""

_ENDED = {Action.PROCEED: Ended.GOOD, Action.ROLL_BACK: Ended.FAILED, Action.FIX_FORWARD: Ended.FAILED}


def picture(evidence: Evidence, verdict: Verdict) -> ChartData:
    """Return all chart data of a run.

    Args:
        evidence: the evidence of the run.
        verdict: the verdict on that evidence.
    """
    latencies, breakdowns = tuple(_latencies(evidence)), tuple(_breakdowns(evidence))
    bands = timeline.bands(evidence, verdict.deployment.seen)
    recent, tracked = _recent(evidence, verdict), tuple(s for s in evidence.runbook.slos if s.item)
    unknown = {
        Part.LATENCY: "" if latencies else "no response times were sampled in this run",
        Part.BEFORE: "" if any(one.before for one in latencies) else _why_nothing_before(evidence),
        Part.TIMING: "" if breakdowns else "no request was timed step by step in this run",
        Part.TIMELINE: timeline.why_less(evidence, verdict.deployment.seen),
        Part.TREND: "" if len(recent) > 1 else _why_no_trend(evidence),
    }
    return ChartData(
        latencies=latencies,
        breakdowns=breakdowns,
        timeline=bands,
        recent=recent,
        tracked=tracked,
        sent={result.item: _sent(result) for result in evidence.results if result.exchanges},
        unknown={part: why for part, why in unknown.items() if why},
    )


def _latencies(evidence: Evidence) -> Iterator[Latency]:
    for slo in evidence.runbook.slos:
        if slo.kind != "quantile":
            continue
        yield from _of_source(evidence, slo)
        if slo.preferred_source is not None:
            preferred_source = slo.model_copy(update=dict(slo.preferred_source))
            yield from _of_source(
                evidence, preferred_source, slo.preferred_source.measurement.replace("_", " ")
            )


def _of_source(evidence: Evidence, slo: Slo, name: str = "") -> Iterator[Latency]:
    """Yield the measurements of the objective's item by endpoint; under `name` if it names no endpoint."""
    result = evidence.result(slo.item)
    if result is None or result.attribution is Attribution.PROBER:
        return
    now = _by_endpoint(slo, result.measurements)
    before = _by_endpoint(slo, evidence.baseline.get(slo.item, ()))
    services = "+".join(evidence.item(slo.item).services)
    for endpoint, values in now.items():
        if endpoint or len(now) == 1:
            yield _latency(services, endpoint or name, slo, values, before.get(endpoint, ()))


def _by_endpoint(slo: Slo, measurements: tuple[Measurement, ...]) -> dict[str, tuple[float, ...]]:
    """Return the samples of each endpoint, and of all endpoints under ""; non-numeric ones are left out."""
    found: dict[str, tuple[float, ...]] = {}
    for taken in measurements:
        name, _, endpoint = taken.name.partition("[")
        if name == slo.measurement and isinstance(taken.value, tuple):
            with suppress(readings.NotMeasured):
                found[endpoint.removesuffix("]")] = tuple(filter(math.isfinite, readings.in_unit(slo, taken)))
    return {endpoint: values for endpoint, values in found.items() if values}


def _latency(
    service: str, endpoint: str, slo: Slo, values: tuple[float, ...], before: tuple[float, ...]
) -> Latency:
    return Latency(
        service=service,
        endpoint=endpoint,
        unit=slo.unit,
        values=values,
        before=before,
        quantiles=tuple(
            Quantile(
                share, sample_quantile(values, share), sample_quantile(before, share) if before else None
            )
            for share in QUANTILES
        ),
        objective=slo.objective,
    )


def _breakdowns(evidence: Evidence) -> Iterator[Breakdown]:
    for item, result in evidence.outcomes:
        moments = {
            taken.name: float(taken.value)
            for taken in result.measurements
            if taken.name.startswith("time_")
            and taken.unit == "ms"
            and isinstance(taken.value, float | int)
            and math.isfinite(taken.value)
        }
        if {"time_starttransfer", "time_total"} <= moments.keys():
            steps = tuple(_steps(moments))
            yield Breakdown("+".join(item.services), item.title, steps, moments["time_total"])


def _steps(moments: Mapping[str, float]) -> Iterator[Step]:
    for name, since, until in _STEPS:
        began, ended = moments.get(since, 0.0), moments.get(until, 0.0)
        if ended > 0 and ended >= began:
            yield Step(name, began, ended)


def _sent(result: Result) -> Sent:
    """Summarise an item's requests: show the failed and the slowest ones; if it passed, only the slowest."""
    most = _OF_PASSED if result.status is Status.PASSED else MOST_SHOWN
    ordered = sorted(result.exchanges, key=lambda one: (_weight(one), -one.duration_ms))
    answers = Counter(_answer(one) for one in result.exchanges)
    nouns = {_NOUNS.get(one.method, "request") for one in result.exchanges}
    noun = nouns.pop() if len(nouns) == 1 else "call"
    return Sent(len(result.exchanges), tuple(answers.most_common()), tuple(ordered[:most]), noun)


def _answer(exchange: Exchange) -> str:
    """Return the status of an exchange; a query or a command has none, but may have succeeded."""
    if exchange.status is not None:
        return str(exchange.status)
    if not exchange.problem:
        return "done"
    return "failed" if exchange.method in _NOUNS else "no answer"


def _weight(exchange: Exchange) -> int:
    if exchange.status is None:
        return 0 if exchange.problem else 3
    return 1 if exchange.status >= 500 else 2 if exchange.status >= 400 else 3


def _recent(evidence: Evidence, verdict: Verdict) -> tuple[PastDeployment, ...]:
    """Return the last deployments, this one last; empty if the current deployment is unknown."""
    past = evidence.history
    seen = verdict.deployment.seen
    earlier = past.recent if past else ()
    if not seen.commit or any(same_commit(one.commit, seen.commit) for one in earlier):
        return earlier
    rolled_back = verdict.deployment.rolled_back
    measured = {slo.id: slo.value for slo in verdict.slos if slo.value is not None}
    present = PastDeployment(
        commit=seen.commit,
        began_at=seen.began_at or evidence.started_at,
        ended=Ended.ROLLED_BACK if rolled_back else _ENDED.get(verdict.recommendation, Ended.UNKNOWN),
        duration_s=seen.duration_s,
        downtime_s=seen.downtime_s,
        values=measured,
    )
    return (*earlier, present)


def _why_nothing_before(evidence: Evidence) -> str:
    if evidence.before is None:
        return "how it was before is not known: no good run before this one, and none with --baseline"
    return f"run {evidence.before.run}, which shows how it was before, has no such numbers"


def _why_no_trend(evidence: Evidence) -> str:
    if evidence.history is None:
        return "the ledger was away, and only it knows of earlier deployments"
    known = deployed(evidence.commit, evidence.results).commit
    return "no earlier deployment is recorded" if known else "no earlier deployment of a known commit"
