"""What takes its time whatever we do: it begins with the run, and its check asks for the outcome last.

What only samples and listeners need is imported by them: a run without them does without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from plugins.background import background_fixture
from plugins.clients.api import ApiClient
from plugins.clients.frontend import FrontendClient
from plugins.clients.http import HttpClient, Record, Throttle
from plugins.clients.samples import SampleSet
from plugins.clients.varied_urls import exploit_urls
from plugins.judge.readings import Baseline, in_unit, method_after
from plugins.judge.settling import settling_for
from plugins.model.environment import Environment
from plugins.model.result import Measurement
from plugins.model.runbook import Runbook

if TYPE_CHECKING:
    from plugins.clients.stream import Heard
    from plugins.clients.tally import Settled


def _heartbeat_s(environment: Environment) -> float:
    return environment.heartbeat_patience_s + environment.timeouts.answer


def _sampling_s(environment: Environment) -> float:
    return environment.sampling.seconds + environment.timeouts.answer


@background_fixture(_heartbeat_s)
def heard_heartbeat(environment: Environment, record: Record, stop: threading.Event) -> Mapping[str, Any]:  # noqa: ARG001
    """Listen for the first heartbeat: one comes within any interval of the server's one clock."""
    from plugins.clients.realtime import RealtimeClient  # noqa: PLC0415

    client = RealtimeClient(
        environment.websocket_url,
        environment.api.key,
        timeouts=environment.timeouts,
        record=record,
        remaining=_countdown(_heartbeat_s(environment)),
    )
    with client.connect() as stream:
        return asdict(stream.wait_for("heartbeat", within_seconds=environment.heartbeat_patience_s))


@background_fixture(_sampling_s)
def sampled_api(
    environment: Environment,
    runbook: Runbook,
    before: Callable[[], Baseline],
    record: Record,
    say: Callable[[str], None],
    stop: threading.Event,
) -> Mapping[str, Any]:
    """Sample the API's response times over varied URLs."""
    from plugins.clients.sampler import sample  # noqa: PLC0415

    http = _http(environment, environment.api.url, record)
    sampling = environment.sampling
    found = sample(
        ApiClient(environment.api, http),
        exploit_urls(time.time_ns()),
        sampling.requests,
        sampling.per_minute,
        sampling.seconds,
        stop,
        settled=_rule("api-p95", runbook, before),
        say=say,
    )
    http.close()
    return asdict(found)


@background_fixture(_sampling_s)
def sampled_frontend(
    environment: Environment,
    runbook: Runbook,
    before: Callable[[], Baseline],
    record: Record,
    say: Callable[[str], None],
    stop: threading.Event,
) -> Mapping[str, Any]:
    """Sample the website's times to first byte over its pages."""
    from plugins.clients.sampler import sample  # noqa: PLC0415

    http = _http(environment, environment.frontend.url, record)
    sampling = environment.sampling
    found = sample(
        FrontendClient(environment.frontend, http),
        cycle(("/", environment.frontend.dashboard_path)),
        sampling.requests,
        sampling.per_minute,
        sampling.seconds,
        stop,
        settled=_rule("frontend-p95", runbook, before),
        say=say,
    )
    http.close()
    return asdict(found)


@pytest.fixture
def heartbeat(heard_heartbeat: Mapping[str, Any]) -> Heard:
    """What came of listening for a heartbeat since the run began."""
    from plugins.clients.stream import Heard  # noqa: PLC0415

    return Heard(**{**heard_heartbeat, "seen": tuple(heard_heartbeat["seen"])})


@pytest.fixture
def api_latency(sampled_api: Mapping[str, Any]) -> SampleSet:
    """The API's response times, sampled since the run began."""
    return SampleSet.of(sampled_api)


@pytest.fixture
def frontend_latency(sampled_frontend: Mapping[str, Any]) -> SampleSet:
    """The website's times to first byte, sampled since the run began."""
    return SampleSet.of(sampled_frontend)


@pytest.fixture
def fails_more_than(confidence: float) -> Callable[[SampleSet, float], bool]:
    """Whether a larger share of the requests fails than that, beyond what chance explains.

    By the same bound as the objective: one failure among many is shown there, and proves nothing.
    """

    def fails(samples: SampleSet, share: float) -> bool:
        return method_after(samples.stopping).lower_bound(samples.bad, samples.total, confidence) >= share

    return fails


def _rule(objective: str, runbook: Runbook, before: Callable[[], Baseline]) -> Settled | None:
    """Says when the judge will need no more samples; None where the runbook has no such objective."""
    slo = next((one for one in runbook.slos if one.id == objective and one.quantile is not None), None)
    if slo is None:
        return None
    settling = settling_for(slo, runbook, before())

    def settled(duration_ms: float, bad: bool) -> bool:  # noqa: FBT001 - as `Settled` has it
        (duration,) = in_unit(slo, Measurement("duration", duration_ms, "ms"))
        settling.update(duration, bad=bad)
        return settling.settled

    return settled


def _http(environment: Environment, origin: str, record: Record) -> HttpClient:
    return HttpClient(
        origin,
        timeouts=environment.timeouts,
        record=record,
        remaining=_countdown(_sampling_s(environment)),
        throttle=Throttle(),
    )


def _countdown(seconds: float) -> Callable[[], float]:
    until = time.monotonic() + seconds
    return lambda: until - time.monotonic()
