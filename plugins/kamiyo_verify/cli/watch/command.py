"""Watch a deployment for a while: `kamiyo-verify watch --env NAME --for 30m [--every 60s]`.

Short ordinary runs of pytest ("rounds") are made at a low rate, each with its own report. All of their
samples are pooled and judged by sequences that may be looked at after every round. What one round finds and
the pool does not prove is looked at again at once, and is never a rollback by itself. A rollback that is
proven and confirmed ends the watch at once. It only says so: nothing is rolled back.

The exit code is that of the final call: 0 proceed, 10 hold or fix forward, 20 roll back, 30 inconclusive;
2 if it was interrupted. The same command with the same --report-dir goes on with a watch that was
interrupted or killed. With --serve the state is also a page, and /metrics for Prometheus, until it ends.
The final call is announced in channels and exported once, as that of a run is; the rounds are not.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kamiyo_verify.cli.serve_options import OPEN_TO_ALL, add_serve_options, require_server
from kamiyo_verify.cli.watch.exporting import watch_exported
from kamiyo_verify.cli.watch.rounds import RoundRefused, Rounds
from kamiyo_verify.cli.watch.watching import Watching
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.config.runbook import runbook_of
from kamiyo_verify.evidence.lock import FolderLock
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.evidence.watch_journal import FILE, BadJournal, WatchJournal
from kamiyo_verify.hooks.option_types import commit_of, duration_of
from kamiyo_verify.judge.watch.schedule import most_rounds
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.history.watch import WatchPlan, WatchState, WatchView
from kamiyo_verify.model.writing.text import visible
from kamiyo_verify.processes.terminate import interrupted_by_terminate

_EVERY_S = 60.0
_MOST_ROUNDS = 1_000
_OURS = ("--on-roll-back", "--plan", "--baseline", "--collect-only")
"""Options of pytest that would make a round something else."""


class _Refused(Exception):
    """The watch cannot begin; the message gives the reason."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch; return the exit code of the final call."""
    words = [*(sys.argv[1:] if arguments is None else arguments)]
    # The console script takes the -- away: what is not known here is pytest's, which refuses unknown words.
    asked, more = _parser().parse_known_args([word for word in words if word != "--"])
    masker = Masker()
    try:
        return _watch(asked, more, Path.cwd(), masker)
    except (_Refused, BadJournal, ConfigurationError, RoundRefused, LookupError, OSError) as problem:
        sys.stderr.write(f"{visible(masker.text(str(problem)))}\n")
        return int(ExitCode.USAGE_ERROR)


def _watch(asked: argparse.Namespace, more: Sequence[str], root: Path, masker: Masker) -> int:
    environment = load_environment(
        asked.env, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
    )
    masker.learn(environment)
    plan, confidence = _plan(asked, more, environment, root, masker)
    folder = (asked.report_dir or root / "reports" / plan.environment / f"watch-{_stamp(plan)}").resolve()

    def say(line: str) -> None:
        sys.stdout.write(f"{visible(masker.text(line))}\n")
        sys.stdout.flush()

    with _served(asked, folder, masker, say) as show, _held(folder):
        journal = WatchJournal(folder, plan, masker)
        _check_same(journal, plan)
        rounds = Rounds(folder, root, _round_arguments(asked, more), os.environ)
        count = len(journal.rounds)
        say(f"watch · {folder}" + (f" · goes on after round {count}" if journal.continued else ""))
        try:
            state = _run(Watching(folder, journal, confidence, rounds, say, show=show), say)
        except RoundRefused:
            if not journal.rounds:  # nothing was watched: the corrected command may use this folder
                shutil.rmtree(folder / "rounds", ignore_errors=True)
                (folder / FILE).unlink(missing_ok=True)
            raise
        if state is None:
            return int(ExitCode.INTERRUPTED)
        words = [*more, *([] if asked.notify is None else ["--notify" if asked.notify else "--no-notify"])]
        runbook = root / "runbook.toml"
        for line in watch_exported(environment, folder, journal.plan, state, words, masker, runbook):
            say(line)
        return state.final.exit_code


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other watches out of the folder for the length of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(folder)
    if not lock.held:
        raise _Refused(f"--report-dir {folder}: another watch writes there")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _served(
    asked: argparse.Namespace, folder: Path, masker: Masker, say: Callable[[str], None]
) -> Iterator[Callable[[WatchView], None]]:
    """Serve the page for the length of the block, if it is wanted; yield what shows a state on it."""
    if not asked.serve:
        yield lambda _: None
        return
    require_server()
    from kamiyo_verify.cli.read_only_server import ReadOnlyServer  # noqa: PLC0415 - needs these packages
    from kamiyo_verify.cli.watch.serving import LiveWatch, create_app  # noqa: PLC0415

    live = LiveWatch(folder, masker)
    server = ReadOnlyServer(lambda hosts: create_app(live, hosts), asked.bind, asked.port)
    if not server.is_local:
        say(OPEN_TO_ALL)
    say(f"watch at {server.url}, metrics at {server.url}metrics, until it ends")
    server.start()
    try:
        yield live.show
    finally:
        server.stop()


def _run(watching: Watching, say: Callable[[str], None]) -> WatchState | None:
    """Watch; return the final state, or None if it was interrupted."""
    try:
        with interrupted_by_terminate():
            state = watching.watch()
    except KeyboardInterrupt:
        say("INTERRUPTED  the watch is not over; the same command with this --report-dir goes on")
        return None
    say(f"{state.final.replace('_', ' ').upper()}  {state.why}")
    return state


def _plan(
    asked: argparse.Namespace, more: Sequence[str], environment: Environment, root: Path, masker: Masker
) -> tuple[WatchPlan, float]:
    every_s = min(_EVERY_S, asked.for_s) if asked.every is None else asked.every
    if every_s > asked.for_s:
        raise _Refused("--every is longer than --for")
    most = most_rounds(asked.for_s, every_s)
    if most > _MOST_ROUNDS:
        raise _Refused(f"that would be up to {most:,} rounds; {_MOST_ROUNDS:,} are the most: raise --every")
    for word in more:
        if (name := word.partition("=")[0]) in _OURS:
            raise _Refused(f"{name} is the watch's own, and changes what a round is, and cannot be given")
    runbook = runbook_of(environment, root)
    plan = WatchPlan(
        environment=environment.name,
        commit=asked.commit or "",
        started_at=now(),
        for_s=asked.for_s,
        every_s=every_s,
        most_rounds=most,
        confirm_s=environment.confirmation.final_after_s,
        arguments=tuple(masker.text(word) for word in _round_arguments(asked, more)),
    )
    return plan, runbook.policy.confidence


def _round_arguments(asked: argparse.Namespace, more: Sequence[str]) -> list[str]:
    commit = [f"--commit={asked.commit}"] if asked.commit else []
    return ["-m", asked.mark, f"--env={asked.env}", *commit, *more]


def _check_same(journal: WatchJournal, plan: WatchPlan) -> None:
    if journal.continued and replace(journal.plan, started_at="") != replace(plan, started_at=""):
        raise _Refused("--report-dir holds a watch with other options: give the same, or another folder")


def _stamp(plan: WatchPlan) -> str:
    return re.sub(r"[-:]|\..*|\+.*", "", plan.started_at) + "Z"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify watch",
        usage="kamiyo-verify watch --env NAME --for TIME [options] [-- ARG …]",
        allow_abbrev=False,
        description=__doc__,
        epilog="after --: further arguments of pytest for each round",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--env", required=True, metavar="NAME", help="watch environments/NAME.toml")
    add("--for", dest="for_s", type=duration_of, required=True, metavar="TIME", help="such as 30m")
    pace = "a round each so often (default: 60s, or the length of a shorter watch)"
    add("--every", type=duration_of, metavar="TIME", help=pace)
    add("-m", dest="mark", default="postdeploy", metavar="EXPR", help="of each round (default: postdeploy)")
    add("--commit", type=commit_of, metavar="SHA", help="the commit that should be answering")
    add(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="the folder of the watch; default: reports/<env>/watch-<time>/; a watch in it goes on",
    )
    sent = (
        "send the final call to channels and other systems, whatever the phase, or do not; default: as"
        " [notifications] and [exports] say"
    )
    add("--notify", action=argparse.BooleanOptionalAction, help=sent)
    add_serve_options(parser, "serve the live state as a page, and /metrics, until the watch ends")
    return parser
