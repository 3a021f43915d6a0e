"""Sentry's data about the platform: issues, errors a minute, keys; depends on the active faults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any
from urllib.parse import urlsplit

from sandbox.outside.world import World

ORGANIZATION = "kamiyo"
ENVIRONMENTS = frozenset({"production", "sandbox"})

_CALM = (1, 2, 1, 0)
"""Normal numbers of errors in successive minutes."""
_SPIKE = 40


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the organization."""

    id: int
    slug: str
    name: str
    platform: str


PROJECTS = (
    Project(4507101, "kamiyo-api", "Kamiyo API", "python-fastapi"),
    Project(4507102, "kamiyo-frontend", "Kamiyo Frontend", "javascript-nextjs"),
)
_INGEST = "o4504765.ingest.us.sentry.io"
_APART = 800


def project_named(name: str) -> Project | None:
    """Return a project by its slug or number, or None."""
    return next((project for project in PROJECTS if name in {project.slug, str(project.id)}), None)


def public_dsn(world: World, configured: str, project: Project) -> str:
    """Return the DSN of a project's key; for the API it is the platform's configured DSN."""
    foreign = "dsn-of-another-project" in world.faults
    if project is PROJECTS[0] and urlsplit(configured).username and not foreign:
        return configured
    return f"https://{made_key(project.slug)}@{_INGEST}/{number_of(world, project)}"


def number_of(world: World, project: Project) -> int:
    """Return a project's number; under the fault, the DSN has another project's number."""
    return project.id + (_APART if "dsn-of-another-project" in world.faults else 0)


def made_key(name: str) -> str:
    """Derive a key like Sentry's, 32 hex digits, from a name."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def issues(world: World) -> list[dict[str, Any]]:
    """Return all issues of all projects, last seen first."""
    api, frontend = PROJECTS
    now = world.now()
    began = world.deploy_began_at or now

    def ago(days: int) -> datetime:
        return now - timedelta(days=days)

    found = [
        _issue(world, 11, api, "TimeoutError: rekt.news did not answer", ago(40), count=312),
        _issue(world, 27, frontend, "ChunkLoadError: Loading chunk 418 failed", ago(29), count=41),
        _issue(world, 19, frontend, "TypeError: filters is undefined", ago(20), status="resolved"),
        _issue(world, 31, api, "Retrying: the cache is slow", began + timedelta(seconds=30), level="warning"),
    ]
    if "sentry-fatal" in world.faults:
        title = 'OperationalError: relation "exploits" does not exist'
        found.append(_issue(world, 32, api, title, began + timedelta(seconds=40), level="fatal", count=57))
    if "sentry-regression" in world.faults:
        title = "KeyError: 'recovery_status'"
        found.append(_issue(world, 14, api, title, ago(60), substatus="regressed", count=90))
    return sorted(found, key=lambda issue: str(issue["lastSeen"]), reverse=True)


def errors_in(world: World, start: int, seconds: int) -> int:
    """Return how many errors all projects had.

    Args:
        world: the world.
        start: seconds since 1970; a whole minute.
        seconds: the duration; whole minutes.
    """
    began = world.deploy_began_at
    spike = began.timestamp() if began and "error-spike" in world.faults else float("inf")
    now = world.now().timestamp()
    minutes = range(start // 60, (start + seconds) // 60)
    return sum(
        _SPIKE if minute * 60 + 60 > spike else _CALM[minute % len(_CALM)]
        for minute in minutes
        if minute * 60 <= now
    )


def _issue(  # noqa: PLR0913 - the attributes that differ between issues
    world: World,
    number: int,
    project: Project,
    title: str,
    first_seen: datetime,
    *,
    level: str = "error",
    status: str = "unresolved",
    substatus: str | None = None,
    count: int = 7,
) -> dict[str, Any]:
    now, began = world.now(), world.deploy_began_at
    first = _text(min(first_seen, now))
    last = _text(now - timedelta(seconds=min(45 + number, max((now - first_seen).total_seconds(), 0))))
    if substatus is None:
        substatus = "new" if now - first_seen < timedelta(days=7) else "ongoing"
    kind, _, value = title.partition(": ")
    counts = {"count": str(count), "userCount": count // 3, "firstSeen": first, "lastSeen": last}
    return {
        "id": str(6_100_000_000 + number),
        "shareId": None,
        "shortId": f"{project.slug.upper()}-{number}",
        "title": title,
        "culprit": "api.main in list_exploits" if project is PROJECTS[0] else "pages/dashboard",
        "permalink": f"https://{ORGANIZATION}.sentry.io/issues/{6_100_000_000 + number}/",
        "logger": None,
        "level": level,
        "status": status,
        "statusDetails": {},
        "substatus": substatus if status == "unresolved" else None,
        "isPublic": False,
        "platform": project.platform.partition("-")[0],
        "priority": {"fatal": "high", "error": "medium"}.get(level, "low"),
        "priorityLockedAt": None,
        "seerFixabilityScore": None,
        "seerAutofixLastTriggered": None,
        "seerExplorerAutofixLastTriggered": None,
        "project": {
            "id": str(number_of(world, project)),
            "name": project.name,
            "slug": project.slug,
            "platform": project.platform,
        },
        "type": "error",
        "issueType": "error",
        "issueCategory": "error",
        "metadata": {"type": kind, "value": value, "filename": "api/main.py"},
        "numComments": 0,
        "assignedTo": None,
        "isBookmarked": False,
        "isSubscribed": False,
        "subscriptionDetails": None,
        "hasSeen": False,
        "annotations": [],
        "isUnhandled": level == "fatal",
        **counts,
        "stats": {"24h": [[int(now.timestamp()) // 3600 * 3600, count]]},
        "lifetime": {**counts, "stats": {}},
        "filtered": None,
        "derivedData": {
            "blocker": "none",
            "progress": "none",
            "status": "open",
            "viewCount": 0,
            "hasOpenFixPr": False,
            "isAssigned": False,
            "hasRootCause": False,
            "lastCompletedAutofixStep": "",
            "lastProgressedAt": None,
        },
        "inbox": {"reason": 0, "reason_details": None, "date_added": first},
        "owners": {"type": "ownershipRule", "owner": "team:1", "date_added": first},
        "integrationIssues": [],
        "sentryAppIssues": [],
        "sessionCount": 0,
        "latestEventHasAttachments": False,
        "matchingEventId": None,
        "matchingEventEnvironment": None,
        "_releases": [world.commit.id if began and first_seen >= began else world.previous.id],
    }


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
