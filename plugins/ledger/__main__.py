"""The ledger on the command line: `python -m plugins.ledger history|runs|decide`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from plugins.draft import ConfigurationError
from plugins.judge.chronicle import chronicle
from plugins.ledger.database import LedgerUnavailable
from plugins.ledger.store import Store
from plugins.ledger_address import ledger_of
from plugins.model.figures import counted
from plugins.model.recorded import Decision, Deed
from plugins.pages.sources import Sources
from plugins.recording import NoRecording
from plugins.remembered import matching, remembered
from plugins.writers import history as told


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 2 where it could not be done."""
    asked = _parser().parse_args(arguments)
    try:
        with Store.opened(ledger_of(asked.env, Path.cwd())) as store:
            for line in asked.does(store, asked):
                sys.stdout.write(f"{line}\n")
    except (ConfigurationError, LedgerUnavailable, LookupError, NoRecording, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _runs(store: Store, asked: argparse.Namespace) -> Iterator[str]:
    for recording in store.recordings(asked.env):
        run = recording.run
        ended = f"{run.ending}  {run.verdict.recommendation}"
        yield f"{run.id}  {run.environment}  {run.commit[:7] or '-':<7}  {ended}  {run.folder}"


def _decide(store: Store, asked: argparse.Namespace) -> Iterable[str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    run = _run(store, asked.run)
    decision = Decision(run=run, deed=Deed(asked.deed), who=asked.by, at=now, note=asked.note)
    store.decide(decision)
    return [told.decision_line(decision).strip()]


def _history(store: Store, asked: argparse.Namespace) -> Iterator[str]:
    name, now = asked.env or "prod", datetime.now(UTC).timestamp()
    known = remembered(store, name, now=now)
    runbook = Sources.of(Path.cwd(), asked.env).runbook(name)
    found = chronicle(runbook, known, now=now, most=len(known.past))
    yield f"{name}: {len(known.past)} runs in {store.name}"
    yield from told.objective_lines(found.lasting)
    if found.availability is not None:
        yield from told.availability_lines(found.availability)
    yield from told.dora_lines(found.dora, found.days)
    yield from told.deployment_lines([one.record for one in reversed(found.deployments)])
    yield counted(len(known.decisions), "decision")
    yield from map(told.decision_line, known.decisions)


def _run(store: Store, named: str) -> str:
    """The id of the run that somebody names by its folder, or by the beginning of its id.

    Raises:
        LookupError: that is none, or more than one.
    """
    found = matching(store, named)
    if len(found) == 1:
        return found[0]
    if not found:
        raise LookupError(f"the ledger has no run {named}; `python -m plugins.ledger runs` lists them")
    raise LookupError(f"{named} can be any of {', '.join(found)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plugins.ledger", description="What the ledger knows.")
    parser.add_argument("--env", default="", metavar="NAME", help="the environment whose ledger it is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    what = "availability, error budget, deployments, DORA's metrics and decisions of --env (prod)"
    commands.add_parser("history", help=what, description=what).set_defaults(does=_history)

    what = "every run, oldest first"
    commands.add_parser("runs", help=what, description=what).set_defaults(does=_runs)

    what = "record what people did after a run"
    decide = commands.add_parser("decide", help=what, description=what)
    decide.add_argument("run", metavar="RUN", help="its report folder, or its id or the beginning of it")
    decide.add_argument("deed", choices=[*Deed], help="what was done with the deployment")
    decide.add_argument("--by", required=True, metavar="WHO", help="who decided")
    decide.add_argument("--note", default="", metavar="TEXT", help="why")
    decide.set_defaults(does=_decide)
    return parser


if __name__ == "__main__":
    sys.exit(main())
