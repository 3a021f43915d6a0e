"""Generic checks of the requests that were sampled while the run went on.

`service` is what the fixture `sampled` gives: `sampled("web")`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kamiyo_verify.checks.requirement import Measure, require
from kamiyo_verify.model.words import Stopping
from kamiyo_verify.sampling.samples import SampleSet


@dataclass(frozen=True, slots=True)
class SampledService:
    """The samples of one service, and how they are judged.

    Attributes:
        samples: the samples.
        p95_reaches: the fixture of that name.
        fails_more_than: the fixture of that name.
        measure_each: the fixture of that name.
    """

    samples: SampleSet
    p95_reaches: Callable[[Sequence[float], float, Stopping], bool]
    fails_more_than: Callable[[SampleSet, float], bool]
    measure_each: Measure


def answers_in_time(service: SampledService, measure: Measure, *, p95_ms: float) -> None:
    """The 95th percentile of the response times does not reach the limit, chance considered.

    It measures the series "response_times", which an objective of runbook.toml may name.
    """
    times = service.samples.timed
    measure("response_times", times.durations_ms, "ms")
    service.measure_each(times.by_path(times.durations_ms), "ms", name="response_times")
    measure("stopping", times.stopping.value)
    measure("connection_set_ups", times.set_up_ms, "ms")
    measure("p95", times.p95_ms, "ms")
    require(
        not service.p95_reaches(times.durations_ms, p95_ms, times.stopping),
        f"p95 of {times.total} requests is {times.p95_ms:.0f} ms, not under {p95_ms:.0f}",
    )


def sends_first_byte_in_time(service: SampledService, measure: Measure, *, p95_ms: float) -> None:
    """The 95th percentile of the times to the first byte does not reach the limit, chance considered.

    It measures the series "first_bytes", which an objective of runbook.toml may name.
    """
    times = service.samples.timed
    measure("first_bytes", times.first_byte_ms, "ms")
    service.measure_each(times.by_path(times.first_byte_ms), "ms", name="first_bytes")
    measure("stopping", times.stopping.value)
    measure("p95", times.first_byte_p95_ms, "ms")
    require(
        not service.p95_reaches(times.first_byte_ms, p95_ms, times.stopping),
        f"p95 of the first byte is {times.first_byte_p95_ms:.0f} ms where under {p95_ms:.0f} was agreed",
    )


def rarely_fails(service: SampledService, measure: Measure, *, share: float) -> None:
    """No more requests fail than the share and chance explain; `share` is 0.001 for 0.1 %.

    It measures the counts "errors" and "requests", which an objective of runbook.toml may name.
    """
    sent = service.samples.taken
    measure("requests", sent.total, "count")
    measure("errors", sent.bad, "count")
    shares = {path: f"{bad} of {total}" for path, (bad, total) in sent.failures_by_path.items()}
    service.measure_each(shares, name="failed")
    measure("sent_at", sent.offsets_s, "s")
    measure("outcomes", sent.outcomes)
    measure("stopping", sent.stopping.value)
    require(
        not service.fails_more_than(sent, share),
        f"{sent.bad} of {sent.total} requests failed: {sent.message}",
    )
