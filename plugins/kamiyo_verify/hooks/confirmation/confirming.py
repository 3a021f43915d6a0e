"""Confirmation: repeated rechecks, over time, of every failure that could lead to a rollback.

Runs in the controller process after the last test. Runs with and without xdist workers use the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.hooks.background import TASKS
from kamiyo_verify.hooks.confirmation.grounds import Ground
from kamiyo_verify.hooks.confirmation.looks import Looks
from kamiyo_verify.hooks.confirmation.settlement import Settlement, epoch
from kamiyo_verify.hooks.progress import Progress
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.http.hangs import NOT_ASKED
from kamiyo_verify.model.confirmation import Recheck
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.words import WORST_FIRST, Attribution, Status

_ROUNDS = 8
"""The minimum number of rechecks during a confirmation."""

_FIRST_PAUSE_S = 0.5
_SHORTEST_PAUSE_S = 0.1
_FRESH_S = 2.0
"""A recheck that began within this time before the verdict needs no repetition."""

_RESERVE_S = 5.0
_RESERVE_SHARE = 0.1
"""Reserved for the verdict before the run's deadline: 5 s, or a tenth of a shorter deadline."""

Restart = Callable[[Iterable[str]], None]


@dataclass(frozen=True, slots=True)
class Means:
    """What a confirmation uses.

    Attributes:
        looks: runs tests again.
        restart: starts background tasks again.
        progress: prints the progress.
    """

    looks: Looks
    restart: Restart
    progress: Progress


class Confirmation:
    """One confirmation in progress.

    Args:
        run: the run.
        found: the failures to recheck.
        results: where the outcomes are stored.
        means: what the confirmation uses to rerun tests and report.
    """

    def __init__(self, run: Run, found: list[Ground], results: Results, means: Means) -> None:
        self._run = run
        self._grounds = found
        self._results = results
        self._means = means
        self._settings = self._run.environment.confirmation
        self._known = Settlement(run, found, results)
        self._reserve_s = min(_RESERVE_S, run.clock.deadline_s * _RESERVE_SHARE)
        self._began = time.monotonic()
        self._requests = 0

    def run(self) -> None:
        """Recheck until every ground is settled or the time is up."""
        incomplete = "the run was interrupted before the last look"
        try:
            self._known.start_all()
            incomplete = self._rounds()
        finally:
            self._results.add_exchanges(self._known.end())
            for ground in self._grounds:
                why = incomplete if ground.rolls_back and not self._known.settled(ground) else ""
                failed = any(one.status is Status.FAILED for one in ground.tries)
                if ground.looks or (why and failed):
                    self._results.confirm(ground.item.id, ground.confirmation(self._known.share(ground), why))
            self._means.progress.done()

    def _rounds(self) -> str:
        """Run rounds of rechecks; return why the last one was impossible, or ""."""
        pause = _FIRST_PAUSE_S
        longest = max(self._settings.final_after_s / _ROUNDS, _SHORTEST_PAUSE_S)
        while True:
            began, before = time.monotonic(), self._requests
            final = self._known.is_time()
            self._round(final=final)
            self._show_progress()
            if all(self._known.settled(one) for one in self._grounds if one.rolls_back):
                self._last_looks()
                if all(self._known.settled(one) for one in self._grounds if one.rolls_back):
                    return ""
            if self._time_is_up():
                self._round(final=True)
                return ""
            wanted = max(min(pause, longest), (self._requests - before) * 60 / self._settings.per_minute)
            pause *= 2
            if not self._wait(until=self._next_round(began + wanted, time.monotonic() - began)):
                self._round(final=True)
                return (
                    f"the run's deadline of {self._run.clock.deadline_s:g} s left no time to look again"
                    f" {self._settings.final_after_s:g} s after the first failure"
                )

    def _next_round(self, at: float, took_s: float) -> float:
        """Return when the next round begins: no round that takes long is under way when the final one is due.

        Args:
            at: the earliest time of the next round, by the monotonic clock.
            took_s: how long the last round took.
        """
        now_at = time.monotonic()
        due = now_at + self._known.due - time.time()
        at = max(at, now_at)
        return due if at < due < at + took_s else at

    def _round(self, *, final: bool) -> None:
        """Recheck each unsettled ground once; before the final round, only one ground per silent service."""
        followed = {self._origin(one) for one in self._grounds if one.request}
        self._run.hangs.try_again(besides=followed)
        silent: set[str] = set()
        for ground in sorted(self._grounds, key=_in_order):
            if self._run.clock.run_left <= self._reserve_s:
                return
            if self._known.settled(ground) and not final:
                continue
            if not ground.rolls_back and self._can_wait(ground):
                continue
            origin = self._silent_origin(ground)
            if origin and origin in silent and not final:
                continue
            if ground.sampled and self._known.is_idle_to_sample(ground, final=final):
                continue
            self._look(ground)
            if origin and not ground.recovered:
                silent.add(origin)

    def _is_overtaken(self, ground: Ground) -> bool:
        """Return whether a failed recheck is outdated: other grounds passed later, or it sent no request."""
        if ground.recovered:
            return False
        last = ground.looks[-1]
        others = (one.looks[-1].at for one in self._grounds if one.recovered)
        unasked = NOT_ASKED in last.message and not self._run.hangs.known()
        return unasked or any(at >= last.at for at in others)

    def _can_wait(self, ground: Ground) -> bool:
        """Return whether to skip a ground that no rollback depends on.

        A background task is awaited once, when all grounds that could cause a rollback have recovered.
        """
        if ground.recovered:
            return True
        well = all(one.recovered for one in self._grounds if one.rolls_back)
        return bool(self._tasks(ground)) and (not well or bool(ground.looks))

    def _look(self, ground: Ground) -> None:
        at, found = now(), []
        if names := self._tasks(ground):
            self._means.restart(names)
        for nodeid in ground.nodeids:
            result = self._means.looks.look(nodeid, ground.item)
            found.append(result)
            self._requests += len(result.exchanges)
            self._results.add_exchanges(result.exchanges)
            if ground.sampled and result.status is Status.PASSED:
                self._results.replace_evidence(result)
        worst = min(found, key=lambda one: WORST_FIRST.index(one.status))
        if ground.recovered and worst.status is Status.ERROR and worst.attribution is Attribution.PROBER:
            return  # Our own rate limit or network failed: the earlier result stays valid.
        ground.looks.append(Recheck(at, worst.status, worst.message))
        ground.tries = (*ground.tries, *found)
        self._known.start(ground)

    def _last_looks(self) -> None:
        """Recheck, just before the verdict, every ground whose last recheck is old or outdated."""
        for ground in self._grounds:
            if not ground.looks:
                continue
            old = ground.rolls_back and time.time() - epoch(ground.looks[-1].at) > _FRESH_S
            if (old or self._is_overtaken(ground)) and not ground.sampled and not ground.is_hole:
                self._look(ground)

    def _silent_origin(self, ground: Ground) -> str:
        """Return the origin of the service that gave no answer; "" if it answered."""
        sent = ground.failing_exchange()
        return self._origin(ground) if sent is not None and sent.status is None else ""

    def _origin(self, ground: Ground) -> str:
        sent = ground.failing_exchange()
        parts = urlsplit(sent.url if sent else "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def _tasks(self, ground: Ground) -> list[str]:
        names = (name for nodeid in ground.nodeids for name in self._means.looks.fixtures(nodeid))
        return [name for name in dict.fromkeys(names) if name in TASKS]

    def _time_is_up(self) -> bool:
        return time.monotonic() - self._began >= self._settings.at_most_s

    def _wait(self, until: float) -> bool:
        """Wait for the next round; return False if the run's deadline comes first."""
        while (left := until - time.monotonic()) > 0:
            if self._run.clock.run_left <= self._reserve_s:
                return False
            time.sleep(min(left, 0.05))
            self._show_progress()
        return self._run.clock.run_left > self._reserve_s

    def _show_progress(self) -> None:
        waited_for = [one for one in self._grounds if one.rolls_back]
        still = [one.item.id for one in waited_for if not one.recovered]
        description = (
            f"{counted(len(still), 'item')} of {len(waited_for)} still failing" if still else "all answer now"
        )
        waited = f"{time.monotonic() - self._began:.0f} s of at least {self._settings.final_after_s:.0f} s"
        self._means.progress.tick(lambda _: f"confirming: {waited}, {description}")


def _in_order(ground: Ground) -> tuple[bool, bool, str]:
    """Sort key: possible rollbacks first, slow samples last, otherwise by time of failure."""
    return not ground.rolls_back, ground.sampled, ground.first_failed_at
