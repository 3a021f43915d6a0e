"""A run is one trace, where OpenTelemetry's variables name a receiver; this one decodes what it gets."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.engine.hooks.test_exports import BAD, GOOD
from tests.support.hostile_server import Server, silent
from tests.support.serving import Wire, serving
from tests.support.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

TOKEN = "kanarienT0ken4711"
EXPORT = "Export       not sent; the verdict does not change: OpenTelemetry: "


class Receiver:
    """An OTLP receiver over HTTP: it keeps the spans, or refuses them."""

    def __init__(self, status: int) -> None:
        self._status = status
        self.resource: dict[str, str] = {}
        self.spans: list[Any] = []
        self.wire = Wire(Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])]))
        self.origin = ""

    async def _take(self, request: Request) -> Response:
        if self._status == 307:
            return RedirectResponse("/elsewhere")
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        sent: Any = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            self.resource = attributes(resource.resource)
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        answer: Any = ExportTraceServiceResponse()
        return Response(answer.SerializeToString(), self._status, media_type="application/x-protobuf")


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    receiver = Receiver(status)
    with serving(receiver.wire) as origin:
        receiver.origin = origin
        yield receiver


def project(toy: Toy, checks: str, more: str = "") -> None:
    toy.environment(more=f"\n{more}\n")
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
    toy.check("postdeploy/test_a.py", checks)


@MOSTLY_ALONE
def test_one_trace_a_run_and_a_span_an_item(toy: Toy, workers: tuple[str, ...]) -> None:
    project(toy, BAD)
    with receiving() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.origin,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{TOKEN}",
            "OTEL_RESOURCE_ATTRIBUTES": "team=payments",
        }
        ran = toy.run("-m", "postdeploy", "--commit", "9c41d07", *workers, env=env)

    assert ran.code == 20
    assert "Export" not in ran.out
    [root] = [span for span in receiver.spans if not span.parent_span_id]
    items = {span.name: span for span in receiver.spans if span is not root}
    assert {span.trace_id for span in receiver.spans} == {root.trace_id}
    assert {span.parent_span_id for span in items.values()} == {root.span_id}
    assert set(items) == {"postdeploy.health", "postdeploy.data"}
    assert attributes(root)["kamiyo_verify.recommendation"] == "roll_back"
    assert attributes(root)["kamiyo_verify.exit_code"] == 20
    assert attributes(root)["vcs.ref.head.revision"] == "9c41d07"
    data = attributes(items["postdeploy.data"])
    assert (data["kamiyo_verify.item"], data["kamiyo_verify.impact"], data["kamiyo_verify.status"]) == (
        "postdeploy.data",
        "data",
        "failed",
    )
    assert items["postdeploy.data"].status.code == 2
    assert "3 rows are gone" in items["postdeploy.data"].status.message
    assert items["postdeploy.health"].status.code == 0
    for span in items.values():
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
    assert receiver.resource["service.name"] == "kamiyo-verify"
    assert receiver.resource["team"] == "payments"
    [seen] = receiver.wire.seen
    assert seen.request_headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in ran.everything_written()


def test_the_token_of_a_receiver_is_masked_wherever_a_check_shows_it(toy: Toy) -> None:
    project(
        toy, GOOD.replace("def test_data(table): ...", f'def test_data(table):\n    assert False, "{TOKEN}"')
    )
    with receiving() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.origin,
            "OTEL_EXPORTER_OTLP_HEADERS": f"x=1,authorization=Bearer {TOKEN}",
        }
        ran = toy.run("-m", "postdeploy", env=env)
    assert "[OTEL_EXPORTER_OTLP_HEADERS]" in ran.message("postdeploy.data")
    assert TOKEN not in ran.everything_written()
    assert all(TOKEN not in str(span) for span in receiver.spans)


@pytest.mark.parametrize("status", [401, pytest.param(307, marks=pytest.mark.exhaustive)])
def test_a_receiver_that_refuses_changes_nothing(toy: Toy, status: int) -> None:
    project(toy, BAD)
    with receiving(status) as receiver:
        ran = toy.run("-m", "postdeploy", env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.origin})
    assert (ran.code, ran.verdict.exit_code) == (20, 20)
    assert f"{EXPORT}the endpoint answered {status}" in ran.out
    assert len(receiver.wire.seen) == 1


@pytest.mark.exhaustive
def test_a_receiver_that_hangs_or_is_not_there_changes_nothing(toy: Toy) -> None:
    project(toy, BAD, "[exports]\npatience_s = 1")
    with Server(silent) as server:
        ran = toy.run("-m", "postdeploy", env={"OTEL_EXPORTER_OTLP_ENDPOINT": server.origin})
    assert (ran.code, EXPORT in ran.out) == (20, True)
    ran = toy.run("-m", "postdeploy", env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert (ran.code, EXPORT in ran.out) == (20, True)


@pytest.mark.exhaustive
def test_what_is_switched_off_sends_nothing(toy: Toy) -> None:
    project(toy, GOOD)
    with receiving() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.origin, "OTEL_SDK_DISABLED": "true"}
        ran = toy.run("-m", "postdeploy", env=env)
    assert "Export" not in ran.out
    assert receiver.wire.seen == []


def test_without_the_extra_one_line_says_how_to_get_it(toy: Toy) -> None:
    project(toy, BAD)
    toy.write(
        "conftest.py",
        'import sys\nsys.modules["opentelemetry.sdk"] = None\npytest_plugins = ["toy_fixtures"]\n',
    )
    ran = toy.run("-m", "postdeploy", env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert ran.code == 20
    [told] = [line for line in ran.out.splitlines() if line.startswith("Export")]
    why = "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the SDK is not installed"
    assert told == f"{EXPORT}{why}: pip install 'kamiyo-verify[otel]'"
