"""HTTP client for one origin: bounded time and size, rate-limit handling, no secrets in messages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.bodies import UnreadableBody
from kamiyo_verify.http.context import ClientContext, Record
from kamiyo_verify.http.credentials import Carried
from kamiyo_verify.http.deadline import RequestDeadline, fairly, ms_since, seconds_allowed, under_deadline
from kamiyo_verify.http.leaks import leak_in
from kamiyo_verify.http.problems import LookupTimeout, chain, challenge_in, network_errors, no_answer
from kamiyo_verify.http.readable import masked_url, without
from kamiyo_verify.http.requests import Parts, build, onward, secrets_of
from kamiyo_verify.http.throttle import Throttle
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.times import utc_now

if TYPE_CHECKING:
    import httpx2

__all__ = ["Answer", "HttpClient", "Record", "Throttle"]

_MOST_REDIRECTS = 5


class HttpClient:
    """Send requests to one origin; each request ends in time, in an `Answer` or a `NoAnswer`.

    Cookies are not kept: each request sends only those that it is given. The client is thread-safe.

    Args:
        origin: scheme, host and port, such as "https://api.example.com".
        context: shared with other clients.
        headers: sent with every request.
    """

    def __init__(
        self, origin: str, context: ClientContext, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self.origin = origin
        self.context = context
        self._headers = dict(headers or {})
        # Imported before the first request, whose time is measured; a plan sends none and does without.
        from kamiyo_verify.http.transport import Transport  # noqa: PLC0415

        self._transport = Transport(origin)
        self._losses: tuple[type[Exception], ...] = (*network_errors(), UnreadableBody, NoAnswer)

    def get(self, path: str, **parts: Unpack[Parts]) -> Answer:
        """Send a GET request, see `request`."""
        return self.request("GET", path, **parts)

    def post(self, path: str, **parts: Unpack[Parts]) -> Answer:
        """Send a POST request with one of three kinds of body, see `request`."""
        return self.request("POST", path, **parts)

    def request(self, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """Send a request; wait after a 429 if time allows; follow up to 5 redirects within the origin.

        Args:
            method: any except HEAD, which the API does not support.
            path: begins with "/"; may contain a query.
            **parts: params, headers, cookies, at most one of content, form and json, and `carried`: the
                credential among them, for the evidence.

        Returns:
            The answer, whatever its status. A redirect that is not followed (to another origin, the sixth, or
            of another method than GET) is returned as an answer.

        Raises:
            NoAnswer: no complete answer arrived in time, or the item has too little time left to wait.
        """
        request, answer = self._begin(method, path, parts)
        carried = parts.get("carried")
        for _ in range(_MOST_REDIRECTS):
            target = onward(request, answer.status, answer.headers.get("location", ""))
            if target is None:
                break
            request, answer = target, self._patiently(target, None, carried)
        return answer

    def first(self, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """Send a request, see `request`, and return its own answer: no redirect is followed."""
        return self._begin(method, path, parts)[1]

    def get_once(
        self,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        carried: Carried | None = None,
    ) -> Answer:
        """GET without waiting for rate limits and without following redirects: one exchange, for sampling.

        Raises:
            NoAnswer: see `request`; never RATE_LIMITED.
        """
        request = build("GET", self.origin, path, self._headers, {"params": params, "headers": headers})
        return self._exchange(request, None, carried)

    def tier_of(self, caller: str) -> str:
        """The rate-limit tier that the server reports for an API key; "" if it never reported one."""
        return self.context.throttle.tier_of(self.origin, caller)

    def repeat(self, request: httpx2.Request) -> Answer:
        """Send an earlier request again, unchanged: one exchange, without waiting for rate limits.

        Raises:
            NoAnswer: see `get_once`.
        """
        return self._exchange(request, None, None)

    def close(self) -> None:
        """Close the connections. The client may be used again."""
        self._transport.close()

    def _begin(self, method: str, path: str, parts: Parts) -> tuple[httpx2.Request, Answer]:
        request = build(method, self.origin, path, self._headers, parts)
        return request, self._patiently(request, parts.get("form"), parts.get("carried"))

    def _patiently(
        self, request: httpx2.Request, form: Mapping[str, str] | None, carried: Carried | None
    ) -> Answer:
        caller, path = request.headers.get("x-api-key", ""), request.url.path
        while True:
            self.context.hangs.admit(self.origin, path)
            self.context.throttle.admit(self.origin, caller, path, self.context.remaining())
            answer = self._exchange(request, form, carried)
            if answer.status != 429:
                self.context.throttle.answered(self.origin, caller, path)
                return answer
            self.context.throttle.limited(self.origin, caller, path, answer.headers)

    def _exchange(
        self, request: httpx2.Request, form: Mapping[str, str] | None, carried: Carried | None
    ) -> Answer:
        """Send one request and record its result, an answer or none."""
        allowed = seconds_allowed(self.origin, self.context.timeouts, self.context.remaining)
        secrets = secrets_of(request, form) | (carried.secrets if carried else frozenset())
        url = without(secrets, masked_url(str(request.url)))
        self.context.repeats.note(request)
        at, deadline = (
            utc_now(),
            RequestDeadline(until=time.monotonic() + allowed, connect_s=self.context.timeouts.connect),
        )
        try:
            with under_deadline(deadline):
                answer = self._transport.send(request, deadline, secrets)
        except self._losses as problem:
            lost = self._lost(problem, deadline, allowed)
            hung = lost.kind is NoAnswerKind.TIMEOUT or any(
                isinstance(one, LookupTimeout) for one in chain(problem)
            )
        else:
            self._answered(request, answer, url, at, carried)
            if (challenge := challenge_in(answer.status, answer.headers, self.origin)) is not None:
                raise challenge
            return answer
        if hung:
            self.context.hangs.timed_out(self.origin, deadline.began, allowed, lost.kind, request.url.path)
        self.context.hangs.ended(self.origin, bad=True)
        self.context.record(
            Exchange(
                request.method,
                url,
                None,
                ms_since(deadline.began),
                problem=str(lost),
                at=at,
                credential=carried.variable if carried else "",
            )
        )
        # Without what was caught: it may quote the request's headers, and it keeps the body in memory.
        raise lost.with_traceback(None)

    def _answered(
        self, request: httpx2.Request, answer: Answer, url: str, at: str, carried: Carried | None
    ) -> None:
        self.context.throttle.note_tier(self.origin, request.headers.get("x-api-key", ""), answer.headers)
        self.context.hangs.answered(self.origin)
        self.context.hangs.ended(self.origin, bad=answer.status >= 500)
        challenge = challenge_in(answer.status, answer.headers, self.origin)
        leak = leak_in(answer) if answer.status >= 500 and challenge is None else ""
        self.context.record(
            Exchange(
                request.method,
                url,
                answer.status,
                answer.elapsed_ms,
                request_id=answer.request_id,
                problem=str(challenge) if challenge else "",
                at=at,
                credential=carried.variable if carried else "",
                accepted=carried.accepted(answer) if carried and challenge is None else None,
                leak=leak,
            )
        )

    def _lost(self, problem: Exception, deadline: RequestDeadline, allowed: float) -> NoAnswer:
        match problem:
            case NoAnswer():
                return problem
            case UnreadableBody():
                return NoAnswer(NoAnswerKind.CUT, f"{self.origin} {problem}", self.origin)
        lost = no_answer(
            problem, self.origin, time.monotonic() - deadline.began, connected=deadline.connected
        )
        return fairly(lost, allowed, self.context.timeouts.answer)
