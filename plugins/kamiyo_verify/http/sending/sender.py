"""Send one request and say how it ended: with an answer, or with the reason why there is none."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.bodies import UnreadableBody
from kamiyo_verify.http.credentials import Carried
from kamiyo_verify.http.deadline import RequestDeadline, fairly, ms_since, under_deadline
from kamiyo_verify.http.problems import LookupTimeout, chain, network_errors, no_answer
from kamiyo_verify.http.readable import masked_url, without
from kamiyo_verify.http.requests import secrets_of
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.times import utc_now

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was sent, and how it ended; it has an `answer`, or is `lost`.

    Attributes:
        url: as it may be shown.
        at: when it was sent, UTC, ISO 8601.
        began: the same by `time.monotonic()`.
        allowed_s: seconds that it had.
        took_ms: until its end.
        hung: it had no answer within its time.
    """

    url: str
    at: str
    began: float
    allowed_s: float
    took_ms: float
    answer: Answer | None = None
    lost: NoAnswer | None = None
    hung: bool = False

    @property
    def good(self) -> bool:
        """There is an answer, neither a 5xx nor a 429."""
        return self.answer is not None and self.answer.status < 500 and self.answer.status != 429


class Sender:
    """Sends the requests of one client; thread-safe.

    Args:
        origin: scheme, host and port.
        timeouts: of each request.
    """

    def __init__(self, origin: str, timeouts: Timeouts) -> None:
        # Imported before the first request, whose time is measured; a plan sends none and does without.
        from kamiyo_verify.http.sending.transport import Transport  # noqa: PLC0415

        self._origin = origin
        self._timeouts = timeouts
        self._transport = Transport(origin)
        self._losses: tuple[type[Exception], ...] = (*network_errors(), UnreadableBody, NoAnswer)

    def send(
        self,
        request: httpx2.Request,
        form: Mapping[str, str] | None,
        carried: Carried | None,
        allowed_s: float,
    ) -> Sent:
        """Send one request and return how it ended.

        Args:
            request: of this origin.
            form: its form, whose secrets no message may show.
            carried: the credential among its parts.
            allowed_s: seconds for all of it.
        """
        secrets = secrets_of(request, form) | (carried.secrets if carried else frozenset())
        url = without(secrets, masked_url(str(request.url)))
        at, deadline = (
            utc_now(),
            RequestDeadline(until=time.monotonic() + allowed_s, connect_s=self._timeouts.connect),
        )
        try:
            with under_deadline(deadline):
                answer = self._transport.send(request, deadline, secrets)
        except self._losses as problem:
            lost = self._lost(problem, deadline, allowed_s)
            hung = lost.kind is NoAnswerKind.TIMEOUT or any(
                isinstance(one, LookupTimeout) for one in chain(problem)
            )
            took = ms_since(deadline.began)
            return Sent(url, at, deadline.began, allowed_s, took, lost=lost, hung=hung)
        return Sent(url, at, deadline.began, allowed_s, answer.elapsed_ms, answer)

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._transport.close()

    def _lost(self, problem: Exception, deadline: RequestDeadline, allowed_s: float) -> NoAnswer:
        match problem:
            case NoAnswer():
                return problem
            case UnreadableBody():
                return NoAnswer(NoAnswerKind.CUT, f"{self._origin} {problem}", self._origin)
        lost = no_answer(
            problem, self._origin, time.monotonic() - deadline.began, connected=deadline.connected
        )
        return fairly(lost, allowed_s, self._timeouts.answer)
