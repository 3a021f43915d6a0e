"""Stripe's API about webhooks: the account's endpoints and events.

Source: docs.stripe.com/api ("Webhook endpoints", "Events", "Pagination", "Errors"), and the shapes of
Stripe's own fixtures.
"""

from __future__ import annotations

import re
import secrets as random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside.door import door
from sandbox.outside.world import World
from sandbox.platform import Secrets

_HANDLED = (
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "checkout.session.completed",
)
_WEBHOOK_PATH = "/api/payment/webhook"
_API_VERSION = "2025-09-30.clover"
_MOST_ROWS = 100
_MOST_TYPES = 20
_EVENTS = 30
_EVERY = timedelta(minutes=95)
_FAILING_FOR = timedelta(hours=10)

_ENDPOINT_PARAMETERS = frozenset({"limit", "starting_after", "ending_before"})
_EVENT_PARAMETERS = _ENDPOINT_PARAMETERS | {"created", "delivery_success", "type", "types"}


class _InvalidRequest(ValueError):
    """Stripe's invalid_request_error."""

    def __init__(self, message: str, parameter: str, code: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.code = code


def create_stripe(world: World, secrets: Secrets) -> Starlette:
    """Create Stripe's API as an application to be mounted."""

    async def webhook_endpoints(request: Request) -> Response:
        _known_only(request, _ENDPOINT_PARAMETERS)
        return _listed(request, "/v1/webhook_endpoints", _endpoints(world))

    async def events(request: Request) -> Response:
        _known_only(request, _EVENT_PARAMETERS)
        low, high = _created(request)
        types, arrived = _types(request), request.query_params.get("delivery_success")
        rows = [
            event
            for event in _events(world)
            if low <= event["created"] <= high
            and (not types or any(re.fullmatch(pattern, event["type"]) for pattern in types))
            and (arrived is None or (event["pending_webhooks"] == 0) == (arrived == "true"))
        ]
        return _listed(request, "/v1/events", rows)

    def refusal(given: str) -> Response:
        if given:
            return _refusal(401, f"Invalid API Key provided: {given[:8]}{'*' * 12}{given[-4:]}")
        return _refusal(
            401, "You did not provide an API key. You need to provide it in the Authorization header."
        )

    def headers() -> dict[str, str]:
        return {"Request-Id": f"req_{random.token_hex(7)}", "Stripe-Version": _API_VERSION}

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, _InvalidRequest)
        return _refusal(400, str(error), error.parameter, error.code)

    return Starlette(
        routes=[Route("/v1/webhook_endpoints", webhook_endpoints), Route("/v1/events", events)],
        middleware=[door("Bearer ", secrets.stripe_key, refusal, headers)],
        exception_handlers={_InvalidRequest: refused},
    )


def _endpoints(world: World) -> list[dict[str, Any]]:
    faults = world.faults
    lacking = {"invoice.payment_failed", "checkout.session.completed"} & (
        set(_HANDLED) if "stripe-events-missing" in faults else set()
    )
    ours: dict[str, Any] = {
        "id": "we_1KamiyoSandbox0000000001",
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": int((world.began_at - timedelta(days=200)).timestamp()),
        "description": "Kamiyo",
        "enabled_events": [name for name in _HANDLED if name not in lacking],
        "livemode": "stripe-wrong-mode" in faults,
        "metadata": {},
        "status": "disabled" if "stripe-endpoint-disabled" in faults else "enabled",
        "url": world.frontend_url + _WEBHOOK_PATH,
    }
    other = {
        **ours,
        "id": "we_1KamiyoSandbox0000000002",
        "description": "Bookkeeping",
        "enabled_events": ["charge.succeeded"],
        "status": "enabled",
        "url": "https://books.sandbox.invalid/stripe",
    }
    if "stripe-endpoint-missing" in faults:
        return [other]
    twice = [{**ours, "id": "we_1KamiyoSandbox0000000003"}] if "stripe-endpoint-twice" in faults else []
    return [*twice, ours, other]


def _events(world: World) -> list[dict[str, Any]]:
    """Return two days of events, newest first. Their times are fixed, so that cursors stay valid."""
    newest = world.began_at - timedelta(minutes=7)
    return [_event(world, nth, newest - nth * _EVERY) for nth in range(_EVENTS)]


def _event(world: World, nth: int, at: datetime) -> dict[str, Any]:
    created = int(at.timestamp())
    name = _HANDLED[nth % len(_HANDLED)]
    failing = "deliveries-failing" in world.faults and world.began_at - at < _FAILING_FOR
    live = "stripe-wrong-mode" in world.faults
    return {
        "id": f"evt_1KamiyoSandbox{nth:010d}",
        "object": "event",
        "api_version": _API_VERSION,
        "created": created,
        "data": {"object": _subject(name, nth, created, live=live)},
        "livemode": live,
        "pending_webhooks": 1 if failing else 0,
        "request": {"id": None, "idempotency_key": None},
        "type": name,
    }


def _subject(name: str, nth: int, created: int, *, live: bool) -> dict[str, Any]:
    """Return the main fields of an event's object."""
    common = {
        "created": created,
        "livemode": live,
        "metadata": {},
        "customer": f"cus_Kamiyo{nth % 9:07d}",
        "currency": "usd",
    }
    if name.startswith("customer.subscription."):
        status = "canceled" if name.endswith("deleted") else "active"
        return {"id": f"sub_1Kamiyo{nth:08d}", "object": "subscription", "status": status, **common}
    if name.startswith("invoice."):
        paid = name.endswith("succeeded")
        amounts = {"amount_due": 9900, "amount_paid": 9900 if paid else 0, "attempted": True}
        return {"id": f"in_1Kamiyo{nth:08d}", "object": "invoice", "status": "paid" if paid else "open"} | (
            common | amounts
        )
    fields = {
        "mode": "subscription",
        "payment_status": "paid",
        "status": "complete",
        "amount_total": 9900,
    }
    return {"id": f"cs_test_Kamiyo{nth:08d}", "object": "checkout.session", **common, **fields}


def _known_only(request: Request, known: frozenset[str]) -> None:
    for key in request.query_params:
        if key.partition("[")[0] not in known:
            raise _InvalidRequest(f"Received unknown parameter: {key}", key, "parameter_unknown")


def _created(request: Request) -> tuple[float, float]:
    low, high = float("-inf"), float("inf")
    for key, text in request.query_params.items():
        if key.partition("[")[0] != "created":
            continue
        if not text.isdigit():
            raise _InvalidRequest(f"Invalid timestamp: {text}", key, "parameter_invalid_integer")
        second = int(text)
        bounds = {
            "created[gte]": (second, high),
            "created[gt]": (second + 1, high),
            "created[lte]": (low, second),
            "created[lt]": (low, second - 1),
            "created": (second, second),
        }
        if key not in bounds:
            raise _InvalidRequest(f"Received unknown parameter: {key}", key, "parameter_unknown")
        low, high = bounds[key]
    return low, high


def _types(request: Request) -> list[str]:
    """Return regular expressions for the requested types."""
    several = [text for key, text in request.query_params.multi_items() if key.startswith("types[")]
    one = request.query_params.get("type")
    if one is not None and several:
        raise _InvalidRequest("You may only specify one of these parameters: type, types.", "type")
    if len(several) > _MOST_TYPES:
        raise _InvalidRequest("You may only specify up to 20 types.", "types")
    names = several or ([one] if one is not None else [])
    return [re.escape(name).replace(r"\*", ".*") for name in names]


def _listed(request: Request, url: str, rows: Sequence[dict[str, Any]]) -> Response:
    limit = request.query_params.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= _MOST_ROWS:
        raise _InvalidRequest(
            "Invalid limit: must be between 1 and 100", "limit", "parameter_invalid_integer"
        )
    begin, end = 0, len(rows)
    if after := request.query_params.get("starting_after"):
        begin = _place(rows, after, "starting_after") + 1
    if before := request.query_params.get("ending_before"):
        end = _place(rows, before, "ending_before")
        begin = max(end - int(limit), 0)
    part = list(rows[begin:end])[: int(limit)]
    more = begin > 0 if before else begin + len(part) < end
    return JSONResponse({"object": "list", "data": part, "has_more": more, "url": url})


def _place(rows: Sequence[dict[str, Any]], identity: str, parameter: str) -> int:
    for place, row in enumerate(rows):
        if row["id"] == identity:
            return place
    raise _InvalidRequest(f"No such object: '{identity}'", parameter, "resource_missing")


def _refusal(status: int, message: str, parameter: str = "", code: str | None = None) -> Response:
    error: dict[str, Any] = {"message": message, "type": "invalid_request_error"}
    if parameter:
        error["param"] = parameter
    if code:
        error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
    return JSONResponse({"error": error}, status)
