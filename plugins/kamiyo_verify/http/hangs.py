"""Circuit breaker per service, so that a hang costs one item its time and not the whole run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from kamiyo_verify.model.outcomes import KnownToHang, NoAnswerKind

NOT_ASKED = "it was not asked again"
"""Part of the message of a request that was not sent."""

_ENOUGH = 2
"""Consecutive timeouts after which an origin is known to hang."""

_DOWN = 6
"""Consecutive bad answers, those of two checks, after which a check is no longer tried three times."""

_TRY_AGAIN_S = 15.0
"""Seconds after the last timeout until one request is let through, to test the origin again."""


@dataclass(slots=True)
class _State:
    answered_at: float = float("-inf")
    hung: list[tuple[float, str]] = field(default_factory=list)
    last_at: float = float("-inf")
    bad_in_a_row: int = 0
    waited_s: float = 0.0
    kind: NoAnswerKind = NoAnswerKind.TIMEOUT


class Hangs:
    """A circuit breaker for each origin, shared by all clients of one process.

    An origin is known to hang after two timeouts of requests that began after its last answer. If all of them
    were of one path, only that path is known to hang, as the others may answer. An origin that answers other
    requests meanwhile has one slow endpoint, so requests continue. While an origin is known to hang, requests
    of items fail at once. Any answer, also one to a sampler, ends that state.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}
        self._lock = threading.Lock()

    def admit(self, origin: str, path: str = "") -> None:
        """Return if a request may be sent.

        Args:
            origin: scheme, host and port of the request.
            path: of the request, without its query.

        Raises:
            KnownToHang: the origin, or this path of it, is known to hang, and it is too early to try again.
        """
        with self._lock:
            state = self._states.get(origin)
            if state is None or len(state.hung) < _ENOUGH:
                return
            paths = {hung for _, hung in state.hung}
            if len(paths) == 1 and path not in paths:
                return
            if self._clock() >= state.last_at + _TRY_AGAIN_S:
                state.last_at = self._clock()  # this request tests the origin; the others wait for its result
                return
            waited = f"{state.waited_s:.0f}" if state.waited_s >= 1 else f"{state.waited_s:.1f}"
            kind = state.kind
            times = "twice" if len(state.hung) == _ENOUGH else f"{len(state.hung)} times"
        subject = f"{origin}{path}" if len(paths) == 1 else origin
        raise KnownToHang(f"{subject} did not answer in {waited} s, {times}; {NOT_ASKED}", origin, kind)

    def timed_out(
        self,
        origin: str,
        began: float,
        allowed_s: float,
        kind: NoAnswerKind = NoAnswerKind.TIMEOUT,
        path: str = "",
    ) -> None:
        """Record that a request had no answer within its whole time.

        Args:
            origin: scheme, host and port of the request.
            began: when the request was sent, by the clock.
            allowed_s: the seconds that it had.
            kind: the step that timed out.
            path: of the request, without its query.
        """
        with self._lock:
            state = self._states.setdefault(origin, _State())
            state.hung = [one for one in state.hung if one[0] > state.answered_at]
            if began > state.answered_at:
                state.hung.append((began, path))
                state.last_at, state.waited_s, state.kind = self._clock(), allowed_s, kind

    def answered(self, origin: str, at: float | None = None) -> None:
        """Record that an answer came: the origin did not hang.

        Args:
            origin: scheme, host and port of the request.
            at: when the answer came, by the clock; None means now.
        """
        with self._lock:
            state = self._states.setdefault(origin, _State())
            state.answered_at = max(state.answered_at, self._clock() if at is None else at)
            state.hung = [one for one in state.hung if one[0] > state.answered_at]

    def ended(self, origin: str, *, bad: bool) -> None:
        """Record how a request ended; `bad` means no answer or a 5xx."""
        with self._lock:
            state = self._states.setdefault(origin, _State())
            state.bad_in_a_row = state.bad_in_a_row + 1 if bad else 0

    def down(self, origin: str) -> bool:
        """The last requests all had no answer, or a 5xx: one more try gives no new information."""
        with self._lock:
            state = self._states.get(origin)
            return state is not None and state.bad_in_a_row >= _DOWN

    def known(self) -> tuple[str, ...]:
        """The origins that are known to hang, or of which a path is."""
        with self._lock:
            return tuple(origin for origin, state in self._states.items() if len(state.hung) >= _ENOUGH)

    def try_again(self, besides: Collection[str] = ()) -> None:
        """Let the next request to each origin through, except to the origins in `besides`."""
        with self._lock:
            for origin, state in self._states.items():
                if origin not in besides:
                    state.last_at = float("-inf")
