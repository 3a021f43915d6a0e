"""PagerDuty's REST API about on-call shifts.

Source: developer.pagerduty.com, "List all of the on-calls", and "Pagination".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside.door import door
from sandbox.outside.world import World
from sandbox.platform import Secrets

SCHEDULE = "PKAMIYO"

_SHIFT = timedelta(hours=8)
_PEOPLE = (("PDANADV", "Dana Dev"), ("PLEEREV", "Lee Reviews"), ("PSAMRDS", "Sam Reads"))
_MOST_ROWS = 100


class _InvalidInput(ValueError):
    """A parameter that PagerDuty does not accept."""


def create_pagerduty(world: World, secrets: Secrets) -> Starlette:
    """Create PagerDuty's API as an application to be mounted."""

    async def on_calls(request: Request) -> Response:
        try:
            return JSONResponse(_listed(world, request))
        except _InvalidInput as problem:
            error = {"message": "Invalid Input Provided", "code": 2001, "errors": [str(problem)]}
            return JSONResponse({"error": error}, 400)

    def refusal(_: str) -> Response:
        return JSONResponse({"error": {"message": "Unauthorized", "code": 2006}}, 401)

    def headers() -> dict[str, str]:
        return {"ratelimit-limit": "960", "ratelimit-remaining": "958", "ratelimit-reset": "41"}

    return Starlette(
        routes=[Route("/oncalls", on_calls)],
        middleware=[door("Token token=", secrets.pagerduty_token, refusal, headers)],
    )


def _listed(world: World, request: Request) -> dict[str, Any]:
    now = world.now()
    since = _moment(request, "since", now)
    until = _moment(request, "until", now)
    if until < since:
        raise _InvalidInput("Until must be after since.")
    limit, offset = _number(request, "limit", 25), _number(request, "offset", 0)
    if not 1 <= limit <= _MOST_ROWS:
        raise _InvalidInput(f"Limit must be between 1 and {_MOST_ROWS}.")
    wanted = request.query_params.getlist("schedule_ids[]")
    whole = "users" in request.query_params.getlist("include[]")
    rows = [
        _duty(world, nth, start, end, whole=whole)
        for nth, (start, end) in enumerate(_shifts(world))
        if start <= until and end >= since and (not wanted or SCHEDULE in wanted)
    ]
    return {
        "oncalls": rows[offset : offset + limit],
        "limit": limit,
        "offset": offset,
        "more": offset + limit < len(rows),
        "total": None,
    }


def _shifts(world: World) -> list[tuple[datetime, datetime]]:
    """Return three days of shifts, beginning yesterday."""
    if "on-call-empty" in world.faults:
        return []
    first = world.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    shifts = [(first + nth * _SHIFT, first + (nth + 1) * _SHIFT) for nth in range(12)]
    if "on-call-gap" not in world.faults:
        return shifts
    at = world.now() + timedelta(hours=6)
    gap = at, at + timedelta(hours=2)
    before = [(start, min(end, gap[0])) for start, end in shifts if start < gap[0]]
    after = [(max(start, gap[1]), end) for start, end in shifts if end > gap[1]]
    return before + after


def _duty(world: World, nth: int, start: datetime, end: datetime, *, whole: bool) -> dict[str, Any]:
    identity, name = _PEOPLE[nth % len(_PEOPLE)]
    return {
        "escalation_policy": _reference("PKMYESC", "escalation_policy", "Kamiyo production"),
        "escalation_level": 1,
        "schedule": _reference(SCHEDULE, "schedule", "Kamiyo primary"),
        "user": _user(world, identity, name) if whole else _reference(identity, "user", name),
        "start": f"{start:%Y-%m-%dT%H:%M:%S}Z",
        "end": f"{end:%Y-%m-%dT%H:%M:%S}Z",
    }


def _user(world: World, identity: str, name: str) -> dict[str, Any]:
    kinds = ["email"] if "on-call-unreachable" in world.faults else ["email", "phone", "sms"]
    return {
        **_reference(identity, "user", name),
        "type": "user",
        "name": name,
        "email": f"{name.split(maxsplit=1)[0].lower()}@sandbox.invalid",
        "time_zone": "Etc/UTC",
        "role": "user",
        "contact_methods": [
            _reference(f"{identity[:4]}{kind[:3].upper()}", f"{kind}_contact_method", kind.title())
            for kind in kinds
        ],
        "notification_rules": [],
        "teams": [],
    }


def _reference(identity: str, kind: str, summary: str) -> dict[str, Any]:
    place = f"https://api.pagerduty.com/{kind}s/{identity}"
    page = f"https://kamiyo.pagerduty.com/{kind}s/{identity}"
    return {"id": identity, "type": f"{kind}_reference", "summary": summary, "self": place, "html_url": page}


def _moment(request: Request, key: str, default: datetime) -> datetime:
    text = request.query_params.get(key)
    if text is None:
        return default
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise _InvalidInput(f"{key.title()} must be a valid ISO 8601 date.") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _number(request: Request, key: str, default: int) -> int:
    text = request.query_params.get(key, str(default))
    if not text.isdigit():
        raise _InvalidInput(f"{key.title()} must be a number.")
    return int(text)
