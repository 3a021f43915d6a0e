"""Command line of the receiver; connects its parts and runs the server."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uvicorn

from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.readable import readable
from kamiyo_verify.integrations.github.control import GitHubControl
from kamiyo_verify.integrations.github.settings import GitHub
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.settings import Render as Hosting
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.webhook.app import PATH, create_app
from kamiyo_verify.webhook.connections import Limits, bounded
from kamiyo_verify.webhook.door import Door
from kamiyo_verify.webhook.memory import Memory
from kamiyo_verify.webhook.starting import Command, Dispatch, Start
from kamiyo_verify.webhook.worker import WANTED, Worker

_HEADERS_BYTES = 16 * 1024
_QUESTION_S = 60.0


def serve(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; return 0, or 2 if the server could not start."""
    options = _parser().parse_args(arguments)
    try:
        environment = load_environment(
            options.env, Path("environments"), overrides={}, variables=os.environ, dotenv=Path(".env")
        )
        hosting = _hosting(environment, options, os.environ)
        door = _door(options, os.environ)
        memory = Memory(Path(options.state) if options.state else None, time.time)
    except (ConfigurationError, ValueError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    masker = Masker((environment.name,))
    masker.learn(environment)
    own = {name: os.environ.get(name, "") for name in (options.secret_name, options.token_name)}
    masker.learn_values({name: value for name, value in own.items() if value})

    def say(line: str) -> None:
        sys.stdout.write(masker.text(readable(line, longest=600)) + "\n")
        sys.stdout.flush()

    render = Render(hosting, ClientContext.unrecorded(environment.timeouts, _question))
    start = _start(environment, options, say)
    worker = Worker(render, memory, start, within_s=hosting.deploy_timeout_s, say=say)
    app = create_app(door, memory, services=set(environment.hosted.values()), take=worker.take, say=say)
    worker.begin()
    say(f"waiting for {WANTED} of {environment.name} at http://{options.host}:{options.port}{PATH}")
    try:
        uvicorn.run(
            app,
            host=options.host,
            port=options.port,
            http=bounded(Limits(per_address=options.per_address)),
            # One request a connection, so that each place is free again soon.
            headers=[("Connection", "close")],
            log_config=None,
            access_log=False,
            server_header=False,
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


def _hosting(environment: Environment, options: argparse.Namespace, variables: Mapping[str, str]) -> Hosting:
    """Return the environment's [render] if all required settings are present.

    Raises:
        ValueError: settings are missing; the message names all of them.
    """
    hosting, missing = environment.render, []
    if hosting is None:
        missing.append(f"[render] of environments/{environment.name}.toml")
    elif not hosting.key.present:
        missing.append(hosting.key.name)
    needed = [options.secret_name] + ([] if options.command else [options.token_name])
    missing += [name for name in needed if not variables.get(name, "").strip()]
    if not options.command and not _repository(environment, options):
        missing.append("--repository, or [github] of the environment")
    if missing or hosting is None:
        raise ValueError(f"the receiver needs: {', '.join(missing)}")
    return hosting


def _door(options: argparse.Namespace, variables: Mapping[str, str]) -> Door:
    try:
        return Door(variables[options.secret_name].split(), WANTED)
    except ValueError as problem:
        raise ValueError(f"{options.secret_name}: {problem}") from None


def _repository(environment: Environment, options: argparse.Namespace) -> str:
    return options.repository or (environment.github.repository if environment.github else "")


def _start(environment: Environment, options: argparse.Namespace, say: Callable[[str], None]) -> Start:
    if options.command:
        hidden = {options.secret_name, options.token_name}
        variables = {name: value for name, value in os.environ.items() if name not in hidden}
        return Command(shlex.split(options.command), environment.name, variables, say)
    token = Credential.model_validate({"name": options.token_name, "value": os.environ[options.token_name]})
    address = {"address": environment.github.address} if environment.github else {}
    table = GitHub.model_validate(
        {**address, "repository": _repository(environment, options), "token": token}
    )
    control = GitHubControl(table, ClientContext.unrecorded(environment.timeouts, _question))
    return Dispatch(control, environment.name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify webhook",
        description=f"Takes Render's webhook {WANTED} at {PATH}, and starts a verification for each"
        " deployment: by GitHub's repository_dispatch, or by --command.",
    )
    add = parser.add_argument
    add("--env", required=True, metavar="NAME", help="the environment, whose [render] names the services")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="default: PORT, or 8000")
    add(
        "--per-address",
        type=int,
        default=Limits().per_address,
        metavar="N",
        help="connections of one address at once; 0 for no bound, where all come through one proxy"
        " (default: %(default)s)",
    )
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
