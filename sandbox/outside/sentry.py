"""Sentry's web API for watching a release: issues, errors over time, releases, projects, keys.

Source: Sentry's published OpenAPI description, and getsentry/sentry where that is unclear: times of
`events-timeseries` are in milliseconds, and its newest buckets are "incomplete" until late events arrive.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside.door import door
from sandbox.outside.linked_pages import sentry_page
from sandbox.outside.sentry_data import (
    ENVIRONMENTS,
    ORGANIZATION,
    PROJECTS,
    Project,
    errors_in,
    issues,
    made_key,
    number_of,
    project_named,
    public_dsn,
)
from sandbox.outside.sentry_search import InvalidSearch, moment, search
from sandbox.outside.world import World
from sandbox.platform import Secrets

_SHAPES = Path(__file__).parent / "shapes"
_MOST_BUCKETS = 10_000
_LATE_S = 90
"""INGESTION_DELAY: seconds for which a bucket stays incomplete after its end."""

_DATASETS = frozenset({"errors", "logs", "profile_functions", "spans", "tracemetrics", "uptime_results"})


class Sentry:
    """The handlers."""

    def __init__(self, world: World, secrets: Secrets) -> None:
        self._world = world
        self._secrets = secrets

    async def issues(self, request: Request) -> Response:
        """GET /organizations/{org}/issues/."""
        projects = self._projects(request)
        since, until = self._window(request)
        try:
            found = search(request.query_params.get("query", "is:unresolved"), self._world.now())
        except InvalidSearch as problem:
            raise HTTPException(400, f"Error parsing search query: {problem}") from None
        rows = [
            {key: value for key, value in issue.items() if key != "_releases"}
            for issue in issues(self._world)
            if issue["project"]["slug"] in {project.slug for project in projects}
            and found(issue)
            and moment(issue["lastSeen"]) >= since
            and moment(issue["firstSeen"]) <= until
        ]
        return sentry_page(request, rows)

    async def timeseries(self, request: Request) -> Response:
        """GET /organizations/{org}/events-timeseries/."""
        dataset = request.query_params.get("dataset", "")
        if dataset not in _DATASETS:
            raise HTTPException(400, f"dataset must be one of: {', '.join(sorted(_DATASETS))}")
        projects = self._projects(request)
        since, until = self._window(request)
        start, step = int(since.timestamp()), _step(request, until - since)
        start -= start % step
        if (until.timestamp() - start) / step > _MOST_BUCKETS:
            raise HTTPException(400, "Your interval and date range would create too many results.")
        now = self._world.now().timestamp()
        values: list[dict[str, Any]] = []
        for begins in range(start, int(until.timestamp()), step):
            share = errors_in(self._world, begins, step) * len(projects) // len(PROJECTS)
            late = begins + step >= now - _LATE_S
            bucket = {"timestamp": begins * 1000.0, "value": float(share), "incomplete": late}
            values.append({**bucket, "incompleteReason": "INCOMPLETE_BUCKET"} if late else bucket)
        series = {
            "values": values,
            "yAxis": request.query_params.get("yAxis", "count()"),
            "meta": {"valueType": "integer", "valueUnit": None, "interval": step * 1000.0},
        }
        meta = {"dataset": dataset, "start": since.timestamp() * 1000, "end": until.timestamp() * 1000}
        return JSONResponse({"timeSeries": [series], "meta": meta})

    async def release(self, request: Request) -> Response:
        """GET /organizations/{org}/releases/{version}/."""
        _known_organization(request)
        version, world = request.path_params["version"], self._world
        if version not in {world.commit.id, world.previous.id}:
            raise HTTPException(404, "The requested resource does not exist")
        own = [issue for issue in issues(world) if issue["_releases"][0] == version]
        began = world.deploy_began_at or world.now()
        shape = _shape("sentry-release")
        projects = [
            {
                **shape["projects"][0],
                "id": project.id,
                "slug": project.slug,
                "name": project.name,
                "platform": project.platform,
                "platforms": [project.platform.partition("-")[0]],
                "newGroups": sum(issue["project"]["slug"] == project.slug for issue in own),
            }
            for project in PROJECTS
        ]
        deploy = {**shape["lastDeploy"], "dateStarted": _text(began), "dateFinished": _text(began)}
        fields = {
            "version": version,
            "shortVersion": version[:12],
            "newGroups": len(own),
            "dateCreated": _text(began),
            "lastDeploy": deploy if world.deploy_began_at or version != world.commit.id else None,
            "projects": projects,
        }
        return JSONResponse({**shape, **fields})

    async def project(self, request: Request) -> Response:
        """GET /projects/{org}/{project}/."""
        project = self._project(request)
        fields = {
            "id": str(number_of(self._world, project)),
            "slug": project.slug,
            "name": project.name,
            "platform": project.platform,
            "latestRelease": {"version": self._world.commit.id},
        }
        return JSONResponse({**_shape("sentry-project"), **fields})

    async def keys(self, request: Request) -> Response:
        """GET /projects/{org}/{project}/keys/."""
        project = self._project(request)
        public = public_dsn(self._world, self._secrets.sentry_dsn, project)
        shape = _shape("sentry-key")
        number = public.rpartition("/")[2]
        fields = {
            "id": made_key(f"key of {project.slug}"),
            "public": public.partition("://")[2].partition("@")[0].partition(":")[0],
            "secret": made_key(f"secret of {project.slug}"),
            "projectId": int(number) if number.isdigit() else number_of(self._world, project),
            "isActive": "dsn-inactive" not in self._world.faults,
            "dsn": {**shape["dsn"], "public": public, "secret": public},
        }
        return sentry_page(request, [{**shape, **fields}])

    def _projects(self, request: Request) -> list[Project]:
        _known_organization(request)
        for environment in request.query_params.getlist("environment"):
            if environment not in ENVIRONMENTS:
                raise HTTPException(404, "The requested resource does not exist")
        named = request.query_params.getlist("project")
        if not named or named == ["-1"]:
            return list(PROJECTS)
        found = [project_named(name) for name in named]
        if None in found:
            raise HTTPException(403, "You do not have permission to perform this action.")
        return [project for project in found if project]

    def _project(self, request: Request) -> Project:
        _known_organization(request)
        project = project_named(request.path_params["project"])
        if project is None:
            raise HTTPException(404, "The requested resource does not exist")
        return project

    def _window(self, request: Request) -> tuple[datetime, datetime]:
        start, end = request.query_params.get("start"), request.query_params.get("end")
        now = self._world.now()
        if start is None and end is None:
            return now - timedelta(days=90), now
        if start is None or end is None:
            raise HTTPException(400, "start and end are both required")
        try:
            since, until = moment(start), moment(end)
        except ValueError:
            raise HTTPException(400, "start is not a valid datetime") from None
        if since >= until:
            raise HTTPException(400, "start must be before end")
        return since, until


def create_sentry(world: World, secrets: Secrets) -> Starlette:
    """Create Sentry's API as an application to be mounted."""
    sentry = Sentry(world, secrets)

    def refusal(given: str) -> Response:
        detail = "Invalid token" if given else "Authentication credentials were not provided."
        return JSONResponse({"detail": detail}, 401)

    def headers() -> dict[str, str]:
        return {
            "X-Sentry-Rate-Limit-Limit": "40",
            "X-Sentry-Rate-Limit-Remaining": "39",
            "X-Sentry-Rate-Limit-Reset": str(int(world.now().timestamp()) + 1),
            "X-Sentry-Rate-Limit-ConcurrentLimit": "25",
            "X-Sentry-Rate-Limit-ConcurrentRemaining": "24",
        }

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"detail": error.detail}, error.status_code)

    organization, project = "/api/0/organizations/{organization}", "/api/0/projects/{organization}/{project}"
    return Starlette(
        routes=[
            Route(f"{organization}/issues/", sentry.issues),
            Route(f"{organization}/events-timeseries/", sentry.timeseries),
            Route(organization + "/releases/{version}/", sentry.release),
            Route(f"{project}/", sentry.project),
            Route(f"{project}/keys/", sentry.keys),
        ],
        middleware=[door("Bearer ", secrets.sentry_token, refusal, headers)],
        exception_handlers={HTTPException: refused},
    )


def _known_organization(request: Request) -> None:
    if request.path_params["organization"] != ORGANIZATION:
        raise HTTPException(404, "The requested resource does not exist")


def _step(request: Request, window: timedelta) -> int:
    """Return the seconds of a bucket: as requested, or Sentry's own choice if the request is not valid."""
    asked = request.query_params.get("interval", "").removesuffix("s")
    if asked.isdigit() and int(asked) >= 60 and int(asked) % 60 == 0 and int(asked) < window.total_seconds():
        return int(asked)
    return 60 if window <= timedelta(hours=6) else 3600


@cache
def _shape(name: str) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads((_SHAPES / f"{name}.json").read_text(encoding="utf-8"))
    return shape


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
