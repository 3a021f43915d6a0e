"""Confirm a failure before recommending a rollback, and announce meanwhile that a rollback is likely."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.hooks.confirmation.commits import read_commits_again
from kamiyo_verify.hooks.confirmation.confirming import Confirmation, Means, Restart
from kamiyo_verify.hooks.confirmation.grounds import date_from_outages, grounds, may_roll_back
from kamiyo_verify.hooks.confirmation.looks import Looks
from kamiyo_verify.hooks.confirmation.recounts import count_again
from kamiyo_verify.hooks.progress import Progress
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.judge.attribution.failures import SILENCE
from kamiyo_verify.judge.confirmation.outages import outages
from kamiyo_verify.judge.slo.readings import Baseline
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Status

_SOON_S = 2.5
"""If the second attempt ends within this time, the first failure is not announced."""

_EARLIER_SHARE = 1 / 3
"""The share of `final_after_s` that a service's silence before an item's own failure may stand for."""


class Confirmer:
    """Announces that a rollback is likely, and confirms the failures behind it.

    Args:
        run: the run.
        config: this pytest's configuration.
        restart: starts background tasks again.
        before: returns the measurements from before the deployment.
    """

    def __init__(
        self, run: Run, config: pytest.Config, restart: Restart, before: Callable[[], Baseline]
    ) -> None:
        self._run = run
        self._before = before
        self._restart = restart
        self._progress = Progress(config, run.masker, first_s=5, every_s=5)
        self._announced = False

    def saw(self, item: Item, result: Result) -> None:
        """Handle a finished attempt; a quick first failure is announced only after the second attempt.

        A refused credential of ours is not announced: alone it shows nothing about the platform.
        """
        if result.status is not Status.FAILED or not may_roll_back(self._run.runbook, item):
            return
        if result.refusal is not None:
            return
        settings, last = self._run.configured.confirmation, result.attempts[-1]
        clause = self._run.runbook.policy.rollback_clause(item.impact)
        shown = clause is not None and clause.proof == "content"
        at_once = shown and result.failure not in SILENCE
        again = settings.attempts > 1 and not at_once and len(result.attempts) == 1
        if not (again and 2 * last.duration_s + settings.spacing_s < _SOON_S):
            self._announce(item.id, result.message)

    def confirm_results(self, run: ControllerRun, results: Results) -> Results:
        """Recheck everything that needs it, and return the results."""
        if run.session is not None:
            self.confirm(run.session.items, results)
            count_again(self._run, Looks(run.session.items), results, self._before, self._announce)
            read_commits_again(self._run, Looks(run.session.items), results)
        return results

    def confirm(self, nodes: Iterable[pytest.Item], results: Results) -> None:
        """Recheck everything that needs it, and store the outcome in the results."""
        looks = Looks(nodes)
        found = [
            ground
            for ground in grounds(self._run.runbook, results, self._before)
            if all(looks.can(nodeid) for nodeid in ground.nodeids)
        ]
        if not found:
            return
        seen = timelines(self._run.environment.public, results.exchanges())
        most_s = self._run.environment.confirmation.final_after_s * _EARLIER_SHARE
        date_from_outages(found, outages(seen), most_s)
        failing = [
            one
            for one in found
            if one.rolls_back and one.tries[-1].status is not Status.PASSED and one.tries[-1].refusal is None
        ]
        if failing:
            more = f" (and {counted(len(failing) - 1, 'more item')})" if len(failing) > 1 else ""
            self._announce(failing[0].item.id, failing[0].message + more)
        Confirmation(self._run, found, results, Means(looks, self._restart, self._progress)).run()

    def _announce(self, item_id: str, message: str) -> None:
        if not self._announced and not self._run.options.baseline:
            self._announced = True
            self._progress.say(f"ROLL BACK likely, confirming …: {item_id}: {message}")
