"""Systems that are told a verdict: they keep what they were sent, or refuse it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contract.validator import Seen
from tests.support.serving import Wire, serving

COMMIT = "9c41d07e5b7a4f0c8d2e1a3b4c5d6e7f8a9b0c1d"
REPOSITORY = "acme/platform"
MOMENT = "2026-03-01T10:00:00Z"
_URL = "https://api.github.com/repos/acme/platform"
_GITHUB = "/repos/{owner}/{repo}"
_SENTRY = "/api/0/organizations/{organization}/releases/{version}/deploys/"


@dataclass
class Listeners:
    """All of them at one origin.

    Attributes:
        origin: where they listen.
        deployed: the names of GitHub's environments that the commit was deployed to.
        refusing: the status of every answer; 0 for the usual ones.
    """

    origin: str = ""
    deployed: tuple[str, ...] = ("production",)
    refusing: int = 0
    deploys: list[dict[str, Any]] = field(default_factory=list)
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        github, sentry = _GITHUB, _SENTRY
        routes = [
            (f"{github}/commits/{{sha}}", "GET", self._commit),
            (f"{github}/statuses/{{sha}}", "POST", self._commit_status),
            (f"{github}/deployments", "GET", self._deployments),
            (f"{github}/deployments/{{number:int}}/statuses", "POST", self._deployment_status),
            ("/push/metrics/{group:path}", "PUT", self._push),
            (sentry, "GET", self._deploys),
            (sentry, "POST", self._deploy),
            ("/grafana/api/annotations", "POST", self._annotation),
        ]
        app = Starlette(routes=[Route(path, self._unless_refused(to), methods=[m]) for path, m, to in routes])
        self.wire = Wire(app)

    def received(self, method: str, start: str = "") -> list[tuple[str, Any]]:
        """The paths and JSON bodies of the requests of a method whose path begins so."""
        return [
            (one.target, json.loads(one.request_body))
            for one in self.wire.seen
            if one.method == method and one.target.startswith(start)
        ]

    @property
    def pushed(self) -> list[Seen]:
        return [one for one in self.wire.seen if one.method == "PUT"]

    def _unless_refused(
        self, route: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if self.refusing:
                return JSONResponse({"message": "refused"}, self.refusing)
            return await route(request)

        return answer

    async def _commit(self, request: Request) -> Response:
        if not COMMIT.startswith(request.path_params["sha"]):
            return JSONResponse({"message": "No commit found"}, 422)
        tree = {"sha": COMMIT, "url": _URL}
        person = {"name": "Ada", "email": "ada@example.com", "date": MOMENT}
        commit = {"url": _URL, "author": person, "committer": person, "message": "m", "comment_count": 0}
        return JSONResponse(
            {
                "url": _URL,
                "sha": COMMIT,
                "node_id": "n",
                "html_url": _URL,
                "comments_url": _URL,
                "commit": commit | {"tree": tree},
                "author": None,
                "committer": None,
                "parents": [],
            }
        )

    async def _commit_status(self, request: Request) -> Response:
        if request.path_params["sha"] != COMMIT:
            return JSONResponse({"message": "No commit found for SHA"}, 422)
        return JSONResponse({**_STATUS, **_target(await request.json())}, 201)

    async def _deployments(self, request: Request) -> Response:
        asked = request.query_params
        named = asked.get("environment", "")
        found = asked.get("sha") == COMMIT and named in self.deployed
        return JSONResponse([{**_DEPLOYMENT, "environment": named}] if found else [])

    async def _deployment_status(self, request: Request) -> Response:
        body = {key: value for key, value in (await request.json()).items() if key != "auto_inactive"}
        return JSONResponse({**_STATUS, **_target(body), "deployment_url": _URL, "repository_url": _URL}, 201)

    async def _push(self, request: Request) -> Response:
        text = (await request.body()).decode()
        try:
            families = [*text_string_to_metric_families(text)]
        except ValueError as error:
            return Response(str(error), 400)
        return Response(status_code=200 if families else 400)

    async def _deploys(self, _request: Request) -> Response:
        return JSONResponse(self.deploys)

    async def _deploy(self, request: Request) -> Response:
        body = await request.json()
        body.pop("projects", None)
        row = {"id": "1", "name": None, "url": None, "dateStarted": None, "dateFinished": MOMENT} | body
        self.deploys.insert(0, row)
        return JSONResponse(row, 201)

    async def _annotation(self, request: Request) -> Response:
        await request.body()
        return JSONResponse({"message": "Annotation added", "id": 1})


_STATUS = {
    "url": _URL,
    "avatar_url": None,
    "id": 1,
    "node_id": "n",
    "description": "",
    "target_url": "",
    "context": "default",
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "creator": None,
}
_DEPLOYMENT = {
    "id": 7,
    "node_id": "n",
    "sha": COMMIT,
    "ref": "main",
    "task": "deploy",
    "creator": None,
    "payload": {},
    "description": None,
    "statuses_url": _URL,
    "repository_url": _URL,
    "url": _URL,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}


def _target(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"target_url": body.get("target_url", body.get("log_url", ""))}


@contextmanager
def listening(**settings: Any) -> Iterator[Listeners]:
    """Let all of them listen."""
    found = Listeners(**settings)
    with serving(found.wire) as origin:
        found.origin = origin
        yield found
