"""The control server: switches faults and scenes over HTTP while the platform runs."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.effects import Effects
from sandbox.faults import FAULTS, UnknownFault
from sandbox.outside.scenes import Scene
from sandbox.platform import Platform


def create_control(platform: Platform, effects: Effects) -> Starlette:
    """Serve GET and DELETE /faults, POST and DELETE /faults/{name}; each responds after taking effect.

    POST /scenes/{name} starts that scene again: a deploy begins at that time. POST /pushes is a push to main.
    """
    faults = platform.faults

    def state() -> Response:
        return JSONResponse({"on": list(faults), "known": FAULTS})

    async def about(_request: Request) -> Response:
        return JSONResponse({"name": "kamiyo sandbox", "faults": "/faults"})

    async def show(_request: Request) -> Response:
        return state()

    async def switch_on(request: Request) -> Response:
        faults.switch_on(request.path_params["name"])
        await effects.apply()
        return state()

    async def switch_off(request: Request) -> Response:
        faults.switch_off(request.path_params["name"])
        await effects.apply()
        return state()

    async def clear(_request: Request) -> Response:
        faults.clear()
        await effects.apply()
        return state()

    async def set_scene(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in set(Scene):
            detail = f"no scene {name!r}; there are: {', '.join(Scene)}"
            return JSONResponse({"error": "unknown_scene", "detail": detail}, 404)
        platform.world.begin(Scene(name))
        await effects.apply()
        return JSONResponse({"scene": name})

    async def push(_request: Request) -> Response:
        return JSONResponse({"deploys": [deploy.id for deploy in platform.world.push()]})

    async def unknown(_request: Request, error: Exception) -> Response:
        return JSONResponse({"error": "unknown_fault", "detail": str(error)}, 404)

    return Starlette(
        routes=[
            Route("/", about),
            Route("/faults", show, methods=["GET"]),
            Route("/faults", clear, methods=["DELETE"]),
            Route("/faults/{name}", switch_on, methods=["POST"]),
            Route("/faults/{name}", switch_off, methods=["DELETE"]),
            Route("/scenes/{name}", set_scene, methods=["POST"]),
            Route("/pushes", push, methods=["POST"]),
        ],
        exception_handlers={UnknownFault: unknown},
    )
