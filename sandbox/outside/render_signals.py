"""Render's logs and metrics endpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.outside.render_gate import Refusal, moment, number, page_size, several
from sandbox.outside.render_lines import Line, lines
from sandbox.outside.render_metrics import Metrics, Span
from sandbox.outside.render_services import BY_ID, OWNER, POSTGRES
from sandbox.outside.world import World

_RECENT = timedelta(hours=1)
_BY_LABEL = ("level", "type", "instance", "host", "statusCode", "method", "path")
_FINEST_S = 30
_USUAL_S = 60
_COARSEST_S = 86_400


class Signals:
    """The endpoints' handlers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._metrics = Metrics(world)

    async def logs(self, request: Request) -> Response:
        """`GET /logs`. The next page begins with the first line not on this one, even for equal times."""
        if request.query_params.get("ownerId") != OWNER:
            raise Refusal(400 if "ownerId" not in request.query_params else 404, "ownerId: no such workspace")
        now = self._world.now()
        start, end = moment(request, "startTime", now - _RECENT), moment(request, "endTime", now)
        backward = several(request, "direction", {"backward", "forward"}) != ["forward"]
        resources = [_service(resource) for resource in several(request, "resource", required=True)]
        found = [line for name in resources for line in lines(self._world, name, start, end)]
        found = [line for line in found if _matches(line, request)]
        found.sort(key=lambda line: (line.timestamp, line.id), reverse=backward)
        size = page_size(request)
        shown, left = found[:size], found[size:]
        if left and backward:
            end = left[0].timestamp
        elif left:
            start = left[0].timestamp
        return JSONResponse(
            {
                "hasMore": bool(left),
                "nextStartTime": start.isoformat(),
                "nextEndTime": end.isoformat(),
                "logs": [_shown(line) for line in shown],
            }
        )

    async def metrics(self, request: Request) -> Response:
        """`GET /metrics/…`."""
        name, now = request.path_params["name"], self._world.now()
        step_s = int(number(request, "resolutionSeconds", _USUAL_S, _FINEST_S, _COARSEST_S))
        end = min(moment(request, "endTime", now), now)
        span = Span(moment(request, "startTime", now - _RECENT), end, step_s)
        resources = several(request, "resource", required=True)
        if name == "active-connections":
            found = self._metrics.active_connections(span) if POSTGRES in resources else []
        else:
            of_service = self._of_service(name, request, span)
            found = [series for resource in resources for series in of_service(_service(resource))]
        return JSONResponse(found)

    def _of_service(self, name: str, request: Request, span: Span) -> Callable[[str], list[dict[str, Any]]]:
        by = request.query_params.get("aggregateBy")
        if by not in {None, "statusCode", "host"}:
            raise Refusal(400, "aggregateBy must be statusCode or host")
        quantile = number(request, "quantile", 0.95, 0, 1)
        known: dict[str, Callable[[str], list[dict[str, Any]]]] = {
            "http-requests": lambda service: self._metrics.http_requests(service, span, by),
            "http-latency": lambda service: self._metrics.http_latency(service, span, quantile),
            "cpu": lambda service: self._metrics.cpu(service, span),
            "memory": lambda service: self._metrics.memory(service, span),
            "instance-count": lambda service: self._metrics.instance_count(service, span),
        }
        if name not in known:
            raise Refusal(404, "no such metric")
        return known[name]


def _service(resource: str) -> str:
    if resource not in BY_ID:
        raise Refusal(404, f"resource {resource} not found")
    return BY_ID[resource]


def _matches(line: Line, request: Request) -> bool:
    for label in _BY_LABEL:
        wanted = several(request, label)
        if wanted and line.labels.get(label) not in wanted:
            return False
    texts = request.query_params.getlist("text")
    return not texts or any(text in line.message for text in texts)


def _shown(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "message": line.message,
        "timestamp": line.timestamp.isoformat(),
        "labels": [{"name": name, "value": value} for name, value in line.labels.items()],
    }
