"""Send a trace by OTLP over HTTP, with OpenTelemetry's own SDK; checks cannot reach this module.

Where it goes, with which headers and certificates, is what OpenTelemetry's environment variables say.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Status, StatusCode, Tracer, set_span_in_context

from kamiyo_verify.model.outside.trace import Span

_LOGGERS = ("opentelemetry.exporter.otlp", "opentelemetry.exporter.http", "opentelemetry.sdk")


class NotExported(Exception):
    """The endpoint did not take the trace; the message gives the reason, without the address."""


def export(root: Span, resource: Mapping[str, str], timeout_s: float) -> None:
    """Send one trace in one request.

    Args:
        root: the span of the run, with those within it.
        resource: attributes of the resource; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME override them.
        timeout_s: for all tries together.

    Raises:
        NotExported: no answer came in time, or one that refuses the trace.
    """
    for name in _LOGGERS:  # they log addresses, and what is wrong is told by the exception
        logging.getLogger(name).setLevel(logging.CRITICAL)
    answers: list[int] = []
    ended = _spans(root, Resource.create({**resource, **OTELResourceDetector().detect().attributes}))
    with _session(answers) as session:
        exporter = OTLPSpanExporter(timeout=timeout_s, session=session)
        # OTEL_TRACES_SAMPLER may leave this trace out.
        result = exporter.export(ended) if ended else SpanExportResult.SUCCESS
    if result is not SpanExportResult.SUCCESS:
        raise NotExported(
            f"the endpoint answered {answers[-1]}" if answers else "the endpoint gave no answer"
        )


class _Ended(SpanProcessor):
    """Keeps the spans that have ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self.spans.append(span)


def _spans(root: Span, resource: Resource) -> list[ReadableSpan]:
    ended = _Ended()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(ended)
    _record(provider.get_tracer("kamiyo_verify"), root, None)
    return ended.spans


def _record(tracer: Tracer, span: Span, context: Any) -> None:
    found = tracer.start_span(span.name, context, attributes=span.attributes, start_time=span.start_ns)
    within = set_span_in_context(found, context)
    for child in span.children:
        _record(tracer, child, within)
    if span.error:
        found.set_status(Status(StatusCode.ERROR, span.error))
    found.end(span.end_ns)


def _session(answers: list[int]) -> requests.Session:
    session = requests.Session()
    session.max_redirects = 0  # a redirect would send the headers to another address

    def note(answer: requests.Response, *_: object, **__: object) -> None:
        answers.append(answer.status_code)

    session.hooks["response"].append(note)
    return session
