"""`GET /metrics`: the API's metrics in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from sandbox.platform import Platform

_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The handler."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def show(self, _request: Request) -> Response:
        """Return the metrics."""
        if "prometheus-broken" in self._platform.faults:
            return HTMLResponse("<!doctype html><title>Kamiyo</title><p>It works.")
        return PlainTextResponse(self._text(), media_type=_MEDIA_TYPE)

    def _text(self) -> str:
        served, seconds = self._platform.api_requests, self._platform.latency_ms / 1000
        return f"""\
# HELP kamiyo_http_requests_total Requests served, by status class.
# TYPE kamiyo_http_requests_total counter
kamiyo_http_requests_total{{status="2xx"}} {served}
kamiyo_http_requests_total{{status="5xx"}} 0
# HELP kamiyo_http_request_duration_seconds How long a request took.
# TYPE kamiyo_http_request_duration_seconds histogram
kamiyo_http_request_duration_seconds_bucket{{le="0.1"}} {served}
kamiyo_http_request_duration_seconds_bucket{{le="0.5"}} {served}
kamiyo_http_request_duration_seconds_bucket{{le="+Inf"}} {served}
kamiyo_http_request_duration_seconds_sum {served * seconds:.3f}
kamiyo_http_request_duration_seconds_count {served}
# HELP kamiyo_build_info The build that answers.
# TYPE kamiyo_build_info gauge
kamiyo_build_info{{commit="{self._platform.answering_commit("api")}"}} 1
"""
