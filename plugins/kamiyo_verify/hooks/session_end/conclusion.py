"""Collect a run's own results into the evidence for its verdict."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import UTC, datetime

from kamiyo_verify.config.attestations import word_on
from kamiyo_verify.evidence.results import Results
from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.judge.attribution.error_bodies import with_leaks
from kamiyo_verify.judge.conclusion import CUT_SHORT
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item, Runbook
from kamiyo_verify.model.words import Status


def gather(
    run: Run, runbook: Runbook, selection: Selection, results: Results, *, exitstatus: int
) -> Evidence:
    """Return the evidence for the verdict of a run, without history and circumstances.

    Args:
        run: its options, environment and clock.
        runbook: the runbook to judge by.
        selection: the selection of the run.
        results: the results so far; selected checks without a result are added.
        exitstatus: pytest's exit status so far.
    """
    interrupted = exitstatus in CUT_SHORT
    done = results.tests_done()
    for nodeid, check in selection.chosen.items():
        if nodeid not in done:
            when = "while it was tried" if nodeid in results.begun else "before it was tried"
            results.add_untried(nodeid, check.item, f"{_what_ended(run, interrupted=interrupted)} {when}")
    environment = run.configured
    found = with_leaks(results.of_items(), runbook)
    return Evidence(
        runbook=runbook,
        environment=environment.name,
        phases=selection.phases,
        results=(*found.values(), *_by_hand(run, selection, found)),
        expected=selection.expected,
        no_check=selection.no_check,
        not_run=selection.not_run,
        absent=environment.absent,
        project=environment.title,
        production=environment.production,
        commit=run.options.commit,
        started_at=run.started_at,
        finished_at=now(),
        interrupted=interrupted,
        records_baseline=run.options.baseline,
        baseline_max_age_h=environment.baseline.max_age_h,
        place=run.options.place,
        timelines=timelines(environment.public, results.exchanges()),
    )


def _what_ended(run: Run, *, interrupted: bool) -> str:
    if run.clock.run_left <= 0:
        return f"the run's deadline of {run.clock.deadline_s:g} s passed"
    return f"the run {'was interrupted' if interrupted else 'stopped'}"


def _by_hand(run: Run, selection: Selection, done: Container[str]) -> Iterator[Result]:
    """Yield results for the manual items in scope that no check handles."""
    for item in selection.scope:
        if (
            item.manual
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
