"""The ledger on the command line: `kamiyo-verify ledger history|runs|decide|prune|export`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kamiyo_verify.cli.documents.sources import Sources
from kamiyo_verify.cli.file_problems import problem_of
from kamiyo_verify.cli.ledger.export import FORMATS, WITHIN_S, export
from kamiyo_verify.cli.ledger.prune import Declined, prune
from kamiyo_verify.cli.remembered import matching, remembered
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.ledger_address import ledger_of
from kamiyo_verify.evidence.recording import NoRecording
from kamiyo_verify.judge.history.environment_history import environment_history
from kamiyo_verify.ledger.database import TRANSACTION_S, LedgerUnavailable
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from kamiyo_verify.reporting import history as wording


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, 1 if the answer to its question was no, or 2 if it failed."""
    options = _parser().parse_args(arguments)
    try:
        within_s = WITHIN_S if options.does is export else TRANSACTION_S
        with Store.opened(ledger_of(options.env, Path.cwd()), transaction_s=within_s) as store:
            for line in options.does(store, options):
                sys.stdout.write(f"{line}\n")
    except Declined as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (ConfigurationError, LedgerUnavailable, LookupError, NoRecording, OSError) as error:
        sys.stderr.write(f"{problem_of(error)}\n")
        return 2
    return 0


def _runs(store: Store, options: argparse.Namespace) -> Iterator[str]:
    for recording in store.recordings(options.env):
        run = recording.run
        ended = f"{run.ending}  {run.verdict.recommendation}"
        yield f"{run.id}  {run.environment}  {run.commit[:7] or '-':<7}  {ended}  {run.folder}"


def _decide(store: Store, options: argparse.Namespace) -> Iterable[str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    run = _run(store, options.run)
    decision = Decision(run=run, deed=DecisionKind(options.deed), who=options.by, at=now, note=options.note)
    store.decide(decision)
    return [wording.decision_line(decision).strip()]


def _history(store: Store, options: argparse.Namespace) -> Iterator[str]:
    name, now = options.env or "prod", datetime.now(UTC).timestamp()
    known = remembered(store, name, now=now)
    runbook = Sources.of(Path.cwd(), options.env).runbook(name)
    found = environment_history(runbook, known, now=now, most=len(known.past))
    yield f"{name}: {len(known.past)} runs in {store.name}"
    yield from wording.objective_lines(found.lasting)
    if found.availability is not None:
        yield from wording.availability_lines(found.availability)
    yield from wording.dora_lines(found.dora, found.days)
    yield from wording.deployment_lines([one.record for one in reversed(found.deployments)])
    yield counted(len(known.decisions), "decision")
    yield from map(wording.decision_line, known.decisions)


def _run(store: Store, named: str) -> str:
    """Find a run's id by its report folder or by the beginning of its id.

    Raises:
        LookupError: no run matches, or more than one does.
    """
    found = matching(store, named)
    if len(found) == 1:
        return found[0]
    if not found:
        raise LookupError(f"the ledger has no run {named}; `kamiyo-verify ledger runs` lists them")
    raise LookupError(f"{named} can be any of {', '.join(found)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kamiyo-verify ledger", description="What the ledger knows.")
    parser.add_argument("--env", default="", metavar="NAME", help="the environment whose ledger it is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    what = "availability, error budget, deployments, DORA's metrics and decisions of --env (prod)"
    commands.add_parser("history", help=what, description=what).set_defaults(does=_history)

    what = "every run, oldest first"
    commands.add_parser("runs", help=what, description=what).set_defaults(does=_runs)

    what = "record what people did after a run"
    decide = commands.add_parser("decide", help=what, description=what)
    decide.add_argument("run", metavar="RUN", help="its report folder, or its id or the beginning of it")
    decide.add_argument(
        "deed", choices=[kind.value for kind in DecisionKind], help="what was done with the deployment"
    )
    decide.add_argument("--by", required=True, metavar="WHO", help="who decided")
    decide.add_argument("--note", default="", metavar="TEXT", help="why")
    decide.set_defaults(does=_decide)

    what = "remove old runs of --env that nothing needs; [ledger] keep_days, keep_runs say what is old"
    old = commands.add_parser("prune", help=what, description=what)
    old.add_argument("--yes", action="store_true", help="do not ask")
    old.set_defaults(does=prune)

    what = "write the tables as files, one for each: of --env, or of every environment"
    files = commands.add_parser("export", help=what, description=what)
    files.add_argument("--format", choices=FORMATS, default="csv", help="of the files (csv)")
    folder = "a new folder (reports/export-TIME)"
    files.add_argument("--output", type=Path, metavar="DIR", help=folder)
    files.set_defaults(does=export)
    return parser
