"""From a run to its verdict, and to the exit code of the process. Whatever breaks here never proceeds."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plugins.attestations import word_on
from plugins.judge.decide import decide
from plugins.judge.evidence import Evidence
from plugins.model.outcomes import Unverified
from plugins.model.result import Result
from plugins.model.runbook import Item, Runbook
from plugins.model.verdict import Rollback, Verdict
from plugins.model.words import Action, Status
from plugins.results import Results
from plugins.run import Run, now
from plugins.selection import Selection

BROKEN = int(pytest.ExitCode.INTERNAL_ERROR)

_CUT_SHORT = {int(pytest.ExitCode.INTERRUPTED), int(pytest.ExitCode.INTERNAL_ERROR)}
_KEPT = _CUT_SHORT | {int(pytest.ExitCode.USAGE_ERROR)}


def gather(
    run: Run, runbook: Runbook, selection: Selection, results: Results, *, exitstatus: int
) -> Evidence:
    """All that the verdict of a run may rest on, but for the history.

    Args:
        run: its options, environment and clock.
        runbook: that it is judged by.
        selection: what it was about.
        results: what was tried; what was chosen and not tried is added to them.
        exitstatus: pytest's own, so far.
    """
    interrupted = exitstatus in _CUT_SHORT
    done = results.tests_done()
    for nodeid, check in selection.chosen.items():
        if nodeid not in done:
            results.add_untried(nodeid, check.item, _why_untried(run, interrupted=interrupted))
    environment = run.configured
    found = results.of_items()
    return Evidence(
        runbook=runbook,
        environment=environment.name,
        phases=selection.phases,
        results=(*found.values(), *_by_hand(run, selection, found)),
        expected=selection.expected,
        no_check=selection.no_check,
        absent=environment.absent,
        project=environment.title,
        production=environment.production,
        commit=run.options.commit,
        started_at=run.started_at,
        finished_at=now(),
        interrupted=interrupted,
    )


def conclude(evidence: Evidence, exitstatus: int) -> Verdict:
    """The verdict of a run, with the exit code of its process: the call's, or pytest's own.

    A failed test that is no check can spoil "proceed" too.
    """
    verdict = decide(evidence)
    code = verdict.exit_code
    if exitstatus in _KEPT or (code == 0 and exitstatus not in {0, int(pytest.ExitCode.NO_TESTS_COLLECTED)}):
        code = exitstatus
    return replace(verdict, exit_code=code)


def broken(
    *,
    project: str,
    environment: str,
    phases: Iterable[str],
    commit: str,
    started_at: str,
    finished_at: str,
    problem: str,
) -> Verdict:
    """What is left to say when judging or writing broke: nothing is known."""
    return Verdict(
        project=project,
        environment=environment,
        phase="+".join(phases),
        commit=commit,
        started_at=started_at,
        finished_at=finished_at,
        recommendation=Action.INCONCLUSIVE,
        exit_code=BROKEN,
        headline=f"no verdict: {problem}",
        flip="",
        next_step="run it again; if it breaks again, report it with evidence.jsonl",
        escalation="",
        reasons=(),
        slos=(),
        items=(),
        unverified=(),
        rollback=Rollback(),
    )


def _why_untried(run: Run, *, interrupted: bool) -> str:
    if run.clock.run_left <= 0:
        return f"the run's deadline of {run.clock.deadline_s:g} s passed before it was tried"
    return f"the run {'was interrupted' if interrupted else 'stopped'} before it was tried"


def _by_hand(run: Run, selection: Selection, done: Container[str]) -> Iterator[Result]:
    """The items for which only a person can speak, and which no check takes its word for."""
    for item in selection.scope:
        if (
            item.by_hand
            and item.id not in done
            and (item.part is None or item.part not in run.configured.absent)
        ):
            yield _attested(run, item)


def _attested(run: Run, item: Item) -> Result:
    try:
        word = word_on(item.id, run.attestations, datetime.now(UTC))
    except Unverified as waiting:
        return Result(item.id, item.phase, Status.UNVERIFIED, str(waiting))
    return Result(item.id, item.phase, Status.PASSED, f"attested by {word}", started_at=run.started_at)
