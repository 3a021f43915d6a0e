"""What takes its time whatever we do: it begins with the run, and its check asks for the outcome last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import cycle
from typing import Any

import pytest

from plugins.background import background_fixture
from plugins.clients.api import ApiClient
from plugins.clients.frontend import FrontendClient
from plugins.clients.http import HttpClient, Record, Throttle
from plugins.clients.realtime import RealtimeClient
from plugins.clients.sampler import SampleSet, exploit_urls, sample
from plugins.clients.stream import Heard
from plugins.model.environment import Environment


def _heartbeat_s(environment: Environment) -> float:
    return environment.heartbeat_patience_s + environment.timeouts.answer


def _sampling_s(environment: Environment) -> float:
    return environment.sampling.seconds + environment.timeouts.answer


@background_fixture(_heartbeat_s)
def heard_heartbeat(environment: Environment, record: Record, stop: threading.Event) -> Mapping[str, Any]:  # noqa: ARG001
    """Listen for the first heartbeat: one comes within any interval of the server's one clock."""
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
def sampled_api(environment: Environment, record: Record, stop: threading.Event) -> Mapping[str, Any]:
    """Sample the API's response times over varied URLs."""
    http = _http(environment, environment.api.url, record)
    urls = exploit_urls(time.time_ns())
    sampling = environment.sampling
    found = sample(
        ApiClient(environment.api, http), urls, sampling.requests, sampling.per_minute, sampling.seconds, stop
    )
    http.close()
    return asdict(found)


@background_fixture(_sampling_s)
def sampled_frontend(environment: Environment, record: Record, stop: threading.Event) -> Mapping[str, Any]:
    """Sample the website's times to first byte over its pages."""
    http = _http(environment, environment.frontend.url, record)
    pages = cycle(("/", environment.frontend.dashboard_path))
    sampling = environment.sampling
    client = FrontendClient(environment.frontend, http)
    found = sample(client, pages, sampling.requests, sampling.per_minute, sampling.seconds, stop)
    http.close()
    return asdict(found)


@pytest.fixture
def heartbeat(heard_heartbeat: Mapping[str, Any]) -> Heard:
    """What came of listening for a heartbeat since the run began."""
    return Heard(**{**heard_heartbeat, "seen": tuple(heard_heartbeat["seen"])})


@pytest.fixture
def api_latency(sampled_api: Mapping[str, Any]) -> SampleSet:
    """The API's response times, sampled since the run began."""
    return SampleSet.of(sampled_api)


@pytest.fixture
def frontend_latency(sampled_frontend: Mapping[str, Any]) -> SampleSet:
    """The website's times to first byte, sampled since the run began."""
    return SampleSet.of(sampled_frontend)


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
