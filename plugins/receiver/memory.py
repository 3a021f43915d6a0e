"""What the receiver remembers: deliveries, events that wait, and the rounds that it started.

It is kept in a file where one is named, whole after every change, so that a restart forgets nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from plugins.report_dir import write_atomically

_MOST_DELIVERIES = 10_000
_MOST_ROUNDS = 200


class Full(Exception):
    """More deliveries than can be remembered: better none is taken than one twice."""


class Waiting(BaseModel):
    """An event that has been accepted, and not been seen to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery: str
    event: str
    service: str


class Started(BaseModel):
    """A round of one commit: what was deployed, by the ids of service and deploy.

    Attributes:
        at: seconds since the epoch.
        done: it was handed over; else we ended in the middle of that.
    """

    model_config = ConfigDict(extra="forbid")

    commit: str
    at: float
    deploys: dict[str, str]
    done: bool = False


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state_schema: str = "kamiyo-receiver/1"
    deliveries: dict[str, float] = {}
    waiting: list[Waiting] = []
    rounds: list[Started] = []


class Memory:
    """Safe for several threads of one process.

    Args:
        path: of the file; None to forget at the end.
        now: seconds since the epoch.

    Raises:
        ValueError: the file is none of ours; it says how to mend that.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path | None, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._state = _State()
        if path is not None and path.exists():
            try:
                self._state = _State.model_validate_json(path.read_bytes())
            except ValidationError:
                raise ValueError(f"{path} is no state of the receiver; move it away to begin anew") from None

    def accept(self, waiting: Waiting, keep_s: float) -> bool:
        """Remember a delivery for so many seconds; False where it is known already.

        Raises:
            Full: there are too many.
            OSError: it could not be written down, and is not accepted.
        """
        with self._lock:
            state = self._state.model_copy(deep=True)
            state.deliveries = {one: until for one, until in state.deliveries.items() if until > self._now()}
            if waiting.delivery in state.deliveries:
                return False
            if len(state.deliveries) >= _MOST_DELIVERIES:
                raise Full
            state.deliveries[waiting.delivery] = self._now() + keep_s
            state.waiting.append(waiting)
            self._keep(state)
        return True

    def waiting(self) -> tuple[Waiting, ...]:
        """What has not been seen to, in the order in which it came."""
        with self._lock:
            return tuple(self._state.waiting)

    def settle(self, waiting: Waiting, *, forget: bool = False) -> None:
        """It has been seen to; or it could not be, and may be delivered again."""
        with self._lock:
            state = self._state.model_copy(deep=True)
            state.waiting = [one for one in state.waiting if one != waiting]
            if forget:
                state.deliveries.pop(waiting.delivery, None)
            self._keep(state)

    def join(self, commit: str, service: str, deploy: str, within_s: float) -> Started | None:
        """A new round for a deploy; None where a round has it.

        A deploy of the same commit on the other service belongs to the round of the first, if that began
        within so many seconds. Another deploy of the same service is a new deployment.
        """
        with self._lock:
            if any(one.deploys.get(service) == deploy for one in self._state.rounds):
                return None
            state = self._state.model_copy(deep=True)
            for one in state.rounds:
                if one.commit == commit and service not in one.deploys and self._now() - one.at < within_s:
                    one.deploys[service] = deploy
                    self._keep(state)
                    return None
            found = Started(commit=commit, at=self._now(), deploys={service: deploy})
            state.rounds = [*state.rounds, found][-_MOST_ROUNDS:]
            self._keep(state)
        return found

    def finish(self, begun: Started, *, done: bool) -> None:
        """The round was handed over; or it was not, and is as if it had never been."""
        with self._lock:
            state = self._state.model_copy(deep=True)
            mine = [one for one in state.rounds if (one.commit, one.at) == (begun.commit, begun.at)]
            for one in mine:
                one.done = done
            if not done:
                state.rounds = [one for one in state.rounds if one not in mine]
            self._keep(state)

    def halfway(self) -> tuple[Started, ...]:
        """Rounds of which nobody knows whether they were handed over, as we ended in the middle of it."""
        with self._lock:
            return tuple(one for one in self._state.rounds if not one.done)

    def _keep(self, state: _State) -> None:
        """First on the disk, then here: what cannot be written has not happened."""
        if self._path is not None:
            write_atomically(self._path, state.model_dump_json())
        self._state = state
