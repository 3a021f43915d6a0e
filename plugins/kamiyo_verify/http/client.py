"""HTTP client for one origin: bounded time and size, rate-limit handling, no secrets in messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.context import ClientContext, Record
from kamiyo_verify.http.credentials import Carried
from kamiyo_verify.http.deadline import seconds_allowed
from kamiyo_verify.http.leaks import leak_in
from kamiyo_verify.http.overlap.ahead import NotInRehearsal, Rehearsal, current_rehearsal
from kamiyo_verify.http.problems import challenge_in
from kamiyo_verify.http.repeats import SAFE
from kamiyo_verify.http.requests import Parts, build, onward
from kamiyo_verify.http.responder import copy_in, facts_of, is_past_caches, past_caches, tells_more
from kamiyo_verify.http.sending.sender import Sender, Sent
from kamiyo_verify.http.throttle import Throttle
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange

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
        of_platform: a service of the platform: who gave an answer is recorded, and a cache is asked past.
    """

    def __init__(
        self,
        origin: str,
        context: ClientContext,
        *,
        headers: Mapping[str, str] | None = None,
        of_platform: bool = False,
    ) -> None:
        self.origin = origin
        self._of_platform = of_platform
        self.context = context
        self._headers = dict(headers or {})
        self._sender = Sender(origin, context.timeouts)

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
        return self._exchange(past_caches(request) if is_past_caches(request) else request, None, None)

    def close(self) -> None:
        """Close the connections. The client may be used again."""
        self._sender.close()

    def _begin(self, method: str, path: str, parts: Parts) -> tuple[httpx2.Request, Answer]:
        request = build(method, self.origin, path, self._headers, parts)
        return request, self._patiently(request, parts.get("form"), parts.get("carried"))

    def _patiently(
        self, request: httpx2.Request, form: Mapping[str, str] | None, carried: Carried | None
    ) -> Answer:
        rehearsal = current_rehearsal()
        if rehearsal is not None:
            return self._rehearse(rehearsal, request, carried)
        caller, path = request.headers.get("x-api-key", ""), request.url.path
        while True:
            self.context.hangs.admit(self.origin, path)
            early = self.context.ahead.claim(request)
            if early is None:
                self.context.throttle.admit(self.origin, caller, path, self.context.remaining())
            answer = self._exchange(request, form, carried, early)
            if answer.status != 429:
                if early is None:  # an early answer may be older than a limit
                    self.context.throttle.answered(self.origin, caller, path)
                return self._of_the_service(request, answer, carried)
            self.context.throttle.limited(self.origin, caller, path, answer.headers)

    def _of_the_service(self, request: httpx2.Request, answer: Answer, carried: Carried | None) -> Answer:
        """The service's own answer in place of a cache's, if it can be had."""
        stored = self._of_platform and request.method == "GET" and copy_in(answer) is not None
        if not stored or is_past_caches(request):
            return answer
        try:
            fresh = self._patiently(past_caches(request), None, carried)
        except NoAnswer as lost:
            if lost.kind in {NoAnswerKind.RATE_LIMITED, NoAnswerKind.CHALLENGED}:
                return answer
            raise
        return fresh if tells_more(fresh, answer) else answer

    def _rehearse(self, rehearsal: Rehearsal, request: httpx2.Request, carried: Carried | None) -> Answer:
        """Send a request ahead of its item's turn, if it is safe and needs no wait; record nothing yet.

        Raises:
            NotInRehearsal: it is not sent ahead, or nothing good came of it: the item asks itself.
        """
        if request.method not in SAFE:
            raise NotInRehearsal
        with self.context.ahead.lane(self.origin):
            with rehearsal.asking(request, lambda sent: self._settle(request, sent, carried)) as early:
                caller = request.headers.get("x-api-key", "")
                try:
                    self.context.throttle.admit(self.origin, caller, request.url.path, 0.0)
                except NoAnswer:
                    raise NotInRehearsal from None
                early.sent = self._sender.send(request, None, carried, self.context.timeouts.answer)
            self.context.ahead.note(self.origin, early.sent)
        if early.sent.answer is None or not early.sent.good:
            raise NotInRehearsal
        return early.sent.answer

    def _exchange(
        self,
        request: httpx2.Request,
        form: Mapping[str, str] | None,
        carried: Carried | None,
        early: Sent | None = None,
    ) -> Answer:
        """Send one request, unless it was sent early, and record its result, an answer or none."""
        if current_rehearsal() is not None:
            raise NotInRehearsal
        self.context.repeats.note(request)
        if early is None:
            allowed = seconds_allowed(self.origin, self.context.timeouts, self.context.remaining)
            early = self._sender.send(request, form, carried, allowed)
            self.context.ahead.note(self.origin, early)
        return self._settle(request, early, carried)

    def _settle(self, request: httpx2.Request, sent: Sent, carried: Carried | None) -> Answer:
        """Record how a request ended; return its answer.

        Raises:
            NoAnswer: it has none, or a firewall's challenge.
        """
        if sent.answer is not None:
            self._answered(request, sent.answer, sent, carried)
            if (challenge := challenge_in(sent.answer.status, sent.answer.headers, self.origin)) is not None:
                raise challenge
            return sent.answer
        lost = sent.lost or NoAnswer(NoAnswerKind.UNUSABLE, f"{self.origin} gave no answer", self.origin)
        if sent.hung:
            self.context.hangs.timed_out(self.origin, sent.began, sent.allowed_s, lost.kind, request.url.path)
        self.context.hangs.ended(self.origin, bad=True)
        self.context.record(
            Exchange(
                request.method,
                sent.url,
                None,
                sent.took_ms,
                problem=str(lost),
                at=sent.at,
                credential=carried.variable if carried else "",
            )
        )
        # Without what was caught: it may quote the request's headers, and it keeps the body in memory.
        raise lost.with_traceback(None)

    def _answered(self, request: httpx2.Request, answer: Answer, sent: Sent, carried: Carried | None) -> None:
        self.context.throttle.note_tier(self.origin, request.headers.get("x-api-key", ""), answer.headers)
        self.context.hangs.answered(self.origin, sent.began + sent.took_ms / 1000)
        self.context.hangs.ended(self.origin, bad=answer.status >= 500)
        challenge = challenge_in(answer.status, answer.headers, self.origin)
        leak = leak_in(answer) if answer.status >= 500 and challenge is None else ""
        self.context.record(
            Exchange(
                request.method,
                sent.url,
                answer.status,
                answer.elapsed_ms,
                request_id=answer.request_id,
                problem=str(challenge) if challenge else "",
                at=sent.at,
                credential=carried.variable if carried else "",
                accepted=carried.accepted(answer) if carried and challenge is None else None,
                leak=leak,
                **(facts_of(answer, sent.at) if self._of_platform else {}),
            )
        )
