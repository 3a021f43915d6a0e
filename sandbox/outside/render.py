"""Render's REST API, as far as a release needs it.

Source: the OpenAPI description at api-docs.render.com; where it is unclear, recorded responses.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.outside import render_shapes as shapes
from sandbox.outside.render_databases import Databases
from sandbox.outside.render_deploys import Deploy, Status
from sandbox.outside.render_events import TYPES, happenings
from sandbox.outside.render_gate import Gate, Refusal, moment, page, several
from sandbox.outside.render_services import BY_ID, OWNER, SERVICES
from sandbox.outside.render_signals import Signals
from sandbox.outside.render_variables import Variables
from sandbox.outside.world import CannotBe, World
from sandbox.platform import Secrets

_RECENT = timedelta(hours=1)


def create_render(world: World, secrets: Secrets) -> Starlette:
    """Create the API as an application to be mounted at an address that ends in /v1."""
    render, signals, databases = _Render(world, secrets), Signals(world), Databases(world, secrets)
    gate = Gate(world, secrets.render_api_key)
    service, postgres = "/services/{service_id}", "/postgres/{postgres_id}"
    get: dict[str, Any] = {
        "/services": render.services,
        service: render.service,
        f"{service}/deploys": render.deploys,
        f"{service}/deploys/{{deploy_id}}": render.deploy,
        f"{service}/env-vars": render.variables,
        f"{service}/events": render.events,
        "/events/{event_id}": render.event,
        "/env-groups": render.groups,
        "/env-groups/{group_id}": render.group,
        "/logs": signals.logs,
        "/metrics/{name}": signals.metrics,
        "/postgres": databases.listed,
        postgres: databases.one,
        f"{postgres}/recovery": databases.recovery,
        f"{postgres}/export": databases.exports,
        f"{postgres}/connection-info": databases.connection_info,
    }
    post: dict[str, Any] = {
        f"{service}/deploys": render.trigger,
        f"{service}/deploys/{{deploy_id}}/cancel": render.cancel,
        f"{service}/rollback": render.roll_back,
    }
    return Starlette(
        routes=[
            *(Route(path, gate.guards(endpoint), methods=["GET"]) for path, endpoint in get.items()),
            *(Route(path, gate.guards(endpoint), methods=["POST"]) for path, endpoint in post.items()),
            Route(service, gate.guards(render.update), methods=["PATCH"]),
        ],
        exception_handlers={404: _not_found},
    )


class _Render:
    """Services, deploys and configuration."""

    def __init__(self, world: World, secrets: Secrets) -> None:
        self._world = world
        self._variables = Variables(world, secrets)

    async def services(self, request: Request) -> Response:
        """`GET /services`."""
        names, owners = several(request, "name"), several(request, "ownerId")
        types = several(request, "type", shapes.SERVICE_TYPES)
        rows = [
            (service.id, shapes.service(self._world, name))
            for name, service in SERVICES.items()
            if (not names or service.name in names)
            and (not owners or OWNER in owners)
            and (not types or shapes.type_of(service) in types)
        ]
        return page(request, rows, "service")

    async def service(self, request: Request) -> Response:
        """`GET /services/{id}`."""
        return JSONResponse(shapes.service(self._world, _service(request)))

    async def update(self, request: Request) -> Response:
        """`PATCH /services/{id}`, only for auto-deploy."""
        name, body = _service(request), await _body(request)
        named = {"yes": "commit", "no": "off"}.get(str(body.get("autoDeploy")))
        trigger = body.get("autoDeployTrigger", named)
        if trigger not in {"commit", "checksPass", "off"}:
            raise Refusal(400, "autoDeploy must be yes or no, autoDeployTrigger commit, checksPass or off")
        self._world.set_trigger(name, trigger)
        return JSONResponse(shapes.service(self._world, name))

    async def deploys(self, request: Request) -> Response:
        """`GET /services/{id}/deploys`, newest first."""
        statuses = several(request, "status", set(Status))
        found = self._world.deploys(_service(request))
        after = moment(
            request,
            "createdAfter",
            min((one.created_at for one in found), default=self._world.now()) - _RECENT,
        )
        before = moment(request, "createdBefore", self._world.now() + _RECENT)
        rows = [
            (deploy.id, shapes.deploy(self._world, deploy))
            for deploy in found
            if after < deploy.created_at < before and (not statuses or self._world.status(deploy) in statuses)
        ]
        return page(request, rows, "deploy")

    async def deploy(self, request: Request) -> Response:
        """`GET /services/{id}/deploys/{deployId}`."""
        return JSONResponse(
            shapes.deploy(self._world, self._found(request, request.path_params["deploy_id"]))
        )

    async def trigger(self, request: Request) -> Response:
        """`POST /services/{id}/deploys`: 201, or 202 while another deploy is in progress."""
        commit = str((await _body(request)).get("commitId", ""))
        try:
            deploy = self._world.trigger(_service(request), commit)
        except CannotBe as why:
            raise Refusal(400, str(why)) from None
        if deploy.waits_until is not None:
            return Response(status_code=202)
        return JSONResponse(shapes.deploy(self._world, deploy), 201)

    async def roll_back(self, request: Request) -> Response:
        """`POST /services/{id}/rollback`."""
        target = (await _body(request)).get("deployId")
        if not isinstance(target, str):
            raise Refusal(400, "deployId is required")
        name, deploy = _service(request), self._found(request, target)
        try:
            return JSONResponse(shapes.deploy(self._world, self._world.roll_back(name, deploy.id)), 201)
        except CannotBe as why:
            raise Refusal(400, str(why)) from None

    async def cancel(self, request: Request) -> Response:
        """`POST /services/{id}/deploys/{deployId}/cancel`."""
        name, deploy = _service(request), self._found(request, request.path_params["deploy_id"])
        try:
            return JSONResponse(shapes.deploy(self._world, self._world.cancel(name, deploy.id)))
        except CannotBe as why:
            raise Refusal(400, str(why)) from None

    async def event(self, request: Request) -> Response:
        """`GET /events/{id}`."""
        events = [event.as_json() for service in SERVICES for event in happenings(self._world, service)]
        found = next((one for one in events if one["id"] == request.path_params["event_id"]), None)
        if found is None:
            raise Refusal(404, "event not found")
        return JSONResponse(found)

    async def events(self, request: Request) -> Response:
        """`GET /services/{id}/events`, newest first."""
        types, now = several(request, "type", TYPES), self._world.now()
        start, end = moment(request, "startTime", now - _RECENT), moment(request, "endTime", now)
        rows = [
            (row["id"], row)
            for event in happenings(self._world, _service(request))
            if start <= event.timestamp <= end and (not types or event.type in types)
            for row in [event.as_json()]
        ]
        return page(request, rows, "event")

    async def variables(self, request: Request) -> Response:
        """`GET /services/{id}/env-vars`: the service's own variables, values in plain text."""
        rows = [
            (key, {"key": key, "value": value})
            for key, value in self._variables.own(_service(request)).items()
        ]
        return page(request, rows, "envVar")

    async def groups(self, request: Request) -> Response:
        """`GET /env-groups`: without their variables, and without cursors."""
        owners = several(request, "ownerId")
        known = self._variables.groups() if not owners or OWNER in owners else ()
        return JSONResponse([shapes.group(self._world, group) for group in known])

    async def group(self, request: Request) -> Response:
        """`GET /env-groups/{id}`."""
        for group in self._variables.groups():
            if group.id == request.path_params["group_id"]:
                shown = [{"key": key, "value": value} for key, value in group.variables.items()]
                return JSONResponse(shapes.group(self._world, group) | {"envVars": shown, "secretFiles": []})
        raise Refusal(404, "environment group not found")

    def _found(self, request: Request, deploy_id: str) -> Deploy:
        try:
            return self._world.find(_service(request), deploy_id)
        except LookupError:
            raise Refusal(404, "deploy not found") from None


def _service(request: Request) -> str:
    try:
        return BY_ID[request.path_params["service_id"]]
    except KeyError:
        raise Refusal(404, "service not found") from None


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise Refusal(400, "the body is no JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "the body is no object")
    return body


async def _not_found(_request: Request, _problem: Exception) -> Response:
    return JSONResponse({"message": "not found"}, 404)
