"""The metrics client reads Prometheus' text format and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.routing import Route

from kamiyo_verify.config.environment import Api
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.prometheus.client import Prometheus
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from sandbox.faults import Faults
from sandbox.metrics import Metrics
from sandbox.platform import Platform, Secrets
from tests.support.hostile_server import Server, answer, saying
from tests.support.outside import TIMEOUTS
from tests.support.serving import serving


def families(origin: str) -> dict[str, object]:
    client = Prometheus(Api().metrics_path, ClientContext.unrecorded(TIMEOUTS, lambda: 5.0), url=origin)
    try:
        return dict(client.families())
    finally:
        client.close()


def from_sandbox(*faults: str) -> dict[str, object]:
    platform = Platform(
        secrets=Secrets(),
        faults=Faults(faults),
        pool=AsyncConnectionPool("", open=False),
        api_url="",
        frontend_url="",
        heartbeat_s=2,
        latency_ms=20,
        commit="5a" * 20,
    )
    with serving(Starlette(routes=[Route("/metrics", Metrics(platform).show)])) as origin:
        return families(origin)


def test_the_sandboxs_metrics_are_read() -> None:
    found = from_sandbox()
    assert {
        "kamiyo_http_requests",
        "kamiyo_http_request_duration_seconds",
        "kamiyo_build_info",
    } <= found.keys()


def test_a_web_page_is_no_metrics() -> None:
    with pytest.raises(WrongAnswer, match="GET /metrics answered 200 where Prometheus text was expected"):
        from_sandbox("prometheus-broken")


@pytest.mark.parametrize(
    ("reply", "problem", "told"),
    [
        (answer(b"gone", "404 Not Found"), WrongAnswer, "answered 404 where 200 with metrics"),
        (answer(b""), WrongAnswer, "at least one metric"),
        (answer(b"# HELP a b\n# TYPE a counter\n"), WrongAnswer, "at least one metric"),
        (answer(b'a{b="c" 1\n'), WrongAnswer, "Prometheus text"),
        (answer(b"a one\n"), WrongAnswer, "Prometheus text"),
        (answer(b"oops", "503 Unavailable"), NoAnswer, "answered 503"),
        (answer(b"a 1\n" * 400_000), NoAnswer, "more than 1 MiB"),
        (answer(b"a 1\n" * 60_000), NoAnswer, "more than 50,000 samples"),
    ],
)
def test_anything_else_is_told(reply: bytes, problem: type[Exception], told: str) -> None:
    with Server(saying(reply)) as server, pytest.raises(problem, match=told):
        families(server.origin)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(body=st.text(alphabet='a_{}="\\,\n# 1.eNITYPHL\0\u20ac', max_size=60))
def test_whatever_text_comes_is_metrics_or_told(body: str) -> None:
    with Server(saying(answer(body.encode(), head="Content-Type: text/plain"))) as server:
        try:
            found: object = families(server.origin)
        except WrongAnswer as problem:
            found = str(problem)
    assert found


def test_an_unreachable_address_is_no_answer() -> None:
    with pytest.raises(NoAnswer) as problem:
        families("http://127.0.0.1:1")
    assert problem.value.kind is NoAnswerKind.REFUSED
