"""Pages from the ledger: `python -m plugins.pages history|retrospective|incident`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from plugins.draft import ConfigurationError
from plugins.ledger.database import LedgerUnavailable
from plugins.pages.about_one import write_incident, write_retrospective
from plugins.pages.history import write_history
from plugins.writers.inert import inert, one_line

MOST = 100
"""How many deployments of an environment the page of its history shows, unless somebody asks for more."""


_LONGEST = 4000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 2 where it could not be done."""
    asked = _parser().parse_args(arguments)
    try:
        told = asked.does(asked)
    except (ConfigurationError, LedgerUnavailable, LookupError, OSError) as error:
        sys.stderr.write(f"{inert(str(error), _LONGEST)}\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"the ledger holds what nobody can read: {one_line(str(error))}\n")
        return 2
    sys.stdout.write(f"{told}\n")
    return 0


def _history(asked: argparse.Namespace) -> str:
    return write_history(Path.cwd(), asked.env, most=asked.last)


def _retrospective(asked: argparse.Namespace) -> str:
    return write_retrospective(Path.cwd(), asked.env, asked.subject)


def _incident(asked: argparse.Namespace) -> str:
    return write_incident(Path.cwd(), asked.env, asked.subject)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plugins.pages", description="Pages from the ledger.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    what = "write reports/index.html: deployments over time, of --env or of every environment"
    history = commands.add_parser("history", help=what, description=what)
    history.add_argument("--env", default="", metavar="NAME", help="this environment only")
    history.add_argument("--last", type=_count, default=MOST, metavar="N", help=f"this many ({MOST})")
    history.set_defaults(does=_history)

    what = "draft reports/ENV/retrospective-COMMIT.md"
    look_back = commands.add_parser("retrospective", help=what, description=what)
    _about_one(look_back, "a commit, a run or its folder (the newest deployment)")
    look_back.set_defaults(does=_retrospective)

    what = "draft reports/ENV/incident-RUN.md"
    incident = commands.add_parser("incident", help=what, description=what)
    _about_one(incident, "a run, its folder or a commit (the newest run that called for a rollback or a fix)")
    incident.set_defaults(does=_incident)
    return parser


def _about_one(parser: argparse.ArgumentParser, subject: str) -> None:
    parser.add_argument("subject", nargs="?", default="", metavar="SUBJECT", help=subject)
    parser.add_argument("--env", default="sandbox", metavar="NAME", help="the environment (sandbox)")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to 10,000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
