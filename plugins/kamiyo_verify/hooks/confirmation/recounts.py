"""Count rows again that seem to be gone, over time: a replica may lag, or one of several may lack them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.confirmation.looks import Looks
from kamiyo_verify.hooks.confirmation.settlement import epoch
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.judge.rules.data_loss import RECOUNTED, counted_items, fallen
from kamiyo_verify.judge.slo.readings import Baseline
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Status

_LOOKS = 3

Announce = Callable[[str, str], None]

_RESERVE_S = 5.0
"""Left of the run's deadline for the verdict."""


def count_again(
    run: Run, looks: Looks, results: Results, before: Callable[[], Baseline], announce: Announce
) -> None:
    """Run each item again that passed and counts fewer rows than the policy allows, until `final_after_s`.

    What the last look counted stands if all looks agree that rows are gone, or that none are; else the item
    measures what each of them counted.

    Args:
        run: the run.
        looks: run a test again.
        results: where the counts are stored.
        before: returns the measurements from before the deployment.
        announce: is given the item's id, and what is confirmed.
    """
    found = [] if run.options.baseline else _suspects(run, results, before())
    found = [one for one in found if looks.can(one.first.nodeids[0])]
    if not found:
        return
    announce(found[0].item.id, f"{found[0].name} is {found[0].counts[0]}, fewer than in the baseline")
    began = min(epoch(one.first.started_at) for one in found)
    for number in range(1, _LOOKS + 1):
        if not _wait(run, began + run.environment.confirmation.final_after_s * number / _LOOKS):
            break
        for one in found:
            one.fresh = looks.look(one.first.nodeids[0], one.item)
            results.add_exchanges(one.fresh.exchanges)
            taken = one.fresh.measurement(one.name)
            one.counts.append(str(taken.value) if taken else "none")
            one.gone.append(bool(_fallen(run, one.fresh, before())) if taken else None)
    for one in found:
        if len(one.gone) == _LOOKS and len({*one.gone}) == 1 and one.gone[0] is not None and one.fresh:
            results.replace_evidence(one.fresh)
        else:
            doubt = Measurement(RECOUNTED, ", ".join(one.counts))
            results.replace_evidence(replace(one.first, measurements=(*one.first.measurements, doubt)))


@dataclass
class _Suspect:
    """An item that counts fewer rows than before.

    Attributes:
        first: its result, of one test.
        name: the first of its counts that fell.
        counts: what it counted, first and in each look.
        gone: for each look, whether rows are gone; None if it counted nothing.
        fresh: the last look.
    """

    item: Item
    first: Result
    name: str
    counts: list[str]
    gone: list[bool | None] = field(default_factory=list)
    fresh: Result | None = None


def _suspects(run: Run, results: Results, baseline: Baseline) -> list[_Suspect]:
    if not baseline:
        return []
    found = []
    counted = counted_items(run.runbook)
    for item_id, result in results.of_items().items():
        item = run.runbook.item(item_id)
        passed = result.status is Status.PASSED and len(result.nodeids) == 1
        if item is not None and passed and item_id in counted:
            gone = _fallen(run, result, baseline)[:1]
            found += [_Suspect(item, result, taken.name, [str(taken.value)]) for taken in gone]
    return found


def _fallen(run: Run, result: Result, baseline: Baseline) -> list[Measurement]:
    return fallen(result, baseline.get(result.item, ()), run.runbook.policy.data_loss_limit)


def _wait(run: Run, until: float) -> bool:
    """Wait until that time; return False if the run's deadline comes first."""
    while (left := until - time.time()) > 0:
        if run.clock.run_left <= _RESERVE_S:
            return False
        time.sleep(min(left, 0.05))
    return run.clock.run_left > _RESERVE_S
