"""Render's emulation served by itself, on a clock that tests move, and real clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.control import RenderControl
from kamiyo_verify.integrations.render.finder import RenderFinder
from kamiyo_verify.integrations.render.settings import Render as RenderSettings
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from sandbox.faults import Faults
from sandbox.outside.render import create_render
from sandbox.outside.render_services import OWNER, POSTGRES, SERVICES
from sandbox.outside.scenes import Scene
from sandbox.outside.world import World
from sandbox.platform import Secrets
from tests.contract.validator import Seen
from tests.support.serving import Wire, serving

COMMIT = "5a" * 20
IDS = {name: service.id for name, service in SERVICES.items()}
API, FRONTEND = SERVICES["api"].id, SERVICES["frontend"].id
PREFIX = "/render/v1"
TIMEOUTS = Timeouts(connect=2, answer=5, item=20)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = NOON

    def __call__(self) -> datetime:
        return self.moment

    def pass_(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def table_of(origin: str, key: str) -> RenderSettings:
    return RenderSettings(
        address=f"{origin}{PREFIX}",
        key=Credential(name="RENDER_API_KEY", value=SecretStr(key)),
        owner=OWNER,
        postgres=POSTGRES,
    )


@dataclass
class Hosting:
    """Render, living; the clients' pages are small, so that everything is paged."""

    world: World
    clock: Clock
    secrets: Secrets
    wire: Wire
    origin: str
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        table = table_of(self.origin, self.secrets.render_api_key)
        context = ClientContext(TIMEOUTS, self.exchanges.append, lambda: 20.0)
        self.render = Render(table, context, services=IDS, page_size=7)
        self.control = RenderControl(table, ClientContext(TIMEOUTS, self.exchanges.append, lambda: 20.0))
        self.finder = RenderFinder(
            table.address, table.key, ClientContext(TIMEOUTS, self.exchanges.append, lambda: 20.0)
        )

    @property
    def now(self) -> datetime:
        return self.clock()

    def ago(self, **parts: float) -> datetime:
        return self.clock() - timedelta(**parts)

    @property
    def seen(self) -> list[Seen]:
        """What went over the wire, below the address."""
        return [
            Seen(
                method=seen.method,
                target=seen.target.removeprefix(PREFIX),
                status=seen.status,
                request_headers=seen.request_headers,
                request_body=seen.request_body,
                answer_headers=seen.answer_headers,
                answer_body=seen.answer_body,
            )
            for seen in self.wire.seen
        ]


@contextmanager
def hosting(*faults: str, scene: Scene = Scene.POSTDEPLOY, deploy_s: float = 3.0) -> Iterator[Hosting]:
    """Render in that scene, with those faults on."""
    clock, secrets = Clock(), Secrets()
    world = World(Faults(faults), COMMIT, scene, deploy_s=deploy_s, clock=clock)
    wire = Wire(Starlette(routes=[Mount(PREFIX, create_render(world, secrets))]))
    with serving(wire) as origin:
        found = Hosting(world, clock, secrets, wire, origin)
        try:
            yield found
        finally:
            found.render.close()
            found.control.close()
            found.finder.close()
