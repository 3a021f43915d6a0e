"""State of the receiver: deliveries, waiting events, and the rounds that it started.

If a file is configured, the whole state is written to it after every change, so that a restart loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from kamiyo_verify.hooks.report_dir import write_atomically

_MOST_DELIVERIES = 10_000
_MOST_ROUNDS = 200


class Full(Exception):
    """The limit of stored deliveries is reached; accepting one unstored could process it twice."""


class Waiting(BaseModel):
    """An event that is accepted, but not processed yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery: str
    event: str
    service: str


class Started(BaseModel):
    """A round of one commit, with the ids of its deploys by service id.

    Attributes:
        at: when the round began, in seconds since the epoch.
        done: the verification was started; False if the process ended before that is known.
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
    """The receiver's state; safe for several threads of one process.

    Args:
        path: the state file; None to keep the state in memory only.
        now: returns seconds since the epoch.

    Raises:
        ValueError: the file is not a state file; the message says how to fix that.
        OSError: the file cannot be read.
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
        """Store a delivery for `keep_s` seconds; return False if it is already stored.

        Raises:
            Full: the limit of stored deliveries is reached.
            OSError: the state cannot be written, and the delivery is not accepted.
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
        """Return the events that are not processed yet, in order of arrival."""
        with self._lock:
            return tuple(self._state.waiting)

    def settle(self, waiting: Waiting, *, forget: bool = False) -> None:
        """Remove a processed event; with `forget`, its delivery may be sent again."""
        with self._lock:
            state = self._state.model_copy(deep=True)
            state.waiting = [one for one in state.waiting if one != waiting]
            if forget:
                state.deliveries.pop(waiting.delivery, None)
            self._keep(state)

    def join(self, commit: str, service: str, deploy: str, within_s: float) -> Started | None:
        """Start a round for a deploy, or return None if the deploy belongs to an existing round.

        A deploy of the same commit on another service belongs to the first service's round, if that round
        began less than `within_s` seconds ago. Another deploy of the same service is a new deployment.
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
        """Mark a round as started, or remove it if the verification could not be started."""
        with self._lock:
            state = self._state.model_copy(deep=True)
            mine = [one for one in state.rounds if (one.commit, one.at) == (begun.commit, begun.at)]
            for one in mine:
                one.done = done
            if not done:
                state.rounds = [one for one in state.rounds if one not in mine]
            self._keep(state)

    def halfway(self) -> tuple[Started, ...]:
        """Return rounds whose verification may or may not have started before the process ended."""
        with self._lock:
            return tuple(one for one in self._state.rounds if not one.done)

    def _keep(self, state: _State) -> None:
        """Write the state to disk first; if that fails, the change does not take effect."""
        if self._path is not None:
            write_atomically(self._path, state.model_dump_json())
        self._state = state
