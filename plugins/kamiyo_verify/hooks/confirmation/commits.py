"""Read once more, right before the verdict, which commit answers: another deploy may be live by now.

What failed or passed after that is evidence about the other deploy, and about no commit for certain. A commit
that nobody could read while its service was silent is read now, where a recheck has passed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.confirmation.looks import Looks
from kamiyo_verify.hooks.confirmation.settlement import epoch
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.judge.attribution.failures import SILENCE
from kamiyo_verify.judge.rollback.comparisons import comparisons
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Status

_FRESH_S = 2.0
"""A commit that was read within this time before the verdict is not read again."""

_RESERVE_S = 5.0
"""Left of the run's deadline for the verdict."""

_CHANGED = "; the expected one answered earlier in this run, so that another deploy went live meanwhile"


def read_commits_again(run: Run, looks: Looks, results: Results) -> None:
    """Run the items that compare commits again; keep a commit that was not read before, or another one."""
    for item, result in _compared(run, results):
        for nodeid in result.nodeids:
            if run.clock.run_left <= _RESERVE_S:
                return
            if not looks.can(nodeid):
                continue
            fresh = looks.look(nodeid, item)
            results.add_exchanges(fresh.exchanges)
            if _shows_another(fresh):
                results.supersede(replace(fresh, message=f"{fresh.message.rstrip('.')}{_CHANGED}"))
            elif fresh.status is Status.PASSED and result.status is not Status.PASSED:
                results.replace_evidence(fresh)


def _compared(run: Run, results: Results) -> Iterator[tuple[Item, Result]]:
    """Yield the items that compare commits, if they passed too long ago or only in a recheck."""
    known = ((run.runbook.item(item_id), result) for item_id, result in results.of_items().items())
    outcomes = [(item, result) for item, result in known if item is not None]
    by_id = {item.id: item for item, _ in outcomes}
    for one in comparisons(outcomes, run.options.commit):
        result = one.result
        last = result.attempts[-1] if result.attempts else None
        passed = result.status is Status.PASSED and last is not None and _ago_s(last.started_at) > _FRESH_S
        answers_now = result.confirmation is not None and bool(result.confirmation.ended_at)
        if passed or (result.status is not Status.PASSED and answers_now):
            yield by_id[result.item], result


def _ago_s(at: str) -> float:
    return time.time() - epoch(at)


def _shows_another(fresh: Result) -> bool:
    """Whether another commit answers, or several by turns. Silence shows none: other items judge it."""
    unsettled = fresh.status in {Status.FAILED, Status.UNVERIFIED}
    return unsettled and fresh.failure not in SILENCE and bool(fresh.measurements)
