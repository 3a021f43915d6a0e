"""Process accepted events one after the other; read each deployment from Render, not from the event."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from kamiyo_verify.model.hosting.services import Deploy, DeployStatus, Event
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.webhook.memory import Memory, Waiting
from kamiyo_verify.webhook.starting import Start

WANTED = "deploy_ended"
_DELAYS_S = (2.0, 10.0, 60.0, 300.0)


class Hosting(Protocol):
    """The calls to Render that the worker needs."""

    def event(self, event_id: str) -> Event:
        """One event."""
        ...

    def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """One deploy."""
        ...


class Worker:
    """A thread that starts verifications.

    Args:
        hosting: a client of Render.
        memory: the accepted events and the started rounds.
        start: starts a verification.
        within_s: seconds in which another service's deploy still belongs to the first one's round.
        say: receives a line about each event.
        delays_s: seconds before each retry if Render or GitHub does not answer.
    """

    def __init__(
        self,
        hosting: Hosting,
        memory: Memory,
        start: Start,
        *,
        within_s: float,
        say: Callable[[str], None],
        delays_s: Sequence[float] = _DELAYS_S,
    ) -> None:
        self._hosting = hosting
        self._memory = memory
        self._start = start
        self._within_s = within_s
        self._say = say
        self._delays_s = tuple(delays_s)
        self._events: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="receiver", daemon=True)

    def begin(self) -> None:
        """Start the thread, beginning with events left from an earlier process."""
        for begun in self._memory.halfway():
            self._say(
                f"NOT KNOWN: whether {begun.commit} was started, as we ended in between: start it by hand"
            )
            self._memory.finish(begun, done=True)
        for waiting in self._memory.waiting():
            self.take(waiting)
        self._thread.start()

    def take(self, waiting: Waiting) -> None:
        """Queue an accepted event."""
        self._events.put(waiting)

    def end(self) -> None:
        """Stop after the current event; the others stay in the memory."""
        self._ending.set()
        self._events.put(None)
        self._thread.join(30)

    def _work(self) -> None:
        while (waiting := self._events.get()) is not None and not self._ending.is_set():
            try:
                self._patiently(waiting)
            except Exception as error:  # noqa: BLE001 - an error in one event must not stop the next one
                self._say(f"NOT VERIFIED: {waiting.event}: {type(error).__name__}: {error}")

    def _patiently(self, waiting: Waiting) -> None:
        problem = ""
        for delay in (0.0, *self._delays_s):
            if self._ending.wait(delay):
                return  # it stays in the memory for the next start
            try:
                self._say(self._see_to(waiting))
            except (NoAnswer, OSError) as error:
                problem = str(error)
                continue
            self._memory.settle(waiting)
            return
        self._say(f"NOT VERIFIED: {waiting.event} of {waiting.service}: {problem}")
        self._memory.settle(waiting, forget=True)

    def _see_to(self, waiting: Waiting) -> str:
        """Process one event; return a line with the result."""
        event = self._hosting.event(waiting.event)
        if (event.type, event.service_id) != (WANTED, waiting.service) or not event.details.deploy_id:
            return f"ignored {waiting.event}: Render knows it as {event.type} of {event.service_id}"
        deploy = self._hosting.deploy(waiting.service, event.details.deploy_id)
        subject = f"{deploy.id} of {waiting.service}"
        if deploy.commit is None:
            return f"ignored {subject}: it is of an image, and of no commit"
        if deploy.status is DeployStatus.CANCELED:
            return f"ignored {subject}: it was canceled"
        if deploy.trigger == "rollback":
            return f"ignored {subject}: a rollback, which pytest -m rollback verifies"
        commit = deploy.commit.id
        begun = self._memory.join(commit, waiting.service, deploy.id, self._within_s)
        if begun is None:
            return f"{subject}: the verification of {commit[:12]} has been started already"
        try:
            self._start(commit)
        except BaseException:
            self._memory.finish(begun, done=False)
            raise
        self._memory.finish(begun, done=True)
        return f"{subject}: started the verification of {commit}"
