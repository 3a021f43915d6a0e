"""Pages from the ledger: `kamiyo-verify history|retrospective|incident`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kamiyo_verify.cli.documents.about_one import write_incident, write_retrospective
from kamiyo_verify.cli.documents.history import write_history
from kamiyo_verify.cli.serve_options import add_serve_options, require_server
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environments import default_environment
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.reporting.inert import inert, one_line

MOST = 100
"""Default number of an environment's deployments on the history page."""


_LONGEST = 4000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 2 if it failed."""
    options = _parser().parse_args(arguments)
    try:
        description = options.does(options)
    except (ConfigurationError, LedgerUnavailable, LookupError, OSError) as error:
        sys.stderr.write(f"{inert(str(error), _LONGEST)}\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"the ledger holds what nobody can read: {one_line(str(error))}\n")
        return 2
    sys.stdout.write(f"{description}\n")
    return 0


def _history(options: argparse.Namespace) -> str:
    if options.serve:
        require_server()
        from kamiyo_verify.cli.documents.serving import serve  # noqa: PLC0415 - needs these packages

        return serve(Path.cwd(), options.env, most=options.last, bind=options.bind, port=options.port)
    return write_history(Path.cwd(), options.env, most=options.last)


def _retrospective(options: argparse.Namespace) -> str:
    return write_retrospective(Path.cwd(), _environment(options), options.subject)


def _incident(options: argparse.Namespace) -> str:
    return write_incident(Path.cwd(), _environment(options), options.subject)


def _environment(options: argparse.Namespace) -> str:
    return options.env or default_environment(Path.cwd() / "environments")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kamiyo-verify", description="Pages from the ledger.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    what = "write reports/index.html: deployments over time, of --env or of every environment"
    history = commands.add_parser("history", help=what, description=what)
    history.add_argument("--env", default="", metavar="NAME", help="this environment only")
    history.add_argument("--last", type=_count, default=MOST, metavar="N", help=f"this many ({MOST})")
    serve = "serve the page instead, made anew from the ledger, read-only, until it is stopped"
    add_serve_options(history, serve)
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
    default = "the sandbox where there is one, else the only environment"
    parser.add_argument("--env", default="", metavar="NAME", help=f"the environment ({default})")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to 10,000")
    return int(text)
