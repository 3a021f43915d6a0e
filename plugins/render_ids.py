"""`python -m plugins.render_ids`: the [render] table of an environment file, as Render itself knows it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from plugins.clients.render_finder import RenderFinder
from plugins.model.environment import Timeouts
from plugins.model.hosting import Service
from plugins.model.hosting_data import Postgres
from plugins.model.outcomes import NoAnswer
from plugins.model.tables import Credential
from plugins.writers.inert import one_line

_ADDRESS = "https://api.render.com/v1"
_VARIABLE = "RENDER_API_KEY"


class NotFound(Exception):
    """What was asked for is not there; the message says what is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 2 where it could not be done."""
    asked = _parser().parse_args(arguments)
    variables = {**dotenv_values(Path(".env"), interpolate=False), **os.environ}
    value = (variables.get(asked.key) or "").strip()
    if not value:
        sys.stderr.write(f"{asked.key} is not set: make a key in Render's account settings, and export it\n")
        return 2
    key = Credential(name=asked.key, value=SecretStr(value))
    finder = RenderFinder(asked.address, key, timeouts=Timeouts(), record=lambda _: None)
    try:
        services = {service.name: service for service in finder.services()}
        api, frontend = (_service(services, name) for name in (asked.api, asked.frontend))
        for line in _table(asked.key, api, frontend, finder.databases()):
            sys.stdout.write(f"{line}\n")
    except (NoAnswer, NotFound) as why:
        sys.stderr.write(f"{why}\n")
        return 2
    finally:
        finder.close()
    return 0


def _service(services: Mapping[str, Service], name: str) -> Service:
    if name not in services:
        known = ", ".join(one_line(each, 60) for each in sorted(services)[:20]) or "none at all"
        raise NotFound(
            f"the key sees no web service {name!r}; it sees: {known}. Name them: --api, --frontend"
        )
    return services[name]


def _table(key: str, api: Service, frontend: Service, databases: Sequence[Postgres]) -> Iterator[str]:
    yield "[render]"
    yield f'key = "{key}"'
    yield f'owner = "{one_line(api.owner_id, 60)}"'
    yield f'api_service = "{one_line(api.id, 60)}"  # {one_line(api.name, 60)}'
    yield f'frontend_service = "{one_line(frontend.id, 60)}"  # {one_line(frontend.name, 60)}'
    for number, database in enumerate(databases):
        choice = "# or: " if number else ""
        yield f'{choice}postgres = "{one_line(database.id, 60)}"  # {one_line(database.name, 60)}'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plugins.render_ids",
        description="Ask Render for the ids of our services; prints an environment file's [render].",
    )
    parser.add_argument("--api", default="kamiyo-api", metavar="NAME", help="the API's service (kamiyo-api)")
    what = "the frontend's service (kamiyo-frontend)"
    parser.add_argument("--frontend", default="kamiyo-frontend", metavar="NAME", help=what)
    what = f"the variable that holds an API key, in the environment or in .env ({_VARIABLE})"
    parser.add_argument("--key", default=_VARIABLE, metavar="VARIABLE", help=what)
    parser.add_argument("--address", default=_ADDRESS, metavar="URL", help=f"of the API ({_ADDRESS})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
