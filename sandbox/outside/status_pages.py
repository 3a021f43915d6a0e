"""Status pages of Statuspage: public pages of suppliers, and the API of our own page.

Source: Statuspage's published OpenAPI description for the API; metastatuspage.com/api for public pages.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside.door import door
from sandbox.outside.scenes import Scene
from sandbox.outside.status_shapes import component, incident, text
from sandbox.outside.world import World
from sandbox.platform import Secrets

OWN_PAGE = "kamiyosandbox"

_REQUESTS_A_MINUTE = 60
_MOST_ROWS = 100
_STATUSES = (
    *("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage", ""),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A public page and its components."""

    id: str
    name: str
    url: str
    components: tuple[str, ...]


PAGES = {
    "render": Page(
        "ylk9ptvrwmb8", "Render", "https://status.render.com", ("Web Services", "PostgreSQL", "Builds")
    ),
    "stripe": Page("8zsh4wt0n3q6", "Stripe", "https://www.stripestatus.com", ("API", "Webhooks", "Checkout")),
    "sentry": Page(
        "t687h3m0nh65", "Sentry", "https://status.sentry.io", ("Dashboard", "US Ingestion", "API")
    ),
}


def create_public_page(world: World, name: str) -> Starlette:
    """Create the public page `PAGES[name]` as an application to be mounted."""
    page = PAGES[name]

    def shown_page() -> dict[str, Any]:
        return {
            "id": page.id,
            "name": page.name,
            "url": page.url,
            "time_zone": "Etc/UTC",
            "updated_at": text(world.now()),
        }

    def out() -> bool:
        return name == "stripe" and "stripe-status-outage" in world.faults

    def status() -> dict[str, str]:
        if out():
            return {"indicator": "major", "description": "Partial System Outage"}
        return {"indicator": "none", "description": "All Systems Operational"}

    async def short(_request: Request) -> Response:
        return JSONResponse({"page": shown_page(), "status": status()})

    async def summary(_request: Request) -> Response:
        components = [
            component(page.id, nth, part, "major_outage" if out() and nth == 0 else "operational")
            for nth, part in enumerate(page.components)
        ]
        trouble = incident(
            world, page.id, "Elevated API error rates", "investigating", "major", components[:1]
        )
        return JSONResponse(
            {
                "page": shown_page(),
                "components": components,
                "incidents": [trouble] if out() else [],
                "scheduled_maintenances": [],
                "status": status(),
            }
        )

    return Starlette(routes=[Route("/api/v2/status.json", short), Route("/api/v2/summary.json", summary)])


class OwnPage:
    """Handlers of our own page's API."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._set: dict[str, str] = {}
        """Statuses set by requests, by component id; each stays until it is set again."""

    async def set_component(self, request: Request) -> Response:
        """PATCH /v1/pages/{page}/components/{component}; only the status can be set."""
        sought, sent = request.path_params["component"], await request.body()
        if not any(part["id"] == sought for part in self._components()):
            return JSONResponse({"error": "not found"}, 404)
        try:
            status = json.loads(sent)["component"]["status"]
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "component is missing"}, 422)
        if status not in _STATUSES:
            return JSONResponse({"error": ["status is not included in the list"]}, 422)
        self._set[sought] = status
        return JSONResponse(next(part for part in self._components() if part["id"] == sought))

    async def components(self, request: Request) -> Response:
        """GET /v1/pages/{page}/components."""
        return _page(request, self._components())

    async def incidents(self, request: Request) -> Response:
        """GET /v1/pages/{page}/incidents: all incidents, newest first."""
        past = incident(self._world, OWN_PAGE, "Slow exploit search", "resolved", "minor", [])
        return _page(request, [*self._maintenances(), past])

    async def unresolved(self, request: Request) -> Response:
        """GET /v1/pages/{page}/incidents/unresolved."""
        return _page(request, [])

    async def active_maintenance(self, request: Request) -> Response:
        """GET /v1/pages/{page}/incidents/active_maintenance."""
        return _page(request, self._maintenances())

    @property
    def _in_maintenance(self) -> bool:
        """Whether a deployment is in progress, or its maintenance was not ended."""
        world = self._world
        if "status-page-not-operational" in world.faults:
            return True
        deploying = world.deploy_began_at is not None and world.went_live_at is None
        under_way = deploying or world.scene is Scene.DEPLOY
        return under_way and "status-page-silent" not in world.faults

    def _components(self) -> list[dict[str, Any]]:
        status = "under_maintenance" if self._in_maintenance else "operational"
        parts = [component(OWN_PAGE, nth, name, status) for nth, name in enumerate(("API", "Website"))]
        return [part | {"status": self._set.get(part["id"], part["status"])} for part in parts]

    def _maintenances(self) -> list[dict[str, Any]]:
        if not self._in_maintenance:
            return []
        name = "Deployment of Kamiyo"
        return [incident(self._world, OWN_PAGE, name, "in_progress", "maintenance", self._components())]


def create_own_page(world: World, secrets: Secrets) -> Starlette:
    """Create the API of our own page as an application to be mounted."""
    own = OwnPage(world)
    asked: deque[datetime] = deque(maxlen=_REQUESTS_A_MINUTE)

    def refusal(_: str) -> Response:
        return JSONResponse({"error": "Could not authenticate"}, 401)

    async def known(request: Request, answer: RequestResponseEndpoint) -> Response:
        now = world.now()
        if len(asked) == _REQUESTS_A_MINUTE and now - asked[0] < timedelta(minutes=1):
            return JSONResponse({"error": "Too many requests"}, 420)
        asked.append(now)
        page = request.url.path.partition("/pages/")[2].partition("/")[0]
        return await answer(request) if page == OWN_PAGE else JSONResponse({"error": "Page not found"}, 404)

    root = "/v1/pages/{page}"
    return Starlette(
        routes=[
            Route(f"{root}/components", own.components),
            Route(f"{root}/components/{{component}}", own.set_component, methods=["PATCH"]),
            Route(f"{root}/incidents", own.incidents),
            Route(f"{root}/incidents/unresolved", own.unresolved),
            Route(f"{root}/incidents/active_maintenance", own.active_maintenance),
        ],
        middleware=[
            door("OAuth ", secrets.statuspage_key, refusal, dict),
            Middleware(BaseHTTPMiddleware, dispatch=known),
        ],
    )


def _page(request: Request, rows: Sequence[object]) -> Response:
    size_key = "limit" if request.url.path.endswith("/incidents") else "per_page"
    numbers = (request.query_params.get(size_key, str(_MOST_ROWS)), request.query_params.get("page", "1"))
    if not all(number.isdigit() and int(number) for number in numbers):
        return JSONResponse({"error": f"page and {size_key} must be positive numbers"}, 400)
    size, page = min(int(numbers[0]), _MOST_ROWS), int(numbers[1])
    return JSONResponse(list(rows[(page - 1) * size : page * size]))
