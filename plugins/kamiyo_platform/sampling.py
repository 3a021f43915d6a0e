"""Background fixtures for Kamiyo's platform: the heartbeat, and response times of the API and the website."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_platform.varied_urls import api_urls
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.fixtures.sampled_services import sampling_s, series
from kamiyo_verify.hooks.background import background_fixture
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import NotApplicable, StreamClosed, Unverified

if TYPE_CHECKING:
    from kamiyo_verify.checks.response_times import SampledService
    from kamiyo_verify.integrations.websocket.stream import FrameWait
    from kamiyo_verify.sampling.tally import Settled

JudgedSamples: TypeAlias = Callable[[Mapping[str, Any]], "SampledService"]

_RECONNECT_S = 0.5


def _heartbeat_s(environment: Environment) -> float:
    # Twice: if the instance is replaced in the middle, the next one gets as much time as the first.
    return 2 * environment.heartbeat_patience_s + environment.timeouts.answer


@background_fixture(_heartbeat_s)
def first_heartbeat(
    environment: Environment, context: ClientContext, stop: threading.Event
) -> Mapping[str, Any]:
    """Listen for the first heartbeat: one comes within any interval of the server's one clock."""
    from kamiyo_platform.realtime import RealtimeClient  # noqa: PLC0415

    if not environment.api.tier.has_live_updates:
        raise NotApplicable(f'a key of the tier "{environment.api.tier}" has no live updates')
    client = RealtimeClient(environment.websocket_url, environment.api.key, context)
    while True:
        try:
            with client.connect() as stream:
                return asdict(stream.wait_for("heartbeat", within_seconds=environment.heartbeat_patience_s))
        except StreamClosed as closed:
            # An instance that is being replaced sends its clients to the next one: connect again, as they do.
            late = context.remaining() <= environment.heartbeat_patience_s
            if not closed.draining or stop.wait(_RECONNECT_S) or late:
                raise


@background_fixture(sampling_s, samples_api=True)
def sampled_api(
    environment: Environment,
    stopping_rule: Callable[[str], Settled | None],
    context: ClientContext,
    say: Callable[[str], None],
    stop: threading.Event,
) -> Mapping[str, Any]:
    """Sample the API's response times over varied URLs, where the key's allowance has room for it."""
    tier = environment.api.tier
    if tier.scarce:
        raise Unverified(
            f'a key of the tier "{tier}" may send {tier.per_hour} requests an hour, and the checks take them:'
            " samples need a key of the tier pro"
        )
    http = HttpClient(environment.api_url, context, of_platform=True)
    caller, urls = ApiClient(environment.api, http), api_urls(time.time_ns())
    settled = stopping_rule("api-p95")
    return series(http, caller, urls, environment.sampling, settled, say, stop)


@background_fixture(sampling_s)
def sampled_frontend(
    environment: Environment,
    stopping_rule: Callable[[str], Settled | None],
    context: ClientContext,
    say: Callable[[str], None],
    stop: threading.Event,
) -> Mapping[str, Any]:
    """Sample the website's times to first byte over its pages."""
    http = HttpClient(environment.frontend_url, context, of_platform=True)
    caller, urls = FrontendClient(http), cycle(("/", environment.frontend.dashboard_path))
    settled = stopping_rule("frontend-p95")
    return series(http, caller, urls, environment.sampling, settled, say, stop)


@pytest.fixture
def heartbeat(first_heartbeat: Mapping[str, Any]) -> FrameWait:
    """The result of waiting for a heartbeat since the run began."""
    from kamiyo_verify.integrations.websocket.stream import FrameWait  # noqa: PLC0415

    return FrameWait(**{**first_heartbeat, "seen": tuple(first_heartbeat["seen"])})


@pytest.fixture
def api_latency(sampled_api: Mapping[str, Any], judged_samples: JudgedSamples) -> SampledService:
    """The API's response times, sampled since the run began."""
    return judged_samples(sampled_api)


@pytest.fixture
def frontend_latency(sampled_frontend: Mapping[str, Any], judged_samples: JudgedSamples) -> SampledService:
    """The website's times to first byte, sampled since the run began."""
    return judged_samples(sampled_frontend)
