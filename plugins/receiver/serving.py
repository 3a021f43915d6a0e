"""The receiver's command line, and everything put together."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uvicorn

from plugins.clients.github_control import GitHubControl
from plugins.clients.readable import readable
from plugins.clients.render import Render
from plugins.configuration import load_environment
from plugins.draft import ConfigurationError
from plugins.masking import Masker
from plugins.model.environment import Environment
from plugins.model.outside import GitHub
from plugins.model.outside import Render as Hosting
from plugins.model.tables import Credential
from plugins.receiver.app import PATH, create_app
from plugins.receiver.door import Door
from plugins.receiver.memory import Memory
from plugins.receiver.starting import Command, Dispatch, Start
from plugins.receiver.worker import WANTED, Worker

_AT_ONCE = 64
_HEADERS_BYTES = 16 * 1024
_QUESTION_S = 60.0


def serve(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end; returns 0, or 2 where it could not begin."""
    asked = _parser().parse_args(arguments)
    try:
        environment = load_environment(
            asked.env, Path("environments"), overrides={}, variables=os.environ, dotenv=Path(".env")
        )
        hosting = _hosting(environment, asked, os.environ)
        door = _door(asked, os.environ)
        memory = Memory(Path(asked.state) if asked.state else None, time.time)
    except (ConfigurationError, ValueError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    masker = Masker((environment.name,))
    masker.learn(environment)
    own = {name: os.environ.get(name, "") for name in (asked.secret_name, asked.token_name)}
    masker.learn_values({name: value for name, value in own.items() if value})

    def say(line: str) -> None:
        sys.stdout.write(masker.text(readable(line, longest=600)) + "\n")
        sys.stdout.flush()

    render = Render(hosting, timeouts=environment.timeouts, record=lambda _: None, remaining=_question)
    start = _start(environment, asked, say)
    worker = Worker(render, memory, start, within_s=hosting.deploy_timeout_s, say=say)
    app = create_app(door, memory, services=set(hosting.services.values()), take=worker.take, say=say)
    worker.begin()
    say(f"waiting for {WANTED} of {environment.name} at http://{asked.host}:{asked.port}{PATH}")
    try:
        uvicorn.run(
            app,
            host=asked.host,
            port=asked.port,
            http="h11",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_AT_ONCE,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=_HEADERS_BYTES,
        )
    finally:
        worker.end()
        render.close()
    return 0


def _question() -> float:
    return _QUESTION_S


def _hosting(environment: Environment, asked: argparse.Namespace, variables: Mapping[str, str]) -> Hosting:
    """The environment's [render], when everything else is there too.

    Raises:
        ValueError: with all that is missing, by name.
    """
    hosting, missing = environment.render, []
    if hosting is None:
        missing.append(f"[render] of environments/{environment.name}.toml")
    elif not hosting.key.present:
        missing.append(hosting.key.name)
    needed = [asked.secret_name] + ([] if asked.command else [asked.token_name])
    missing += [name for name in needed if not variables.get(name, "").strip()]
    if not asked.command and not _repository(environment, asked):
        missing.append("--repository, or [github] of the environment")
    if missing or hosting is None:
        raise ValueError(f"the receiver needs: {', '.join(missing)}")
    return hosting


def _door(asked: argparse.Namespace, variables: Mapping[str, str]) -> Door:
    try:
        return Door(variables[asked.secret_name].split(), WANTED)
    except ValueError as problem:
        raise ValueError(f"{asked.secret_name}: {problem}") from None


def _repository(environment: Environment, asked: argparse.Namespace) -> str:
    return asked.repository or (environment.github.repository if environment.github else "")


def _start(environment: Environment, asked: argparse.Namespace, say: Callable[[str], None]) -> Start:
    if asked.command:
        hidden = {asked.secret_name, asked.token_name}
        variables = {name: value for name, value in os.environ.items() if name not in hidden}
        return Command(shlex.split(asked.command), environment.name, variables, say)
    token = Credential.model_validate({"name": asked.token_name, "value": os.environ[asked.token_name]})
    address = {"address": environment.github.address} if environment.github else {}
    table = GitHub.model_validate({**address, "repository": _repository(environment, asked), "token": token})
    control = GitHubControl(table, timeouts=environment.timeouts, record=lambda _: None, remaining=_question)
    return Dispatch(control, environment.name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plugins.receiver",
        description=f"Takes Render's webhook {WANTED} at {PATH}, and starts a verification for each"
        " deployment: by GitHub's repository_dispatch, or by --command.",
    )
    add = parser.add_argument
    add("--env", required=True, metavar="NAME", help="the environment, whose [render] names the services")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="default: PORT, or 8000")
    add("--state", default="", metavar="FILE", help="remember here what was received, over restarts")
    add(
        "--secret-name",
        default="RENDER_WEBHOOK_SECRET",
        metavar="NAME",
        help="the variable of the signing secret; two, with a space between, while one replaces the other"
        " (default: %(default)s)",
    )
    add(
        "--token-name",
        default="GITHUB_DISPATCH_TOKEN",
        metavar="NAME",
        help="the variable of a GitHub token with Contents: write (default: %(default)s)",
    )
    add("--repository", default="", metavar="OWNER/NAME", help="whose workflow is started")
    add(
        "--command",
        default="",
        metavar="COMMAND",
        help="run this instead of asking GitHub; {commit}, {environment} and {python} are replaced",
    )
    return parser
