"""Notify a team's channels manually: `kamiyo-verify notify test|start --env NAME`.

`test` shows whether each channel works. `start` announces a deployment before it begins, as the runbook
requires. A run announces its own start and end itself.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import ConfigurationError, load_environment, load_runbook
from kamiyo_verify.hooks.session_end.notifications import deployment, masked
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.notifications import Message
from kamiyo_verify.model.words import Phase
from kamiyo_verify.notifications import announcements
from kamiyo_verify.notifications.channels import Channels
from kamiyo_verify.reporting import words

TAKEN, NOT_TAKEN, USAGE = 0, 1, 2
"""Exit codes: every channel accepted the message, at least one did not, wrong usage."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    root = Path.cwd()
    try:
        environment = load_environment(
            options.env, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
        )
        message = options.says(options, environment, root)
    except ConfigurationError as error:
        return _refuse(str(error))
    if not environment.notifications.channels:
        return _refuse(
            f"{options.env} has no channels: write the names of variables that hold their addresses as "
            f'channels = ["…"] in [notifications] of environments/{options.env}.toml'
        )
    masker = Masker()
    masker.learn(environment)
    channels = Channels(environment.notifications)
    channels.tell(masked(message, masker.text))
    deliveries = channels.deliveries()
    for one in deliveries:
        sys.stdout.write(masker.text(f"{one}: {one.problem or 'told'}") + "\n")
    return NOT_TAKEN if any(one.problem for one in deliveries) else TAKEN


def _test(_options: argparse.Namespace, environment: Environment, _root: Path) -> Message:
    return announcements.trial(deployment(environment), words.moment(datetime.now(UTC).isoformat()))


def _start(options: argparse.Namespace, environment: Environment, root: Path) -> Message:
    known = deployment(environment, (Phase.DEPLOY,), commit=options.commit, branch=options.branch)
    return announcements.start(load_runbook(root / "runbook.toml"), known)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kamiyo-verify notify", description="Tell a team's channels.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, says, what in (
        ("test", _test, "send a message that means nothing, to see which channels work"),
        ("start", _start, "announce that a deployment is about to begin"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--env", required=True, metavar="NAME", help="the environment whose channels")
        command.set_defaults(says=says)
        if says is _start:
            command.add_argument("--commit", default="", metavar="SHA", help="what will be deployed")
            command.add_argument("--branch", default="", metavar="NAME", help="and from which branch")
    return parser


def _refuse(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return USAGE
