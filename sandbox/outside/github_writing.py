"""GitHub's write APIs: comments on commits, and events that start workflows.

Source: docs.github.com, REST API of 2022-11-28, commit comments and repository dispatch.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside.linked_pages import github_page
from sandbox.outside.world import World

_LONGEST_BODY = 65_536
_LONGEST_EVENT = 100
_MOST_KEYS = 10
_BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot", "site_admin": False}


@dataclass
class Writing:
    """The written data, kept while the sandbox runs."""

    world: World
    repository: str
    commit_of: Callable[[Request], str]
    known: Callable[[Request], None]
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(151_000_001))

    @property
    def routes(self) -> list[Route]:
        """Return the routes for writing and reading the data."""
        root = "/repos/{owner}/{repo}"
        return [
            Route(root + "/commits/{sha}/comments", self.listed, methods=["GET"]),
            Route(root + "/commits/{sha}/comments", self.create, methods=["POST"]),
            Route(root + "/comments/{comment_id:int}", self.update, methods=["PATCH"]),
            Route(root + "/dispatches", self.dispatch, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/commits/{sha}/comments."""
        sha = self.commit_of(request)
        return github_page(request, [one for one in self.comments.values() if one["commit_id"] == sha])

    async def create(self, request: Request) -> Response:
        """POST /repos/{owner}/{repo}/commits/{sha}/comments: 201."""
        sha, body = self.commit_of(request), await _body_of(request)
        number, now = next(self._ids), f"{self.world.now():%Y-%m-%dT%H:%M:%SZ}"
        self.comments[number] = {
            "id": number,
            "node_id": f"CC_{number}",
            "url": f"https://api.github.com/repos/{self.repository}/comments/{number}",
            "html_url": f"https://github.com/{self.repository}/commit/{sha}#commitcomment-{number}",
            "body": body,
            "path": None,
            "position": None,
            "line": None,
            "commit_id": sha,
            "user": _BOT,
            "created_at": now,
            "updated_at": now,
            "author_association": "NONE",
        }
        return JSONResponse(self.comments[number], 201)

    async def update(self, request: Request) -> Response:
        """PATCH /repos/{owner}/{repo}/comments/{comment_id}."""
        self.known(request)
        found = self.comments.get(request.path_params["comment_id"])
        if found is None:
            raise HTTPException(404, "Not Found")
        found |= {
            "body": await _body_of(request),
            "updated_at": f"{self.world.now():%Y-%m-%dT%H:%M:%SZ}",
        }
        return JSONResponse(found)

    async def dispatch(self, request: Request) -> Response:
        """POST /repos/{owner}/{repo}/dispatches: 204."""
        self.known(request)
        body = await _object(request)
        event, payload = body.get("event_type"), body.get("client_payload", {})
        if not isinstance(event, str) or not 0 < len(event) <= _LONGEST_EVENT:
            raise HTTPException(422, "Invalid request. event_type must be 1 to 100 characters")
        if not isinstance(payload, dict) or len(payload) > _MOST_KEYS:
            raise HTTPException(422, "No more than 10 properties are allowed in client_payload")
        self.events.append({"event_type": event, "client_payload": payload})
        return Response(status_code=204)


async def _body_of(request: Request) -> str:
    body = (await _object(request)).get("body")
    if not isinstance(body, str) or not body.strip():
        raise HTTPException(422, "Validation Failed: body is missing")
    if len(body) > _LONGEST_BODY:
        raise HTTPException(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    return body


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "Body should be a JSON object")
    return body
