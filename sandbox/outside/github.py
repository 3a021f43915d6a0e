"""GitHub's REST API about commits: pull requests, reviews, checks, branches.

Source: docs.github.com, REST API of 2022-11-28.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside.door import door
from sandbox.outside.github_writing import Writing
from sandbox.outside.linked_pages import github_page
from sandbox.outside.world import World
from sandbox.platform import Secrets

REPOSITORY = "kamiyo-sandbox/kamiyo"

_BRANCH = "main"
_AUTHOR, _REVIEWER, _OTHER = "dana-dev", "lee-reviews", "sam-reads"
_NUMBER = 141
_CHECKS = ("tests (3.11)", "tests (3.12)", "lint", "build frontend", "CodeQL")


class GitHub:
    """The handlers."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def pulls(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/commits/{sha}/pulls."""
        sha = self.commit_of(request)
        came_alone = sha == self._world.commit.id and "unreviewed-commit" in self._world.faults
        return github_page(request, [] if came_alone else [self._pull(sha)])

    async def reviews(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/pulls/{number}/reviews."""
        if request.path_params["number"] not in {str(_NUMBER), str(_NUMBER - 1)}:
            raise HTTPException(404, "Not Found")
        head, older = _head_of(self._world.commit.id), made_sha(f"older {self._world.commit.id}")
        faults, at = self._world.faults, self._world.commit.created_at - timedelta(hours=3)
        reviews = [(_REVIEWER, "CHANGES_REQUESTED", older), (_AUTHOR, "COMMENTED", head)]
        if "self-approved-commit" in faults:
            reviews = [(_REVIEWER, "COMMENTED", older), (_AUTHOR, "APPROVED", head)]
        elif "stale-approval" in faults:
            reviews.append((_REVIEWER, "APPROVED", older))
        else:
            reviews.append((_REVIEWER, "APPROVED", head))
        if "changes-requested" in faults:
            reviews.append((_OTHER, "CHANGES_REQUESTED", head))
        reviews.append((_REVIEWER, "COMMENTED", head))
        rows = [
            {
                "id": 2_300_000_000 + nth,
                "user": _person(who),
                "body": "",
                "state": state,
                "html_url": f"https://github.com/{REPOSITORY}/pull/{_NUMBER}#pullrequestreview-{nth}",
                "submitted_at": _text(at + timedelta(minutes=20 * nth)),
                "commit_id": commit,
                "author_association": "MEMBER",
            }
            for nth, (who, state, commit) in enumerate(reviews)
        ]
        return github_page(request, rows)

    async def check_runs(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/commits/{ref}/check-runs."""
        sha = self.commit_of(request)
        if request.query_params.get("filter", "latest") not in {"latest", "all"}:
            raise HTTPException(422, "Invalid request: filter must be latest or all")
        at = self._world.commit.created_at
        failing = _CHECKS[1] if "check-run-failed" in self._world.faults else ""
        rows = [
            {
                "id": 31_000_000_000 + nth,
                "name": name,
                "head_sha": sha,
                "html_url": f"https://github.com/{REPOSITORY}/actions/runs/910{nth}",
                "status": "completed",
                "conclusion": "failure" if name == failing else "success",
                "started_at": _text(at),
                "completed_at": _text(at + timedelta(seconds=15)),
                "app": {"slug": "github-actions"},
            }
            for nth, name in enumerate(_CHECKS)
        ]
        return github_page(request, rows, lambda part: {"total_count": len(rows), "check_runs": part})

    async def status(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/commits/{ref}/status; there are none, which GitHub calls pending."""
        sha = self.commit_of(request)
        return JSONResponse(
            {
                "state": "pending",
                "statuses": [],
                "sha": sha,
                "total_count": 0,
                "repository": {"full_name": REPOSITORY},
                "commit_url": f"https://api.github.com/repos/{REPOSITORY}/commits/{sha}",
            }
        )

    async def compare(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/compare/{base}...{head}."""
        known(request)
        base, dots, head = request.path_params["basehead"].partition("...")
        if not dots:
            raise HTTPException(404, "Not Found")
        history = self._history
        one, other = (history.index(self._resolve(name, 404)) for name in (base, head))
        status = "identical" if one == other else "ahead" if other < one else "behind"
        return JSONResponse(
            {
                "status": status,
                "ahead_by": max(one - other, 0),
                "behind_by": max(other - one, 0),
                "total_commits": max(one - other, 0),
                "merge_base_commit": {"sha": history[max(one, other)]},
                "commits": [],
                "files": [],
            }
        )

    async def branch(self, request: Request) -> Response:
        """GET /repos/{owner}/{repo}/branches/{branch}."""
        known(request)
        if request.path_params["branch"] != _BRANCH:
            raise HTTPException(404, "Branch not found")
        return JSONResponse({"name": _BRANCH, "commit": {"sha": self._history[0]}, "protected": True})

    @property
    def _history(self) -> list[str]:
        """Return the commits of the branch, newest first."""
        deployed = [deploy.commit for deploy in self._world.deploys("api") if deploy.trigger != "rollback"]
        known = {commit.id: commit.created_at for commit in (self._world.commit, *deployed)}
        return sorted(known, key=lambda sha: known[sha], reverse=True)

    def commit_of(self, request: Request) -> str:
        """Return the commit named in the path."""
        known(request)
        return self._resolve(request.path_params["sha"], 422)

    def _resolve(self, name: str, missing: int) -> str:
        if name == _BRANCH:
            return self._history[0]
        short = re.fullmatch(r"[0-9a-f]{7,40}", name)
        found = [sha for sha in self._history if short and sha.startswith(name)]
        if len(found) != 1:
            raise HTTPException(
                missing, "Not Found" if missing == 404 else f"No commit found for SHA: {name}"
            )
        return found[0]

    def _pull(self, sha: str) -> dict[str, Any]:
        number = _NUMBER if sha == self._world.commit.id else _NUMBER - 1
        merged = self._world.commit.created_at
        return {
            "id": 1_900_000_000 + number,
            "number": number,
            "state": "closed",
            "title": self._world.commit.message,
            "user": _person(_AUTHOR),
            "html_url": f"https://github.com/{REPOSITORY}/pull/{number}",
            "created_at": _text(merged - timedelta(hours=4)),
            "updated_at": _text(merged),
            "closed_at": _text(merged),
            "merged_at": _text(merged),
            "merge_commit_sha": sha,
            "draft": False,
            "head": {"ref": "alerts-by-chain", "sha": _head_of(sha), "label": f"{_AUTHOR}:alerts-by-chain"},
            "base": {"ref": _BRANCH, "sha": self._world.previous.id, "label": f"kamiyo-sandbox:{_BRANCH}"},
        }


def create_github(world: World, secrets: Secrets) -> Starlette:
    """Create GitHub's API as an application to be mounted."""
    github = GitHub(world)
    writing = Writing(world, REPOSITORY, github.commit_of, known)

    def headers() -> dict[str, str]:
        return {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4987",
            "X-RateLimit-Reset": str(int(world.now().timestamp()) + 3000),
            "X-RateLimit-Used": "13",
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
        }

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _refusal(error.status_code, error.detail)

    root = "/repos/{owner}/{repo}"
    return Starlette(
        routes=[
            Route(root + "/commits/{sha}/pulls", github.pulls),
            Route(root + "/pulls/{number}/reviews", github.reviews),
            Route(root + "/commits/{sha}/check-runs", github.check_runs),
            Route(root + "/commits/{sha}/status", github.status),
            Route(root + "/compare/{basehead:path}", github.compare),
            Route(root + "/branches/{branch:path}", github.branch),
            *writing.routes,
        ],
        middleware=[
            door("Bearer ", secrets.github_token, lambda _: _refusal(401, "Bad credentials"), headers)
        ],
        exception_handlers={HTTPException: refused},
    )


def made_sha(text: str) -> str:
    """Derive a commit id from a text."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def _head_of(sha: str) -> str:
    """Return the head of the pull request that was squashed into this commit."""
    return made_sha(f"head {sha}")


def known(request: Request) -> None:
    """Refuse any other repository than ours."""
    if f"{request.path_params['owner']}/{request.path_params['repo']}" != REPOSITORY:
        raise HTTPException(404, "Not Found")


def _refusal(status: int, message: str) -> Response:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return JSONResponse(body, status)


def _person(login: str) -> dict[str, object]:
    return {"login": login, "id": sum(login.encode()), "type": "User", "site_admin": False}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
