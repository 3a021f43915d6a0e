"""`kamiyo-verify rollback`: roll a deployment back at its host, after confirmation."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import ConfigurationError, default_environment, load_environment
from kamiyo_verify.config.mistakes import did_you_mean
from kamiyo_verify.config.runbook import runbook_of
from kamiyo_verify.hooks.launching import LaunchError, ready_line
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.masking.streams import mask_streams
from kamiyo_verify.model.hosting.rollback import CannotRollBack
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.processes.child import run_child
from kamiyo_verify.rollback.actor import actor
from kamiyo_verify.rollback.carrying_out import INTERRUPTED, REFUSED
from kamiyo_verify.rollback.command import RollbackRequest, roll_back
from kamiyo_verify.rollback.console import ConsoleReporter
from kamiyo_verify.rollback.context import RollbackContext
from kamiyo_verify.rollback.drill import drill

_ABOUT = """\
Takes a deployment back: auto-deploy off, one service after the other back to the deploy before, until each is
live; then the rollback phase, and the ledger. It shows the plan and asks before anything is changed.

It follows the newest verdict that calls for a rollback, as long as that is less than an hour old and still
agrees with what the host shows. Cut off half-way, it goes on from there when it is started again.

Exit codes: 0 all is back and verified; 10 all is back, and the rollback phase calls for a fix; 30 all is
back, and that phase could not tell or calls for another rollback, which a person decides; 1 not finished,
2 refused with nothing done, 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # also a CI that cancels, and a shell's background job
        signal.signal(number, signal.default_int_handler)
    root, masker = Path.cwd(), Masker()
    streams = mask_streams(masker)
    try:
        return _main(options, root, masker)
    except (CannotRollBack, ConfigurationError, LaunchError) as refused:
        sys.stderr.write(f"{'NOT DONE':<13}{refused}\n")
        return REFUSED
    except OSError as error:
        sys.stderr.write(f"{'NOT DONE':<13}{error.filename}: {error.strerror}\n")
        return REFUSED
    except KeyboardInterrupt:
        sys.stderr.write("\nINTERRUPTED  before anything was sent: nothing was done\n")
        return INTERRUPTED
    finally:
        for stream in streams:
            stream.release()


def _main(options: argparse.Namespace, root: Path, masker: Masker) -> int:
    options.env = options.env or default_environment(root / "environments")
    environment = _environment(options.env, root, options.launched)
    masker.learn(environment)
    request = _request(options)
    console = ConsoleReporter(_out, live=sys.stdout.isatty())

    def context_of(found: Environment, launched: Path | None) -> RollbackContext:
        masker.learn(found)
        return RollbackContext(
            environment=found,
            named=options.env,
            root=root,
            runbook=runbook_of(found, root),
            masker=masker,
            console=console,
            launched=launched,
            by=actor(options.by, root),
            how="by hand" if sys.stdin.isatty() else "kamiyo-verify rollback",
            run_child=lambda words: run_child(words, root),
        )

    if environment.launch is not None and options.launched is None and not request.names_a_subject:
        _refuse_unknown(request.only, environment, runbook_of(environment, root))
        return drill(
            environment.launch,
            root,
            console,
            lambda launched: context_of(_environment(options.env, root, launched), launched),
            lambda context, folder: roll_back(context, request.about(folder)),
        )
    return roll_back(context_of(environment, options.launched), request)


def _environment(name: str, root: Path, launched: Path | None) -> Environment:
    return load_environment(
        name,
        root / "environments",
        overrides={},
        variables=os.environ,
        dotenv=root / ".env",
        launched=ready_line(launched) if launched else None,
    )


def _refuse_unknown(services: Sequence[str], environment: Environment, runbook: Runbook) -> None:
    """Refuse services that the platform will not have, before it is started.

    Of a host that runs already, the host's own names count as well, and only the host knows those.

    Raises:
        CannotRollBack: one of them is neither in the environment nor in the runbook.
    """
    known = {name: runbook.services.name(name) for name in environment.hosted}
    for service in services:
        if service not in {*known, *known.values()}:
            meant = did_you_mean(service, [*known, *known.values()]) or ";"
            names = " or ".join(f"{name} ({title})" for name, title in known.items())
            raise CannotRollBack(f"there is no service {service}{meant} name {names}. Nothing was started")


def _request(options: argparse.Namespace) -> RollbackRequest:
    return RollbackRequest(
        subject=options.subject,
        dry_run=options.dry_run,
        yes=options.yes,
        only=tuple(options.service),
        to=dict(options.to),
        despite_migration=options.despite_migration,
    )


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify rollback",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--env",
        metavar="NAME",
        help="of environments/NAME.toml (default: sandbox where there is one, else the only one)",
    )
    add(
        "--from",
        dest="subject",
        type=Path,
        metavar="REPORT",
        help="follow this verdict: the folder of its report, or its verdict.json",
    )
    add("--dry-run", action="store_true", help="show the plan and the calls, and send none of them")
    add("--yes", action="store_true", help="do not ask; for where nobody can answer")
    add(
        "--service",
        action="append",
        default=[],
        metavar="NAME",
        help="take back this service alone, of those that the verdict names; may be repeated",
    )
    add(
        "--to",
        action="append",
        default=[],
        type=deploy_of,
        metavar="SERVICE=DEPLOY",
        help="without a verdict: take this service back to this deploy of its host; repeatable",
    )
    add(
        "--despite-migration",
        action="store_true",
        help="go back although the deployment changed the schema so that the code before may break on it",
    )
    add("--by", default="", metavar="WHO", help="who has it done (default: the CI's actor, or git's user)")
    add("--launched", type=Path, metavar="FILE", help="as pytest's: the ready line of a running platform")
    return parser


def deploy_of(text: str) -> tuple[str, str]:
    """Return a service and the id of one of its deploys, as its host gives it.

    Raises:
        argparse.ArgumentTypeError: the text does not have this form.
    """
    service, _, deploy = text.partition("=")
    if not (service and deploy):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form SERVICE=DEPLOY")
    return service, deploy
