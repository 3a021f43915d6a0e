"""The services on Render, and a matching blueprint."""

from __future__ import annotations

from dataclasses import dataclass

OWNER = "tea-sandbox0000000000000"
POSTGRES = "dpg-sandboxpostgres00000-a"
POSTGRES_NAME = "kamiyo-postgres"
POSTGRES_PLAN = "starter"
REPOSITORY = "https://github.com/kamiyo-sandbox/kamiyo"
BRANCH = "main"
REGION = "oregon"


@dataclass(frozen=True, slots=True)
class Service:
    """The configuration of one service.

    Attributes:
        public: a web service; the others are background workers.
        port: the port of a web service.
    """

    id: str
    name: str
    runtime: str
    plan: str
    build_command: str
    start_command: str
    root_dir: str = ""
    public: bool = False
    health_path: str = ""
    port: int = 0


SERVICES: dict[str, Service] = {
    "api": Service(
        id="srv-sandboxapi0000000000",
        name="kamiyo-api",
        runtime="python",
        plan="starter",
        build_command="pip install -r requirements.txt",
        start_command="uvicorn api.main:app --host 0.0.0.0 --port $PORT",
        public=True,
        health_path="/health",
        port=10000,
    ),
    "frontend": Service(
        id="srv-sandboxfrontend00000",
        name="kamiyo-frontend",
        runtime="node",
        plan="starter",
        build_command="npm ci && npx prisma generate && npx prisma migrate deploy && npm run build",
        start_command="npm start",
        root_dir="website",
        public=True,
        health_path="/",
        port=3000,
    ),
    "aggregator": Service(
        id="srv-sandboxaggregator000",
        name="kamiyo-aggregator",
        runtime="python",
        plan="starter",
        build_command="pip install -r requirements.txt",
        start_command="python -m aggregators.main",
    ),
    "social-watcher": Service(
        id="srv-sandboxsocialwatcher",
        name="kamiyo-social-watcher",
        runtime="python",
        plan="starter",
        build_command="pip install -r requirements.txt",
        start_command="python -m social.watcher",
    ),
}
"""The services by short name."""

BY_ID = {service.id: name for name, service in SERVICES.items()}


def blueprint() -> str:
    """Return the render.yaml that matches the services."""
    entries = "".join(_entry(service) for service in SERVICES.values())
    database = f"  - name: {POSTGRES_NAME}\n    plan: {POSTGRES_PLAN}\n    region: {REGION}\n"
    return f"services:\n{entries}databases:\n{database}"


def _entry(service: Service) -> str:
    lines = [
        f"  - type: {'web' if service.public else 'worker'}",
        f"    name: {service.name}",
        f"    runtime: {service.runtime}",
        f"    plan: {service.plan}",
        f"    region: {REGION}",
        f"    branch: {BRANCH}",
        *([f"    rootDir: {service.root_dir}"] if service.root_dir else []),
        f"    buildCommand: {service.build_command}",
        f"    startCommand: {service.start_command}",
        *([f"    healthCheckPath: {service.health_path}"] if service.health_path else []),
    ]
    return "\n".join(lines) + "\n"
