"""OpenTelemetry's own variables: when traces are wanted, in which protocol, and which secrets they hold."""

from __future__ import annotations

import pytest

from kamiyo_verify.integrations.opentelemetry.variables import (
    header_secrets,
    malformed_endpoint,
    protocol,
    traces_wanted,
)

SOMEWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com"}


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        (SOMEWHERE, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://otlp.example.com/v1/traces"}, True),
        (SOMEWHERE | {"OTEL_SDK_DISABLED": "True"}, False),
        (SOMEWHERE | {"OTEL_SDK_DISABLED": "false"}, True),
        (SOMEWHERE | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (SOMEWHERE | {"OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_traces_are_wanted_where_an_endpoint_is_set(variables: dict[str, str], *, wanted: bool) -> None:
    assert traces_wanted(variables) is wanted


@pytest.mark.parametrize(
    ("endpoint", "named"),
    [
        ("localhost:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("grpc://collector:4317", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("HTTPS://collector.example", ""),
        (" http://localhost:4318 ", ""),
        ("", ""),
    ],
)
def test_an_endpoint_without_http_is_named(endpoint: str, named: str) -> None:
    """The SDK asks nobody then, which would read as an endpoint that gives no answer."""
    assert malformed_endpoint({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}) == named


def test_the_protocol_of_traces_goes_first() -> None:
    assert protocol({}) == "http/protobuf"
    both = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}
    assert protocol(both) == "http/json"


def test_the_values_of_headers_are_secrets_as_written_and_as_sent() -> None:
    headers = "authorization=Bearer%20t0ken%2B1, x-team = a1b2c3 ,empty="
    found = {value for _, value in header_secrets({"OTEL_EXPORTER_OTLP_HEADERS": headers})}
    assert {"t0ken+1", "a1b2c3"} <= found
    assert "Bearer" not in found
    assert [*header_secrets({})] == []
