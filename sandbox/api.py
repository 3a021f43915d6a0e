"""The public API: its routes and responses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import WebSocketRoute

from sandbox import exploits
from sandbox.answers import refusal
from sandbox.callers import presented_key
from sandbox.data_routes import amount, data_route, get_only, is_delayed, whole_number
from sandbox.database import SLOW_QUERY_MS, fetch, slow_statements
from sandbox.metrics import Metrics
from sandbox.middleware import Cors, Gate
from sandbox.platform import Platform
from sandbox.rates import RateLimits
from sandbox.realtime import Realtime

_ERRORS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    422: "validation_error",
    500: "internal_error",
}


def create_api(platform: Platform) -> Starlette:
    """Create the API of the platform; every fault takes effect from the next request on."""
    api, realtime = _Api(platform), Realtime(platform)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        clock = asyncio.create_task(realtime.beat())
        yield
        clock.cancel()

    return Starlette(
        routes=[
            get_only("/health", api.health),
            get_only("/ready", api.ready),
            data_route(platform, "/exploits", api.exploits),
            data_route(platform, "/exploits/{tx_hash}", api.exploit),
            data_route(platform, "/chains", api.chains),
            data_route(platform, "/stats", api.stats),
            get_only("/admin/db/slow-queries", api.slow_queries),
            get_only("/metrics", Metrics(platform).show),
            WebSocketRoute("/ws", realtime.connect),
        ],
        middleware=[
            Middleware(Gate, platform=platform),
            Middleware(Cors, platform=platform),
            Middleware(RateLimits, platform=platform),
        ],
        exception_handlers={HTTPException: api.refused, psycopg.OperationalError: api.database_failed},
        lifespan=lifespan,
    )


class _Api:
    """The endpoints; data routes return their JSON, the others a whole response."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def health(self, _request: Request) -> Response:
        """`/health`."""
        degraded = "health-degraded" in self._platform.faults
        counts = await fetch(
            self._platform, "SELECT count(*) AS exploits, count(DISTINCT chain) AS chains FROM exploits"
        )
        sources = await fetch(self._platform, "SELECT * FROM sources ORDER BY name")
        for source in sources:
            source["last_fetch"] = source["last_fetch"].isoformat()
            source["is_active"] = source["is_active"] and not degraded
        return JSONResponse(
            {
                "status": "degraded" if degraded else "healthy",
                "database_exploits": counts[0]["exploits"],
                "tracked_chains": counts[0]["chains"],
                "active_sources": sum(source["is_active"] for source in sources),
                "total_sources": len(sources),
                "sources": sources,
                "timestamp": datetime.now(UTC).isoformat(),
            }
        )

    async def ready(self, _request: Request) -> Response:
        """`/ready`. There is no Redis here, which degrades the cache and is not a failure."""
        counted: list[dict[str, Any]] = []
        with contextlib.suppress(psycopg.OperationalError):
            counted = await fetch(self._platform, "SELECT count(*) AS exploits FROM exploits")
        if not counted or "api-not-ready" in self._platform.faults:
            body = {"status": "not ready", "database": "unhealthy", "cache": "degraded"}
            refused = {"error": "not_ready", "detail": "The database is not ready."}
            return JSONResponse(body | refused, 503)
        return JSONResponse({"status": "ready", "database": "healthy", "cache": "degraded", **counted[0]})

    async def exploits(self, request: Request) -> object:
        """`/exploits`."""
        return await exploits.page(
            self._platform,
            number=whole_number(request, "page", default=1, low=1, high=10_000),
            size=whole_number(request, "page_size", default=100, low=1, high=500),
            filters={
                "chain": request.query_params.get("chain"),
                "protocol": request.query_params.get("protocol"),
                "min_amount": amount(request, "min_amount"),
            },
            delayed=is_delayed(request),
        )

    async def exploit(self, request: Request) -> object:
        """`/exploits/{tx_hash}`."""
        if "details-broken" in self._platform.faults:
            raise HTTPException(500, "An internal error occurred.")
        tx_hash = request.path_params["tx_hash"]
        found = await exploits.one(self._platform, tx_hash, delayed=is_delayed(request))
        if found is None:
            raise HTTPException(404, "There is no exploit with this transaction hash.")
        return found

    async def chains(self, _request: Request) -> object:
        """`/chains`."""
        counted = await fetch(
            self._platform,
            "SELECT chain, count(*) AS exploit_count FROM exploits GROUP BY chain ORDER BY 2 DESC, chain",
        )
        return {"total_chains": len(counted), "chains": counted}

    async def stats(self, request: Request) -> object:
        """`/stats`."""
        days = whole_number(request, "days", default=7, low=1, high=365)
        summed = await fetch(
            self._platform,
            """
            SELECT count(*) AS total_exploits, coalesce(sum(amount_usd), 0) AS total_loss_usd,
                   count(DISTINCT chain) AS chains_affected, count(DISTINCT protocol) AS protocols_affected
            FROM exploits WHERE timestamp > now() - make_interval(days => %(days)s)
            """,
            {"days": days},
        )
        return {"period_days": days, **summed[0]}

    async def slow_queries(self, request: Request) -> Response:
        """`/admin/db/slow-queries`, only for the admin key."""
        key = presented_key(request)
        if "admin-open" not in self._platform.faults and key != self._platform.secrets.admin_key:
            raise HTTPException(403 if key else 401, "An admin key is required.")
        slow = await slow_statements(self._platform)
        return JSONResponse({"slow_queries": slow, "threshold_ms": SLOW_QUERY_MS})

    async def refused(self, _request: Request, refused: Exception) -> Response:
        """Respond with the status that a route or the router raised."""
        assert isinstance(refused, HTTPException)
        error = _ERRORS.get(refused.status_code, "error")
        return refusal(self._platform, refused.status_code, error, refused.detail, refused.headers)

    async def database_failed(self, _request: Request, _failure: Exception) -> Response:
        """Respond to a database failure without exposing its message."""
        return refusal(self._platform, 500, "internal_error", "An internal error occurred.")
