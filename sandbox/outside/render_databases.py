"""Render's managed PostgreSQL: description, connection info, recovery and exports."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.outside import render_shapes as shapes
from sandbox.outside.render_gate import Refusal, page
from sandbox.outside.render_services import POSTGRES
from sandbox.outside.render_variables import Variables
from sandbox.outside.world import World
from sandbox.platform import Secrets

_EXPORT_AGE = timedelta(hours=2)
_OLD_EXPORT_AGE = timedelta(days=4)
_RECOVERY_AGE = timedelta(days=3)


class Databases:
    """The platform's only database."""

    def __init__(self, world: World, secrets: Secrets) -> None:
        self._world = world
        self._database = Variables(world, secrets).database

    async def listed(self, request: Request) -> Response:
        """`GET /postgres`."""
        return page(request, [(POSTGRES, shapes.postgres(self._world, self._database))], "postgres")

    async def one(self, request: Request) -> Response:
        """`GET /postgres/{id}`."""
        _database(request)
        return JSONResponse(shapes.postgres(self._world, self._database))

    async def recovery(self, request: Request) -> Response:
        """`GET /postgres/{id}/recovery`."""
        _database(request)
        if "backup-too-old" in self._world.faults or "backup-missing" in self._world.faults:
            return JSONResponse({"recoveryStatus": "NOT_AVAILABLE"})
        starts_at = (self._world.now() - _RECOVERY_AGE).isoformat()
        return JSONResponse({"recoveryStatus": "AVAILABLE", "startsAt": starts_at})

    async def exports(self, request: Request) -> Response:
        """`GET /postgres/{id}/export`."""
        _database(request)
        if "backup-missing" in self._world.faults:
            return JSONResponse([])
        age = _OLD_EXPORT_AGE if "backup-too-old" in self._world.faults else _EXPORT_AGE
        made = [self._world.began_at - age, self._world.began_at - age - timedelta(days=7)]
        return JSONResponse([shapes.export(moment) for moment in made])

    async def connection_info(self, request: Request) -> Response:
        """`GET /postgres/{id}/connection-info`."""
        _database(request)
        return JSONResponse(shapes.connection_info(self._database))


def _database(request: Request) -> None:
    if request.path_params["postgres_id"] != POSTGRES:
        raise Refusal(404, "postgres not found")
