"""A rollback as the tests see it: Render with a gate before it, and a project whose verdict calls for one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kamiyo_verify.integrations.render.gateway import RenderGateway
from kamiyo_verify.model.hosting.services import DeployStatus
from kamiyo_verify.model.settings import Timeouts
from sandbox.faults import Faults
from sandbox.outside.render import create_render
from sandbox.outside.render_deploys import Deploy
from sandbox.outside.render_services import OWNER
from sandbox.outside.scenes import Scene
from sandbox.outside.world import World
from sandbox.platform import Secrets
from tests.support.hosting import API, COMMIT, FRONTEND, PREFIX, table_of
from tests.support.serving import serving
from tests.support.toy_project import CONFTEST, ENVIRONMENT, FIXTURES, PYPROJECT, ROOT, RUNBOOK, SECTION

DEPLOY_S = 0.2
SETTLE_S = 0.4
POLL_S = 0.02


@dataclass(frozen=True)
class Asked:
    """One request that came to the gate, before or after Render has done as asked."""

    number: int
    method: str
    path: str
    done: bool

    @property
    def is_rollback(self) -> bool:
        return self.path.endswith("/rollback")


Keeper = Callable[[Asked], "Response | type[Cut] | None"]
"""Lets a request pass by None; answers it by something else otherwise."""


class Cut:
    """The connection ends in the middle of the answer."""


@dataclass
class Gate:
    """Stands before Render's emulation, keeps what was asked, and answers in its place where told to."""

    app: ASGIApp
    keeper: Keeper = lambda _asked: None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, method, path = len(self.asked), scope["method"], scope["path"].removeprefix(PREFIX)
        self.asked.append((method, path))
        if answer := self.keeper(Asked(number, method, path, done=False)):
            await _give(answer, scope, receive, send)
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        if answer := self.keeper(Asked(number, method, path, done=True)):
            await _give(answer, scope, receive, send)
            return
        for message in kept:
            await send(message)

    @property
    def writes(self) -> list[str]:
        """What was to change something, in order."""
        return [f"{method} {path}" for method, path in self.asked if method != "GET"]


async def _give(answer: Response | type[Cut], scope: Scope, receive: Receive, send: Send) -> None:
    if isinstance(answer, Response):
        await answer(Request(scope).scope, receive, send)
        return
    head = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"{", "more_body": False})


@dataclass
class Hoster:
    """Render, living, on the real clock."""

    world: World
    gate: Gate
    origin: str
    key: str

    @property
    def gateway(self) -> RenderGateway:
        ids = {"api": API, "frontend": FRONTEND}
        return RenderGateway(
            table_of(self.origin, self.key), ids, Timeouts(connect=SETTLE_S, answer=SETTLE_S, item=5)
        )

    def rollbacks(self, service: str) -> list[Deploy]:
        return [one for one in self.world.deploys(service) if one.trigger == "rollback"]

    def is_back(self, service: str) -> bool:
        live = self.world.live(service)
        return live is not None and live.commit.id == self.world.previous.id

    def auto_deploy(self) -> list[bool]:
        return [self.world.deploys_by_itself(service) for service in ("api", "frontend")]


@contextmanager
def hoster(*faults: str, deploy_s: float = DEPLOY_S) -> Iterator[Hoster]:
    secrets = Secrets()
    world = World(Faults(faults), COMMIT, Scene.POSTDEPLOY, deploy_s=deploy_s)
    gate = Gate(Starlette(routes=[Mount(PREFIX, create_render(world, secrets))]))
    with serving(gate) as origin:
        yield Hoster(world, gate, origin, secrets.render_api_key)


RENDER = """
[render]
address = "{origin}/render/v1"
key = "TOY_RENDER_KEY"
owner = "{owner}"
deploy_timeout_s = 10
poll_s = {poll_s}
"""

CHECKS = {
    "postdeploy/test_health.py": "assert not Path('broken').exists(), 'nobody gets an answer'",
    "rollback/test_verified.py": "Path('verified').touch()",
}
ITEMS = {"postdeploy.health": "core", "rollback.verified": "core"}


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    code: int
    out: str


class Project:
    """A project in miniature that was deployed, and is broken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def made(cls, folder: Path) -> Project:
        project = cls(folder)
        project.write("pyproject.toml", PYPROJECT)
        project.write("conftest.py", CONFTEST)
        project.write("toy_fixtures.py", FIXTURES)
        rows = [
            f'[[sections.items]]\nid = "{item}"\ntitle = "{item}"\nimpact = "{impact}"\n'
            for item, impact in ITEMS.items()
        ]
        rows[-1] += 'services = ["frontend", "api"]\n'
        project.write("runbook.toml", "\n".join([RUNBOOK, SECTION, *rows]))
        for (path, line), item in zip(CHECKS.items(), ITEMS, strict=True):
            project.write(
                f"checks/{path}",
                "from pathlib import Path\nimport pytest\n\n"
                f'@pytest.mark.item("{item}")\ndef test_it():\n    {line}\n',
            )
        project.write("broken", "")
        return project

    def copied(self, folder: Path) -> Project:
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def write(self, path: str, text: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def lives_on(self, render: Hoster, *, allow: str = "allow_rollback = true") -> None:
        control = ENVIRONMENT.replace("{control}", render.origin).replace(
            "answer = 1", f"answer = {SETTLE_S}"
        )
        table = RENDER.format(origin=render.origin, owner=OWNER, poll_s=POLL_S)
        for name, service_id in {"api": API, "frontend": FRONTEND}.items():
            header = f"[services.{name}]\n"
            control = control.replace(header, f'{header}hosting_id = "{service_id}"\n')
        self.write("environments/toy.toml", f"{allow}\n{control}{table}")
        self.key = render.key

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command of Python's -m."""
        left_out = ("PYTEST_", "COV_", "KAMIYO_LEDGER", "GITHUB_", "CI")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env={**clean, "PYTHONPATH": str(ROOT), "TOY_RENDER_KEY": self.key},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> Ended:
        process = self.start(*words)
        out, _ = process.communicate(timeout=60)
        return Ended(process.returncode, out)

    def verify(self, *arguments: str) -> Ended:
        return self.run("pytest", "-m", "postdeploy", "--env", "toy", *arguments)

    def roll_back(self, *arguments: str) -> Ended:
        words = ("rollback", "--env", "toy", "--by", "Ada", *(arguments or ("--yes",)))
        return self.run("kamiyo_verify.cli", *words)

    @property
    def report(self) -> Path:
        """The folder of the verdict that calls for the rollback."""
        [found] = [
            file.parent
            for file in (self.folder / "reports" / "toy").glob("*/verdict.json")
            if json.loads(file.read_text())["recommendation"] == "roll_back"
        ]
        return found

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.report / "rollback.jsonl").read_text().splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.report / "rollback.json").read_text())
        return found

    @property
    def verified(self) -> bool:
        return (self.folder / "verified").exists()


def statuses(render: Hoster, service: str) -> list[DeployStatus]:
    return [DeployStatus(render.world.status(one)) for one in render.rollbacks(service)]
