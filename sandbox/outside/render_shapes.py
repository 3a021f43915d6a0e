"""The world's data in Render's JSON format."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.outside.render_deploys import Deploy, identifier
from sandbox.outside.render_services import (
    BRANCH,
    OWNER,
    POSTGRES,
    POSTGRES_NAME,
    POSTGRES_PLAN,
    REGION,
    REPOSITORY,
    SERVICES,
    Service,
)
from sandbox.outside.render_variables import DatabaseAddress, Group
from sandbox.outside.world import World

SERVICE_TYPES = frozenset({"static_site", "web_service", "private_service", "background_worker", "cron_job"})

_AGE = timedelta(days=400)


def type_of(service: Service) -> str:
    """Return the service's type in Render's terms."""
    return "web_service" if service.public else "background_worker"


def _short_type(service: Service) -> str:
    return "web" if service.public else "worker"


def service(world: World, name: str) -> dict[str, Any]:
    """Return a service as JSON."""
    set_up = SERVICES[name]
    suspended = "service-suspended" in world.faults and name == "api"
    return {
        "id": set_up.id,
        "autoDeploy": "yes" if world.deploys_by_itself(name) else "no",
        "autoDeployTrigger": world.trigger_of(name),
        "branch": BRANCH,
        "createdAt": _text(world.began_at - _AGE),
        "dashboardUrl": f"https://dashboard.render.com/{_short_type(set_up)}/{set_up.id}",
        "name": set_up.name,
        "notifyOnFail": "default",
        "ownerId": OWNER,
        "repo": REPOSITORY,
        "rootDir": set_up.root_dir,
        "slug": set_up.name,
        "suspended": "suspended" if suspended else "not_suspended",
        "suspenders": ["user"] if suspended else [],
        "type": type_of(set_up),
        "updatedAt": _text(max((one.created_at for one in world.deploys(name)), default=world.began_at)),
        "serviceDetails": _details(set_up, disagrees="blueprint-disagrees" in world.faults and name == "api"),
    }


def _details(set_up: Service, *, disagrees: bool) -> dict[str, Any]:
    details: dict[str, Any] = {
        "buildPlan": "starter",
        "env": set_up.runtime,
        "envSpecificDetails": {"buildCommand": set_up.build_command, "startCommand": set_up.start_command},
        "numInstances": 1,
        "plan": "free" if disagrees else set_up.plan,
        "previews": {"generation": "off"},
        "pullRequestPreviewsEnabled": "no",
        "region": REGION,
        "runtime": set_up.runtime,
        "sshAddress": f"{set_up.id}@ssh.{REGION}.render.com",
    }
    if set_up.public:
        details |= {
            "healthCheckPath": "/healthz" if disagrees else set_up.health_path,
            "ipAllowList": None,
            "maintenanceMode": {"enabled": False, "uri": ""},
            "openPorts": [{"port": set_up.port, "protocol": "TCP"}],
            "url": f"https://{set_up.name}.onrender.com",
        }
    return details


def deploy(world: World, asked: Deploy) -> dict[str, Any]:
    """Return a deploy as JSON; unknown values are null."""
    now, course = world.now(), world.course(asked)
    began, ends_at = course.began_at, course.ends_at
    return {
        "id": asked.id,
        "commit": {
            "id": asked.commit.id,
            "message": asked.commit.message,
            "createdAt": _text(asked.commit.created_at),
        },
        "status": world.status(asked).value,
        "trigger": asked.trigger,
        "createdAt": _text(asked.created_at),
        "updatedAt": _text(course.changed_at(now)),
        "startedAt": _text(began) if began <= now else None,
        "finishedAt": _text(ends_at) if ends_at is not None and ends_at <= now else None,
    }


def group(world: World, known: Group) -> dict[str, Any]:
    """Return an environment group as JSON, without its variables."""
    made = _text(world.began_at - known.age)
    return {
        "id": known.id,
        "name": known.name,
        "ownerId": OWNER,
        "createdAt": made,
        "updatedAt": made,
        "serviceLinks": [
            {"id": SERVICES[name].id, "name": SERVICES[name].name, "type": _short_type(SERVICES[name])}
            for name in known.services
        ],
    }


def postgres(world: World, database: DatabaseAddress) -> dict[str, Any]:
    """Return the database as JSON. Real responses have no `project`, and null for an empty `ipAllowList`."""
    suspended = "postgres-suspended" in world.faults
    made = _text(world.began_at - _AGE)
    return {
        "createdAt": made,
        "dashboardUrl": f"https://dashboard.render.com/d/{POSTGRES}",
        "databaseName": database.name,
        "databaseUser": database.user,
        "diskAutoscalingEnabled": False,
        "diskSizeGB": 15,
        "highAvailabilityEnabled": False,
        "id": POSTGRES,
        "ipAllowList": None,
        "name": POSTGRES_NAME,
        "owner": {"email": "ops@sandbox.invalid", "id": OWNER, "name": "Kamiyo", "type": "team"},
        "plan": POSTGRES_PLAN,
        "readReplicas": [],
        "region": REGION,
        "role": "primary",
        "status": "suspended" if suspended else "available",
        "suspended": "suspended" if suspended else "not_suspended",
        "suspenders": ["billing"] if suspended else [],
        "updatedAt": made,
        "version": "16",
    }


def export(made_at: datetime) -> dict[str, Any]:
    """Return a backup as JSON."""
    name = identifier("exp", made_at.isoformat())
    return {
        "id": name,
        "createdAt": _text(made_at),
        "url": f"https://backups.sandbox.invalid/{name}?signature=x",
    }


def connection_info(database: DatabaseAddress) -> dict[str, Any]:
    """Return the connection info of the database as JSON, including passwords."""
    host = f"{POSTGRES}.{REGION}-postgres.render.com"
    return {
        "externalConnectionString": database.external,
        "internalConnectionString": database.internal,
        "password": database.password,
        "psqlCommand": f"PGPASSWORD={database.password} psql -h {host} -U {database.user} {database.name}",
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
