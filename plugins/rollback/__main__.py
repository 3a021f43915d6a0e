"""`python -m plugins.rollback`: takes a deployment back by Render's API, after it has shown and asked."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from plugins.configuration import ConfigurationError, load_environment
from plugins.launching import LaunchError, ready_line
from plugins.masked_streams import mask_streams
from plugins.masking import Masker
from plugins.model.environment import Environment
from plugins.model.rollback import CannotRollBack
from plugins.rollback.actor import actor
from plugins.rollback.carrying_out import INTERRUPTED, REFUSED
from plugins.rollback.command import Wish, roll_back
from plugins.rollback.drill import drill
from plugins.rollback.narrator import Narrator
from plugins.rollback.processes import run_child
from plugins.rollback.scene import Scene
from plugins.runbook import runbook_of

_ABOUT = """\
Takes a deployment back: auto-deploy off, one service after the other back to the deploy before, until each is
live; then the rollback phase, and the ledger. It shows the plan and asks before anything is changed.

It follows the newest verdict that calls for a rollback, as long as that is less than an hour old and still
agrees with what Render shows. Cut off half-way, it goes on from there when it is started again.

Exit codes: 0 all is back and verified; 10 all is back, and the rollback phase calls for a fix; 30 all is
back, and that phase could not tell; 1 not finished, 2 refused with nothing done, 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    asked = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a CI that cancels, too; and a shell's background job
        signal.signal(number, signal.default_int_handler)
    root, masker = Path.cwd(), Masker()
    streams = mask_streams(masker)
    try:
        return _main(asked, root, masker)
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


def _main(asked: argparse.Namespace, root: Path, masker: Masker) -> int:
    environment = _environment(asked.env, root, asked.launched)
    masker.learn(environment)
    wish = _wish(asked)
    narrator = Narrator(_out, live=sys.stdout.isatty())

    def scene_of(found: Environment, launched: Path | None) -> Scene:
        masker.learn(found)
        return Scene(
            environment=found,
            named=asked.env,
            root=root,
            runbook=runbook_of(found, root),
            masker=masker,
            narrator=narrator,
            launched=launched,
            by=actor(asked.by, root),
            how="by hand" if sys.stdin.isatty() else "python -m plugins.rollback",
            run_child=lambda words: run_child(words, root),
        )

    if environment.launch is not None and asked.launched is None and not wish.names_a_subject:
        return drill(
            environment.launch,
            root,
            narrator,
            lambda launched: scene_of(_environment(asked.env, root, launched), launched),
            lambda scene, folder: roll_back(scene, wish.about(folder)),
        )
    return roll_back(scene_of(environment, asked.launched), wish)


def _environment(name: str, root: Path, launched: Path | None) -> Environment:
    return load_environment(
        name,
        root / "environments",
        overrides={},
        variables=os.environ,
        dotenv=root / ".env",
        launched=ready_line(launched) if launched else None,
    )


def _wish(asked: argparse.Namespace) -> Wish:
    return Wish(
        subject=asked.subject,
        dry_run=asked.dry_run,
        yes=asked.yes,
        only=tuple(asked.service),
        to=dict(asked.to),
        despite_migration=asked.despite_migration,
    )


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plugins.rollback",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--env", default="sandbox", metavar="NAME", help="of environments/NAME.toml (default: sandbox)")
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
        type=_deploy,
        metavar="SERVICE=DEPLOY",
        help="without a verdict: take this service (api, frontend) back to this deploy (dep-…); repeatable",
    )
    add(
        "--despite-migration",
        action="store_true",
        help="go back although the deployment changed the schema so that the code before may break on it",
    )
    add("--by", default="", metavar="WHO", help="who has it done (default: the CI's actor, or git's user)")
    add("--launched", type=Path, metavar="FILE", help="as pytest's: the ready line of a running platform")
    return parser


def _deploy(text: str) -> tuple[str, str]:
    service, _, deploy = text.partition("=")
    if not (service and deploy.startswith("dep-")):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form SERVICE=dep-…")
    return service, deploy


if __name__ == "__main__":
    sys.exit(main())
