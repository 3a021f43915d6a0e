"""`kamiyo-verify render-ids`: print the Render ids of the services for an environment file."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr

from kamiyo_verify.config.dotenv_file import read_dotenv
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.finder import RenderFinder
from kamiyo_verify.integrations.render.shapes import Service
from kamiyo_verify.model.hosting.data import Postgres
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.reporting.inert import one_line

_ADDRESS = "https://api.render.com/v1"
_VARIABLE = "RENDER_API_KEY"
_KAMIYO = {name: f"kamiyo-{name}" for name in ("api", "frontend", "aggregator", "social-watcher")}


class NotFound(Exception):
    """A service does not exist; the message lists those that do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 2 if it failed."""
    options = _parser().parse_args(arguments)
    try:
        variables = {**read_dotenv(Path(".env")), **os.environ}
    except ConfigurationError as why:
        sys.stderr.write(f"{why}\n")
        return 2
    value = (variables.get(options.key) or "").strip()
    if not value:
        sys.stderr.write(
            f"{options.key} is not set: make a key in Render's account settings, and export it\n"
        )
        return 2
    key = Credential(name=options.key, value=SecretStr(value))
    timeouts = Timeouts()
    finder = RenderFinder(options.address, key, ClientContext.unrecorded(timeouts, lambda: timeouts.answer))
    try:
        seen = {service.name: service for service in finder.services()}
        found = {name: _service(seen, at_render) for name, at_render in _wanted(options).items()}
        for line in _tables(options.key, found, finder.databases()):
            sys.stdout.write(f"{line}\n")
    except (NoAnswer, NotFound) as why:
        sys.stderr.write(f"{why}\n")
        return 2
    finally:
        finder.close()
    return 0


def _wanted(options: argparse.Namespace) -> dict[str, str]:
    """Return the services' names on Render by their names here, from the command line or runbook.toml."""
    shorthands = {"api": options.api, "frontend": options.frontend}
    named = dict(options.service) | {name: at_render for name, at_render in shorthands.items() if at_render}
    return _of_runbook(Path("runbook.toml")) | named


def _of_runbook(path: Path) -> dict[str, str]:
    try:
        names = tomllib.loads(path.read_text(encoding="utf-8-sig"))["services"]["names"]
        return {str(name): str(at_render) for name, at_render in names.items()}
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return dict(_KAMIYO)  # the default if no runbook can be read


def _service(seen: Mapping[str, Service], name: str) -> Service:
    if name not in seen:
        known = ", ".join(one_line(each, 60) for each in sorted(seen)[:20]) or "none at all"
        raise NotFound(
            f"the key sees no service {name!r}; it sees: {known}. Name them: --service NAME={name}, where"
            " NAME is that of [services.NAME], and behind the = stands Render's name"
        )
    return seen[name]


def _tables(key: str, found: Mapping[str, Service], databases: Sequence[Postgres]) -> Iterator[str]:
    for name, service in found.items():
        yield f"[services.{name}]"
        yield f'hosting_id = "{one_line(service.id, 60)}"  # {one_line(service.name, 60)}'
        yield ""
    yield "[render]"
    yield f'key = "{key}"'
    owner = next((service.owner_id for service in found.values()), "")
    yield f'owner = "{one_line(owner, 60)}"'
    for number, database in enumerate(databases):
        choice = "# or: " if number else ""
        yield f'{choice}postgres = "{one_line(database.id, 60)}"  # {one_line(database.name, 60)}'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify render-ids",
        description="Ask Render for the ids of our services; prints hosting_id of each [services.NAME], and"
        " [render], for an environment file.",
    )
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        type=_named,
        metavar="NAME=RENDER_NAME",
        help="a service, and what it is called on Render; repeatable (default: services.names of"
        " runbook.toml)",
    )
    parser.add_argument("--api", default="", metavar="NAME", help="short for --service api=NAME")
    parser.add_argument("--frontend", default="", metavar="NAME", help="short for --service frontend=NAME")
    what = f"the variable that holds an API key, in the environment or in .env ({_VARIABLE})"
    parser.add_argument("--key", default=_VARIABLE, metavar="VARIABLE", help=what)
    parser.add_argument("--address", default=_ADDRESS, metavar="URL", help=f"of the API ({_ADDRESS})")
    return parser


def _named(text: str) -> tuple[str, str]:
    name, _, at_render = text.partition("=")
    if not (re.fullmatch(r"[a-z][a-z0-9-]*", name) and at_render):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=RENDER_NAME")
    return name, at_render
