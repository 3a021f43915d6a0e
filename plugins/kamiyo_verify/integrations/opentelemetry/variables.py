"""OpenTelemetry's own environment variables: whether traces are wanted, and the secrets among them.

Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/,
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "http/protobuf"
"""The protocol that is spoken; OpenTelemetry's default for Python, too."""

_ENDPOINTS = (ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")


def traces_wanted(variables: Mapping[str, str]) -> bool:
    """Return whether an endpoint is set, and neither the SDK nor its traces are switched off."""
    disabled = variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = variables.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return any(variables.get(name, "").strip() for name in _ENDPOINTS) and not disabled and not none


def malformed_endpoint(variables: Mapping[str, str]) -> str:
    """Return the name of the variable whose endpoint is no http(s) URL; "" if there is none."""
    for name in _ENDPOINTS:
        found = variables.get(name, "").strip()
        if found and not found.lower().startswith(("http://", "https://")):
            return name
    return ""


def protocol(variables: Mapping[str, str]) -> str:
    """Return the protocol that the endpoint speaks."""
    return next((found for name in _PROTOCOLS if (found := variables.get(name, "").strip())), PROTOCOL)


def header_secrets(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the values of the headers that are sent, each with the name of its variable."""
    for name in _HEADERS:
        for pair in variables.get(name, "").split(","):
            value = pair.partition("=")[2].strip()
            for written in dict.fromkeys((value, unquote(value))) if value else ():
                scheme, _, credentials = written.partition(" ")
                # "Bearer" alone is no secret, and a text that masks it would be hard to read.
                yield name, credentials.strip() if scheme.lower() in {"basic", "bearer"} else written
