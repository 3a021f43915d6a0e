"""Log lines of the services: for each deploy, each request, and each failure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.outside.render_deploys import Course
from sandbox.outside.render_services import SERVICES
from sandbox.outside.world import World

_KEPT = timedelta(hours=1)
"""How long request lines are kept: enough for pagination, few enough to generate for each request."""

_REQUEST_EVERY_S = 30
_ERROR_EVERY_S = 5
_EXPLOITS = 426
_CHAINS = 54
_PATHS = {
    "api": ("/exploits", "/health", "/chains", "/stats"),
    "frontend": ("/", "/dashboard", "/api/health"),
}
_ERRORS = {
    "api": "Error fetching exploits: source rekt answered 502",
    "frontend": "Error: Failed to load exploits: TypeError: fetch failed",
}

_Said = tuple[float, str, str, str]
"""Share of the deploy, type, level and text of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    id: str
    timestamp: datetime
    message: str
    labels: dict[str, str]


def lines(world: World, service: str, start: datetime, end: datetime) -> list[Line]:
    """Return the lines of a service from `start` to `end`, none from the future, ordered by time."""
    end = min(end, world.now())
    found = [
        line
        for deploy in world.deploys(service)
        for line in _of_deploy(world.course(deploy))
        if start <= line.timestamp <= end
    ]
    if SERVICES[service].public:
        found += _of_requests(service, max(start, world.now() - _KEPT), end)
        found += _of_errors(world, service, max(start, world.now() - _KEPT), end)
    return sorted(found, key=lambda line: (line.timestamp, line.id))


def instance_of(service: str, deploy_id: str) -> str:
    """Return the id of the instance that a deploy started."""
    return f"{SERVICES[service].id}-{deploy_id[-5:]}"


def _of_deploy(course: Course) -> Iterator[Line]:
    deploy, ends_at = course.deploy, course.ends_at
    for share, kind, level, text in (*_build(course), *_start(course), *_trouble(course)):
        moment = course.at(share)
        if ends_at is not None and moment > ends_at and course.live_at is None:
            continue  # the deploy had failed or was cancelled by then
        yield _line(deploy.service, moment, text, kind, level, instance_of(deploy.service, deploy.id))


def _build(course: Course) -> list[_Said]:
    service, commit = SERVICES[course.deploy.service], course.deploy.commit
    if course.deploy.trigger == "rollback":
        return []
    said = [
        (0.06, "build", "info", f"==> Checking out commit {commit.id} in branch main"),
        (0.10, "build", "info", f"==> Running build command '{service.build_command}'..."),
    ]
    if course.deploy.service == "frontend":
        said.append((0.20, "build", "info", "Prisma schema loaded from prisma/schema.prisma"))
        said.append((0.22, "build", "info", 'Datasource "db": PostgreSQL database "kamiyo_prod"'))
        if not course.suffers("migrations-missing-in-log", "frontend"):
            said.append((0.30, "build", "info", "Migrations complete"))
        if not course.fails_to_build:
            said.append((0.48, "build", "info", "✓ Compiled successfully"))
    elif not course.fails_to_build:
        said.append((0.40, "build", "info", "Successfully installed fastapi-0.115.0 uvicorn-0.32.0"))
    if course.fails_to_build:
        said.append(
            (0.48, "build", "error", "Type error: Property 'amount' does not exist on type 'Exploit'.")
        )
        said.append((0.49, "build", "error", "==> Build failed 😞"))
    else:
        said.append((0.52, "build", "info", "==> Build successful 🎉"))
    return said


def _start(course: Course) -> list[_Said]:
    service = SERVICES[course.deploy.service]
    if course.fails_to_build or not service.public:
        return []
    said = [(0.62, "app", "info", f"==> Running '{service.start_command}'")]
    silent = course.suffers("build-log-silent", course.deploy.service)
    if course.deploy.service == "api":
        said += [
            (0.71, "app", "info", "Kamiyo API starting up..."),
            (0.74, "app", "info", f"Database exploits: {_EXPLOITS}"),
            (0.75, "app", "info", f"Tracked chains: {_CHAINS}"),
            (0.77, "app", "info", "WebSocket manager started"),
            (0.79, "app", "info", "Cache manager connected"),
        ]
        last = f"INFO:     Uvicorn running on http://0.0.0.0:{service.port} (Press CTRL+C to quit)"
    else:
        said.append((0.75, "app", "info", f"- Local: http://localhost:{service.port}"))
        last = "✓ Ready in 287ms"
    if not silent:
        said.append((0.85, "app", "info", last))
    return [*said, (0.99, "app", "info", "==> Your service is live 🎉")]


def _trouble(course: Course) -> list[_Said]:
    said: list[_Said] = []
    if course.suffers("import-error-in-log", "api"):
        said.append(
            (0.66, "app", "error", '  File "/opt/render/project/src/api/main.py", line 12, in <module>')
        )
        said.append((0.661, "app", "error", "ModuleNotFoundError: No module named 'aiohttp'"))
    if course.suffers("database-failed-in-log", "api"):
        said.append((0.72, "app", "error", "Database connection failed: connection refused"))
    if course.suffers("crash-loop", "api"):
        said += [(share, "app", "error", "==> Exited with status 1") for share in (0.63, 0.65, 0.67)]
    if course.suffers("out-of-memory", "api"):
        said += [(share, "app", "error", "==> Out of memory (used over 512Mi)") for share in (0.64, 0.68)]
    if course.suffers("health-checks-failing", "api"):
        said.append((0.95, "app", "error", "==> Timed out after waiting for the health check at: /health"))
    return said


def _of_requests(service: str, start: datetime, end: datetime) -> Iterator[Line]:
    for moment in _every(_REQUEST_EVERY_S, start, end):
        paths = _PATHS[service]
        path = paths[int(moment.timestamp()) // _REQUEST_EVERY_S % len(paths)]
        labels = {"method": "GET", "path": path, "statusCode": "200", "host": SERVICES[service].name}
        yield _line(service, moment, f'"GET {path} HTTP/1.1" 200', "request", "info", "", **labels)


def _of_errors(world: World, service: str, start: datetime, end: datetime) -> Iterator[Line]:
    live_at = world.went_live_at
    if "log-errors" in world.faults and live_at is not None:
        for moment in _every(_ERROR_EVERY_S, max(start, live_at), end):
            yield _line(service, moment, _ERRORS[service], "app", "error", "")


def _every(seconds: int, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the times of a fixed grid, the same for every request."""
    tick = -int(-start.timestamp() // seconds) * seconds
    while tick <= end.timestamp():
        yield datetime.fromtimestamp(tick, UTC)
        tick += seconds


def _line(
    service: str, moment: datetime, text: str, kind: str, level: str, instance: str, **labels: str
) -> Line:
    seed = f"{service} {moment.timestamp():.6f} {text}"
    labels = {"resource": SERVICES[service].id, "type": kind, "level": level, **labels}
    if instance:
        labels["instance"] = instance
    return Line(hashlib.sha256(seed.encode()).hexdigest()[:26], moment, text, labels)
