"""`kamiyo-verify ledger --env NAME prune`: remove old runs that nothing needs, after asking."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kamiyo_verify.cli.documents.sources import Sources
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.judge.history.retention import Limits, Retention, reasons, retention
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.reporting.inert import one_line

ANSWER = "yes"
_SHOWN = 50
"""Runs that are listed one by one; the rest is counted."""


class Declined(Exception):
    """The answer to the question was not yes; nothing was removed."""


def prune(store: Store, options: argparse.Namespace) -> Iterator[str]:
    """Show what would be removed, ask, and remove it; yield lines for the terminal.

    Raises:
        LookupError: no environment is named, or it has no limits.
        Declined: the answer was not yes.
        LedgerUnavailable: nothing was removed.
    """
    environment, runbook = _named(options.env)
    planned = _plan(store, environment, runbook)
    yield from _lines(environment.name, planned)
    if not planned.removed:
        return
    if not options.yes:
        _ask(len(planned.removed))
    # Others may have recorded runs or decisions since the question was asked.
    still = {one.id for one in _plan(store, environment, runbook).removed}
    gone = still & {one.id for one in planned.removed}
    store.remove(gone, at=datetime.now(UTC).isoformat(timespec="milliseconds"))
    yield f"removed {counted(len(gone), 'run')} from {store.name}; their report folders stay"


def _named(name: str) -> tuple[Environment, Runbook]:
    root = Path.cwd()
    if not name:
        raise LookupError("whose old runs? name an environment: kamiyo-verify ledger --env NAME prune")
    environment = load_environment(
        name, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
    )
    if not _limits(environment):
        raise LookupError(
            f"{environment.name} keeps every run: set keep_days or keep_runs in [ledger] of"
            f" environments/{environment.name}.toml"
        )
    return environment, Sources.of(root, name).runbook(environment.name)


def _limits(environment: Environment) -> Limits:
    return Limits(days=environment.ledger.keep_days, runs=environment.ledger.keep_runs)


def _plan(store: Store, environment: Environment, runbook: Runbook) -> Retention:
    name = environment.name
    return retention(
        runbook,
        _limits(environment),
        store.outlines(name),
        store.past(name),
        store.decisions(name),
        baseline_max_age_h=environment.baseline.max_age_h,
        now=datetime.now(UTC).timestamp(),
    )


def _lines(name: str, planned: Retention) -> Iterator[str]:
    yield f"{name}: {counted(planned.within, 'run')} within the limits"
    for why, count in reasons(planned.kept).items():
        yield f"{counted(count, 'older run')} kept: {why}"
    yield f"{counted(len(planned.removed), 'run')} to remove"
    for one in planned.removed[:_SHOWN]:
        text = f"{one.started_at[:16]}  {one.id}  {one.commit[:7] or '-':<7}  {one.recommendation}"
        yield f"  {one_line(text, 160)}"
    if len(planned.removed) > _SHOWN:
        yield f"  and {len(planned.removed) - _SHOWN:,} more, until {planned.removed[-1].started_at[:16]}"


def _ask(count: int) -> None:
    sys.stdout.write(f"Remove {counted(count, 'run')} from the ledger, for good? Type {ANSWER}: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != ANSWER:
        raise Declined("nothing was removed")
