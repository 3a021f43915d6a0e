"""Decide when a ground is settled: by its rechecks, a sample of its request, or an outage that ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.hooks.confirmation.grounds import Ground
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.judge.attribution.failures import not_of_the_service
from kamiyo_verify.judge.confirmation.confirmed import ENOUGH_LOOKS, FEW_USERS, LOOKS_AFTER_OUTAGE
from kamiyo_verify.judge.confirmation.outages import outages
from kamiyo_verify.judge.confirmation.shares import (
    counts_after_spell,
    few_with_samples,
    spell_is_over,
    verdict_after_spell,
)
from kamiyo_verify.judge.slo.lines import Side, limit_of
from kamiyo_verify.judge.statistics.sequences import shows_above, shows_below
from kamiyo_verify.model.confirmation import FailingShare
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.words import Status
from kamiyo_verify.sampling.follow_up import FollowUp

_HOLE_AFTER_S = 2.0
_STEADY_LOOKS = 3
"""This many failed rechecks in a row show a failure that stays, though a try passed before them."""


class Settlement:
    """The evidence on the grounds of one confirmation, and whether it is sufficient.

    Args:
        run: the run.
        found: the grounds of the confirmation.
        results: the attempts and rechecks of the run.
    """

    def __init__(self, run: Run, found: Iterable[Ground], results: Results) -> None:
        self._run = run
        self._grounds = tuple(found)
        self._results = results
        self._settings = run.environment.confirmation
        policy = run.runbook.policy
        line = limit_of(policy, None)
        self._line, self._confidence = (line.limit if line and line.limit else FEW_USERS), policy.confidence
        self._beside: dict[str, tuple[int, int]] = {}
        self._follow_up = FollowUp(
            run.environment.timeouts, self._settings.per_minute, self._share_is_done, run.hangs
        )

    def end(self) -> tuple[Exchange, ...]:
        """Stop sampling, and return the requests that were sent."""
        self._follow_up.end()
        return tuple(self._follow_up.exchanges)

    def settled(self, ground: Ground) -> bool:
        """Return whether further rechecks or requests cannot change the outcome of a ground."""
        if not ground.looks:
            return ground.sampled and self.is_idle_to_sample(ground, final=True) and self._others_settled()
        if ground.is_hole and any(look.status is Status.FAILED for look in ground.looks):
            return time.time() >= ground.first_failed + min(_HOLE_AFTER_S, self._settings.final_after_s)
        if ground.sampled and ground.recovered:
            return True
        due = ground.first_failed + self._settings.final_after_s
        if not ground.recovered:
            late = epoch(ground.looks[-1].at) >= due
            steady = not ground.flaky or (not ground.request and len(ground.looks) >= _STEADY_LOOKS)
            if steady and all(look.status is not Status.PASSED for look in ground.looks):
                return late
            known = ground.request and self._follow_up.is_done(ground.request)
            return late and (bool(known) or (not ground.request and len(ground.looks) >= ENOUGH_LOOKS))
        if ground.request and not ground.is_hole:
            return self._explained(ground) or (
                self._follow_up.is_done(ground.request)
                and (time.time() >= due or self._spell_over(ground.request))
            )
        return ground.passed_in_a_row >= ENOUGH_LOOKS or self._explained(ground)

    def _others_settled(self) -> bool:
        return all(self.settled(one) for one in self._grounds if one.rolls_back and not one.sampled)

    def _explained(self, ground: Ground) -> bool:
        """Return whether an ended outage explains every failed attempt and enough rechecks passed since."""
        if ground.passed_in_a_row < LOOKS_AFTER_OUTAGE:
            return False
        if ground.request and counts_after_spell(self._share(ground.request))[0]:
            return False
        services = {*ground.item.services}
        bad = [one for one in ground.tries if one.status is not Status.PASSED]
        spans = [(epoch(one.attempts[-1].started_at), one.attempts[-1].duration_s) for one in bad]
        asked = (*self._results.exchanges(), *self._follow_up.exchanges)
        for outage in outages(timelines(self._run.environment.public, asked)):
            began = epoch(outage.began_at)
            within = all(at <= began + outage.seconds and at + took >= began for at, took in spans)
            if outage.ended and within and (not services or outage.service in services):
                return True
        return False

    def _share_is_done(self, key: str, share: FailingShare) -> bool:
        bad, total = counts_after_spell(share)
        if spell_is_over(share, self._line, self._confidence):
            return True
        if few_with_samples(self._with_samples(key, share), self._line, self._confidence):
            return True
        decided = total > 0 and (
            shows_below(bad, total, self._line, self._confidence)
            or (shows_above(bad, total, self._line, self._confidence) and self.is_time())
        )
        # Spells only reduce the weight of a sample, and weighing them is slower than these counts.
        return decided and (
            verdict_after_spell(share, self._line, self._confidence).side is not Side.STRADDLING
        )

    def _spell_over(self, key: str) -> bool:
        return spell_is_over(self._share(key), self._line, self._confidence)

    def share(self, ground: Ground) -> FailingShare | None:
        """Return the follow-up sample of a ground's request; None if no request failed in it."""
        if not ground.request:
            return None
        share = self._share(ground.request)
        return share if share.failed else None

    def _share(self, key: str) -> FailingShare:
        return self._with_samples(key, self._follow_up.share(key))

    def _with_samples(self, key: str, share: FailingShare) -> FailingShare:
        return replace(share, beside=self._beside.get(key, (0, 0)))

    def start_all(self) -> None:
        """Start sampling the requests that are already known."""
        # Items whose last attempt passed come first: only a sample can show their failing share.
        for ground in sorted(self._grounds, key=lambda one: one.tries[-1].status is not Status.PASSED):
            self.start(ground)

    def start(self, ground: Ground) -> None:
        """Start sampling the request that failed, if it is known and safe to repeat."""
        sent = ground.failing_exchange()
        if ground.is_hole or ground.sampled or not ground.rolls_back or sent is None:
            return
        request = self._run.repeats.find(sent.method, sent.url)
        if request is not None:
            ground.request = self._follow_up.follow(
                request, ground.good_statuses(sent), frozenset(filter(None, (sent.status,)))
            )
            if not ground.looks and (sent.status is None or sent.status >= 500):
                self._beside.setdefault(ground.request, self._others_to(sent, ground.first_failed))

    def _others_to(self, failing: Exchange, since: float) -> tuple[int, int]:
        """Return (failed, total) of the run's other requests to an endpoint since an item failed by it."""
        endpoint = (failing.method, failing.url.partition("?")[0])
        others = [
            sent
            for sent in self._results.exchanges()
            if (sent.method, sent.url.partition("?")[0]) == endpoint
            and sent.at
            and epoch(sent.at) >= since
            and not not_of_the_service(sent)
        ]
        failed = sum(sent.status is None or sent.status >= 500 for sent in others)
        return failed, failed + sum(200 <= (sent.status or 0) < 300 for sent in others)

    def is_idle_to_sample(self, ground: Ground, *, final: bool) -> bool:
        """Return whether to skip a new, slow sample, for example while another ground still fails."""
        if any(not one.recovered and one.rolls_back and not one.sampled for one in self._grounds):
            return True
        return bool(ground.looks) and (ground.recovered or not final)

    def is_time(self) -> bool:
        """Return whether enough time has passed since the latest first failure for the final recheck."""
        return time.time() >= self.due

    @property
    def due(self) -> float:
        """The earliest time of the final recheck, in seconds since 1970."""
        latest = max((one.first_failed for one in self._grounds if one.rolls_back), default=0.0)
        return latest + self._settings.final_after_s


def epoch(moment: str) -> float:
    """Return an ISO 8601 time in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()
