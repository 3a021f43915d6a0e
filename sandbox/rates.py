"""Rate limits: token buckets by minute, hour and day for each API key, or each address without one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.answers import refusal
from sandbox.callers import Caller, Callers, Tier
from sandbox.platform import Platform

LIMITS: dict[Tier, tuple[int, int, int]] = {
    Tier.ANONYMOUS: (10, 100, 500),
    Tier.FREE: (10, 42, 1_000),
    Tier.PRO: (35, 2_083, 50_000),
    Tier.TEAM: (70, 4_167, 100_000),
    Tier.ENTERPRISE: (1_000, 99_999, 999_999),
}
"""Requests a minute, an hour, a day."""

EXEMPT = frozenset({"/health", "/ready", "/docs", "/redoc", "/openapi.json"})
_PERIODS_S = (60, 3_600, 86_400)


@dataclass(slots=True)
class Bucket:
    """Holds up to `limit` tokens, and refills at a constant rate within `period_s`."""

    limit: int
    period_s: int
    tokens: float = field(init=False)
    _filled: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.tokens = self.limit

    def fill(self, now: float) -> None:
        """Add the tokens since the last call; `now` is Unix time in seconds."""
        if self._filled:
            self.tokens = min(self.limit, self.tokens + (now - self._filled) * self.limit / self.period_s)
        self._filled = now

    @property
    def wait_s(self) -> float:
        """Seconds until a whole token is available."""
        return max(0.0, (1 - self.tokens) * self.period_s / self.limit)


@dataclass(frozen=True, slots=True)
class Quota:
    """A caller's remaining quota; `wait_s` is 0 if the request may pass."""

    limit: int
    remaining: int
    reset: int
    wait_s: int

    def headers(self, tier: Tier) -> dict[str, str]:
        """Return the platform's headers; Reset is the Unix time at which the bucket is full again."""
        send_with_quota = {
            "Limit": self.limit,
            "Remaining": self.remaining,
            "Reset": self.reset,
            "Tier": tier.value,
        }
        headers = {f"X-RateLimit-{name}": str(value) for name, value in send_with_quota.items()}
        return headers | ({"Retry-After": str(self.wait_s)} if self.wait_s else {})


class Limiter:
    """All buckets."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[Bucket, ...]] = {}

    def take(self, caller: Caller, now: float) -> Quota:
        """Take a token from each of the caller's buckets, or from none if one is empty.

        Args:
            caller: the caller.
            now: Unix time in seconds.
        """
        if caller.name not in self._buckets:
            limits = zip(LIMITS[caller.quota], _PERIODS_S, strict=True)
            self._buckets[caller.name] = tuple(Bucket(limit, period) for limit, period in limits)
        buckets = self._buckets[caller.name]
        for bucket in buckets:
            bucket.fill(now)
        wait = math.ceil(max(bucket.wait_s for bucket in buckets))
        if wait == 0:
            for bucket in buckets:
                bucket.tokens -= 1
        tightest = min(buckets, key=lambda bucket: bucket.tokens)
        missing = (tightest.limit - tightest.tokens) * tightest.period_s / tightest.limit
        return Quota(tightest.limit, int(tightest.tokens), math.ceil(now + missing), wait)


class RateLimits:
    """Middleware: sets the caller's tier in `scope["state"]["tier"]`, and counts the request."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform
        self._callers = Callers(platform)
        self._limiter = Limiter()
        self._cleared = platform.faults.cleared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; WebSockets and exempt paths are not counted."""
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        caller = self._callers.of(HTTPConnection(scope))
        if caller is None:
            answer = refusal(self._platform, 401, "invalid_api_key", "This API key is not known.")
            await answer(scope, receive, send)
            return
        if self._cleared != self._platform.faults.cleared:
            self._limiter, self._cleared = Limiter(), self._platform.faults.cleared
        quota = self._limiter.take(caller, time.time())
        headers = quota.headers(caller.tier)
        if quota.wait_s:
            detail = f"Rate limit of the tier {caller.tier} exceeded; try again in {quota.wait_s} seconds."
            answer = refusal(self._platform, 429, "rate_limit_exceeded", detail, headers)
            await answer(scope, receive, send)
            return

        async def send_with_quota(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        scope.setdefault("state", {})["tier"] = caller.tier
        await self._app(scope, receive, send_with_quota)
