"""Rehearse checks that only ask while others run, where the platform is slow: see `http/overlap/ahead.py`."""

from __future__ import annotations

import inspect
import queue
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from itertools import islice

import pytest

from kamiyo_verify.evidence.recorder import Recorder
from kamiyo_verify.hooks.background import tasks_of, tasks_that_sample
from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.running.rehearsed_fixtures import RehearsedFixtures
from kamiyo_verify.http.overlap.ahead import Rehearsal, rehearsing
from kamiyo_verify.model.words import Phase

_MARK = "asks"
_THREADS = 8
_AHEAD = 32
"""Most rehearsals whose check has not had its turn."""

_DECIDES = ("skip", "skipif", "xfail")
"""Marks by which pytest may not run a test, or run it for another end."""


class RehearsalsPlugin:
    """Rehearses the checks of a run that may be rehearsed, in the process that runs both."""

    def __init__(self, run: Run, recorder: Recorder) -> None:
        self._run = run
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Rehearse for the length of the loop, unless something measures response times meanwhile."""
        may = [
            node
            for node in session.items
            if isinstance(node, pytest.Function) and self._may_be_rehearsed(node)
        ]
        if not may or _measures_times(session.items):
            return (yield)
        # Only now: hooks of every item cost a run of thousands of others its time.
        rehearsals = _Rehearsals(self._run, self._recorder, may)
        session.config.pluginmanager.register(rehearsals)
        self._run.ahead.open()
        try:
            return (yield)
        finally:
            self._run.ahead.close()
            session.config.pluginmanager.unregister(rehearsals)

    def _may_be_rehearsed(self, node: pytest.Function) -> bool:
        check = check_of(node)
        if check is None or node.get_closest_marker(_MARK) is None:
            return False
        if node.cls is not None or inspect.iscoroutinefunction(node.function):
            return False
        if any(node.get_closest_marker(name) for name in _DECIDES):
            return False
        return not obstacle(check.item, check.needs, check.writes, self._run.environment)


class _Rehearsals:
    """Starts rehearsals, and hands each to its check when its turn comes."""

    def __init__(self, run: Run, recorder: Recorder, nodes: Sequence[pytest.Function]) -> None:
        self._run = run
        self._recorder = recorder
        self._ahead = run.ahead
        self._left = [*reversed(nodes)]  # taken from its end
        self._begun: dict[pytest.Item, Rehearsal] = {}
        self._work: queue.SimpleQueue[tuple[RehearsedFixtures, pytest.Function, Rehearsal]] = (
            queue.SimpleQueue()
        )
        self._threads: list[threading.Thread] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Hand its rehearsal to the check."""
        rehearsal = self._begun.pop(item, None)
        if rehearsal is not None:
            rehearsal.end()
        while self._left and self._left[-1] is item:
            self._left.pop()
        self._ahead.turn(rehearsal)
        self._rehearse()
        try:
            return (yield)
        finally:
            self._ahead.turn(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None]:
        """Keep the evidence of a rehearsal whose check ends before its call."""
        try:
            return (yield)
        except BaseException:
            self._keep_rest()
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None]:
        """Begin rehearsals that need what this check has set up; afterwards keep what it did not claim."""
        self._rehearse()
        try:
            return (yield)
        finally:
            self._keep_rest()

    def _keep_rest(self) -> None:
        if rehearsal := self._ahead.take():
            rehearsal.keep_rest()

    def _rehearse(self) -> None:
        """Begin the rehearsals of the next checks whose fixtures are set up."""
        if not (self._left and self._ahead.worth(self._run.environment.timeouts.answer)):
            return
        room = _AHEAD - len(self._begun)
        for node in list(islice(reversed(self._left), _AHEAD)):
            fixtures = RehearsedFixtures(node)
            if room <= 0:
                break
            if not fixtures.ready():
                continue
            room -= 1
            self._left.remove(node)
            rehearsal = self._begun[node] = Rehearsal(self._ahead)
            self._work.put((fixtures, node, rehearsal))
            if len(self._threads) < _THREADS:
                # A daemon: a run that is over does not wait for what nobody needs.
                thread = threading.Thread(target=self._perform, name="rehearsal", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _perform(self) -> None:
        while True:
            fixtures, node, rehearsal = self._work.get()
            # Whatever ends it, the check itself comes to the same in its turn, and is what counts.
            with suppress(BaseException), rehearsing(rehearsal), self._recorder.apart():
                node.function(**fixtures.arguments())


def _measures_times(nodes: Sequence[pytest.Item]) -> bool:
    """Return whether a check measures response times, which requests beside it would change."""
    return any(
        check.item.phase is Phase.PERFORMANCE or tasks_that_sample(tasks_of(node))
        for node in nodes
        if (check := check_of(node))
    )
