"""Verify from several places at the same time, and make one call: `kamiyo-verify places run --env NAME`.

The environment file names the places, each another machine that ssh reaches, or this one:

  [places.frankfurt]
  ssh = "verify@frankfurt.example"
  folder = "/srv/verify"

  [places.here]
  local = true

Each place has the same commit of this project, kamiyo-verify, and a .env of its own: credentials are never
sent. All places run pytest at the same time; their reports are fetched, and combined as `kamiyo-verify
combine` does. A place that cannot be reached, takes too long, has another kamiyo-verify or another commit of
the checks, or whose report cannot be fetched is left out by name: that is no failure of the platform. If
fewer places are left than the quorum of [policy], the call is inconclusive. The combined call is exported as
that of a run is; the runs at the places are not.

The exit code is that of the combined call: 0 proceed, 10 hold or fix forward, 20 roll back, 30 inconclusive;
2: it was interrupted, which ends the runs at all places; 4: it cannot begin.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kamiyo_verify.cli.announcing import call_announcer
from kamiyo_verify.cli.combine import deliver, policy_of
from kamiyo_verify.cli.exporting import export_call, phases_in
from kamiyo_verify.cli.places import here as at_the_place
from kamiyo_verify.cli.places.calling import combined
from kamiyo_verify.cli.places.identity import identity_of
from kamiyo_verify.cli.places.remote import Order, Remote
from kamiyo_verify.cli.places.together import Interrupted, visit_all
from kamiyo_verify.cli.places.visit import Here, Visit
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.hooks.option_types import commit_of, duration_of
from kamiyo_verify.judge.places.votes import FEWEST
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.writing.text import visible, without_ci_commands

_OURS = (
    *("--report-dir", "--place", "--on-roll-back", "--watch", "--collect-only", "--launched"),
    *("--env", "-m", "--commit"),
)
"""Options of pytest that this command sets itself, or that would make the runs something else."""

_WITHIN_S = 1_800.0


class _Refused(Exception):
    """The command cannot begin; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class _Project:
    root: Path
    environment: Environment
    masker: Masker

    def say(self, line: str) -> None:
        """Print a line; what a place said is in it, so it is made safe."""
        text = without_ci_commands(visible(self.masker.text(line)))
        sys.stdout.write(f"{' '.join(text.splitlines())}\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subcommand."""
    words = [*(sys.argv[1:] if arguments is None else arguments)]
    if words[:1] == ["here"]:
        return at_the_place.main(words[1:])
    # The console script takes the -- away: what is not known here is pytest's, which refuses unknown words.
    asked, more = _parser().parse_known_args([word for word in words if word != "--"])
    masker = Masker()
    try:
        return _run(asked, more, Path.cwd(), masker)
    except (_Refused, ConfigurationError, OSError) as problem:
        sys.stderr.write(f"{visible(masker.text(str(problem)))}\n")
        return int(ExitCode.USAGE_ERROR)


def _run(asked: argparse.Namespace, more: Sequence[str], root: Path, masker: Masker) -> int:
    environment = load_environment(
        asked.env, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
    )
    masker.learn(environment)
    _require(environment, more)
    project, policy = _Project(root, environment, masker), policy_of(asked.policy)
    within_s = _within(asked.within, policy.places_within_min * 60)
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    order = Order(
        environment=asked.env,
        mark=asked.mark,
        commit=asked.commit or "",
        within_s=within_s,
        folder=f"reports/{environment.name}/{stamp}-place",
        more=tuple(more),
    )
    remotes = [Remote(name, settings, root) for name, settings in environment.places.items()]
    if asked.plan:
        return _show(project, remotes, order)
    output = (asked.output or root / "reports" / environment.name / f"places-{stamp}").resolve()
    if output.exists() and any(output.iterdir()):
        raise _Refused(f"--output {output}: is not empty; name a new folder, so that no old report counts")
    output.mkdir(parents=True, exist_ok=True)
    known = Here(
        environment=environment.name,
        identity=identity_of(root),
        variables=os.environ,
        secrets=frozenset(credential.name for credential in environment.secrets.values()),
        folder=output,
        max_age=timedelta(minutes=policy.places_within_min),
    )
    visits = [Visit(remote, order, known) for remote in remotes]
    words = [*more, *([] if asked.notify is None else ["--notify" if asked.notify else "--no-notify"])]
    phases = phases_in([order.mark])
    announcer = call_announcer(
        environment,
        asked.policy or root / "runbook.toml",
        masker.text,
        words,
        phases=phases,
        commit=order.commit,
        page=output / "places.md",
    )
    if announcer is not None:
        announcer.begin()
    try:
        visit_all(visits, within_s, project.say)
    except Interrupted as interrupted:
        project.say(f"INTERRUPTED  no call was made; {interrupted}")
        return int(ExitCode.INTERRUPTED)
    verdict = combined(visits, environment, policy, masker, order)
    deliver(verdict, output)
    for line in export_call(environment, verdict, words, output, phases):
        project.say(line)
    if announcer is not None and (problem := announcer.finish(verdict)):
        project.say(f"Notify       not sent; the call does not change: {problem}")
    return verdict.exit_code


def _within(asked_s: float | None, most_s: float) -> float:
    """Return how long a place may take, in seconds; by default at most as long as a run counts.

    Raises:
        _Refused: it is longer than that.
    """
    if asked_s is not None and asked_s > most_s:
        raise _Refused(
            f"--within is longer than the {most_s / 60:g} minutes of [policy] places_within_min:"
            " the first runs would be too old to be combined with the last"
        )
    return asked_s or min(_WITHIN_S, most_s)


def _require(environment: Environment, more: Sequence[str]) -> None:
    """Require at least two places, and no option that would make a run something else.

    Raises:
        _Refused: there are fewer, or there is one.
    """
    if len(environment.places) < FEWEST:
        raise _Refused(
            f"{environment.name}: {FEWEST} places are the fewest, and its file has"
            f" {len(environment.places)}: each is a table [places.NAME], with ssh and folder, or local = true"
        )
    for word in more:
        if re.match(r"--?[a-z-]+", word) and word.partition("=")[0] in _OURS:
            raise _Refused(f"{word.partition('=')[0]} cannot be given for the runs at the places")


def _show(project: _Project, remotes: Sequence[Remote], order: Order) -> int:
    for remote in remotes:
        project.say(f"{remote.name}: {remote.address}")
        project.say(f"  run    {shlex.join(remote.run_command(order))}")
        project.say(f"  fetch  {shlex.join(remote.fetch_command(order))}")
    project.say("Nothing was run. Credentials are not sent: each place reads its own environment and .env.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify places",
        usage="kamiyo-verify places run --env NAME [options] [-- ARG …]",
        allow_abbrev=False,
        description=__doc__,
        epilog="after --: further arguments of pytest for the run at each place",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("run", choices=("run",), help="run at all places of the environment")
    add("--env", required=True, metavar="NAME", help="the environment, with a table [places.NAME] for each")
    add("-m", dest="mark", default="postdeploy", metavar="EXPR", help="what is run (default: postdeploy)")
    add("--commit", type=commit_of, metavar="SHA", help="the commit that should be answering")
    within = "the most that a place may take, after which it is left out (default: 30m, or places_within_min)"
    add("--within", type=duration_of, metavar="TIME", help=within)
    quorum = "the runbook.toml with [policy] places_quorum and places_within_min (default: ./runbook.toml)"
    add("--policy", type=Path, metavar="FILE", help=quorum)
    written = "write the reports and the combined call here; default: reports/<env>/places-<time>/"
    add("--output", type=Path, metavar="DIR", help=written)
    sent = (
        "send the combined call to channels and other systems, whatever the phase, or do not; default: as"
        " [notifications] and [exports] say"
    )
    add("--notify", action=argparse.BooleanOptionalAction, help=sent)
    shown = "show the commands, and run nothing"
    add("--plan", "--dry-run", dest="plan", action="store_true", help=shown)
    return parser
