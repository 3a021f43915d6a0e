"""Read Stripe's webhook endpoints and events, with Stripe's library over our HTTP client."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import stripe
from pydantic import BaseModel, ValidationError

from kamiyo_verify.http.client import Answer, HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.readable import readable
from kamiyo_verify.http.service import MOST_PAGES
from kamiyo_verify.integrations.stripe.settings import Stripe as Table
from kamiyo_verify.integrations.stripe.shapes import StripeList, StripeRefusal
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer
from kamiyo_verify.model.outside.deliveries import StripeEvent, WebhookEndpoint

# Otherwise the library stores an id of this machine in the home folder, and times of its calls.
stripe.enable_telemetry = False

Row = TypeVar("Row", bound=BaseModel)

_ROWS_A_PAGE = 100
"""Stripe's own maximum, also for `types`."""
_MOST_TYPES = 20

_SENT = frozenset({"authorization", "stripe-version"})
"""Headers of the library that are sent; the others describe this machine."""


_REFUSED = {401: RefusalKind.UNAUTHORIZED, 403: RefusalKind.FORBIDDEN}

_PERMISSION = re.compile(r"'((?:rak_)?\w{1,60}_(?:read|write))'")
"""In Stripe's words: "Having the 'rak_webhook_read' permission would allow this request to continue."."""


class _Transport(stripe.HTTPClient):
    """Sends the library's requests with `HttpClient`: its limits, its rate-limit waits, its records."""

    name = "kamiyo-verify"

    def __init__(self, http: HttpClient) -> None:
        super().__init__()
        self._http = http

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,  # noqa: ARG002 - the library passes it; a GET has none
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send one GET of the library, which sends no other method.

        Raises:
            NoAnswer: no answer came, or it is not a Stripe list.
        """
        parts = urlsplit(url)
        sent = {name: value for name, value in (headers or {}).items() if name.lower() in _SENT}
        answer = self._http.request(method.upper(), f"{parts.path}?{parts.query}", headers=sent)
        if 200 <= answer.status < 300:
            self._expect_a_list(answer)
            return answer.text, answer.status, {}
        return _refusal(answer), answer.status, {}  # without headers: the library would print a Stripe-Notice

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _expect_a_list(self, answer: Answer) -> None:
        try:
            answer.parse(StripeList)
        except WrongAnswer as problem:
            message = f"Stripe gave no usable answer: {problem}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._http.origin) from None


def _refusal(answer: Answer) -> str:
    """Stripe's error body, empty if it is not one: the status alone is enough for the library."""
    try:
        return answer.parse(StripeRefusal).model_dump_json()
    except WrongAnswer:
        return '{"error": {}}'


class StripeAccount:
    """Data about our webhook.

    Every method raises `NoAnswer` if Stripe has no usable answer, and `Unverified` if a restricted key lacks
    a permission; the message names it.

    Args:
        table: the environment's [stripe].
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        parts = urlsplit(table.address)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self.credential = table.key.name
        self._key = table.key.reveal().strip()
        http = HttpClient(self._origin, context)
        self._transport = _Transport(http)
        self._client = stripe.StripeClient(
            self._key,
            base_addresses={"api": table.address},
            max_network_retries=0,  # HttpClient waits where useful, within the item's time
            http_client=self._transport,
        )

    @property
    def livemode(self) -> bool | None:
        """Whether the key is for live mode; None if its form does not show it."""
        mode = self._key.partition("_")[2].partition("_")[0]
        return {"live": True, "test": False}.get(mode)

    def webhook_endpoints(self) -> tuple[WebhookEndpoint, ...]:
        """All endpoints of the account, the disabled ones too."""
        return self._rows(WebhookEndpoint, self._client.v1.webhook_endpoints.list, {})

    def recent_events(self, types: Iterable[str], since: datetime) -> tuple[StripeEvent, ...]:
        """The events of those types since then, newest first; of all types if none is named.

        Stripe keeps events for 30 days.
        """
        names = tuple(types)
        params: dict[str, object] = {"created": {"gte": math.ceil(since.timestamp())}}
        if len(names) == 1:
            params["type"] = names[0]
        elif names:
            params["types"] = list(names[:_MOST_TYPES])
        return self._rows(StripeEvent, self._client.v1.events.list, params)

    def failed_deliveries(self, since: datetime, until: datetime | None = None) -> tuple[StripeEvent, ...]:
        """The events of that time range that have not reached every endpoint.

        Args:
            since: at most 30 days ago.
            until: leave the last minutes out, as an event in delivery counts as well.
        """
        created = {"gte": math.ceil(since.timestamp())}
        if until is not None:
            created["lte"] = int(until.timestamp())
        return self._rows(
            StripeEvent, self._client.v1.events.list, {"created": created, "delivery_success": False}
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _rows(
        self, shape: type[Row], ask: Callable[[Any], stripe.ListObject[Any]], params: dict[str, object]
    ) -> tuple[Row, ...]:
        raw = [row.to_dict() for page in self._pages(ask, params) for row in page.data]
        try:
            return tuple(shape.model_validate(row) for row in raw)
        except ValidationError as problem:
            error = problem.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(step) for step in error["loc"])
            self._unusable(f"Stripe gave no usable answer: {place}: {readable(error['msg'])}")

    def _pages(
        self, ask: Callable[[Any], stripe.ListObject[Any]], params: dict[str, object]
    ) -> Iterator[stripe.ListObject[Any]]:
        params = {**params, "limit": _ROWS_A_PAGE}
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._request(ask, params)
            yield page
            if not page.has_more:
                return
            last = page.data[-1].id if page.data else ""
            if not last or last in seen:
                self._unusable("Stripe pages in a circle")
            seen.add(last)
            params["starting_after"] = last
        self._unusable(f"Stripe has more than {MOST_PAGES} pages")

    def _request(
        self, ask: Callable[[Any], stripe.ListObject[Any]], params: dict[str, object]
    ) -> stripe.ListObject[Any]:
        try:
            return ask(dict(params))
        except stripe.PermissionError as problem:
            found = _PERMISSION.search(problem.user_message or "")
            if found:
                raise Unverified(
                    f"{self.credential} is a restricted key without the permission {found[1]}: Stripe shows"
                    " this to a key that has it"
                ) from None
            kind, why = self._classify(problem)
            status = problem.http_status
        except stripe.StripeError as problem:
            kind, why = self._classify(problem)
            status = problem.http_status
        refused = _REFUSED.get(status or 0) if kind is NoAnswerKind.CREDENTIAL else None
        refusal = Refusal(self.credential, refused) if refused else None
        raise NoAnswer(kind, f"Stripe at {self._origin} answered {status}: {why}", self._origin, refusal)

    def _classify(self, problem: stripe.StripeError) -> tuple[NoAnswerKind, str]:
        """Kind and message of the library's errors, by what can be done about them."""
        match problem:
            case stripe.AuthenticationError():
                return NoAnswerKind.CREDENTIAL, f"{self.credential} is not accepted; it may have been rolled"
            case stripe.PermissionError():
                return (
                    NoAnswerKind.CREDENTIAL,
                    f"{self.credential} may not read this; it needs webhook endpoints and events, to read",
                )
            case stripe.RateLimitError():
                return NoAnswerKind.RATE_LIMITED, "its rate limit is used up"
            case stripe.APIConnectionError():
                return NoAnswerKind.UNREACHABLE, "the connection was lost"
            case stripe.InvalidRequestError():
                return NoAnswerKind.UNUSABLE, readable(
                    problem.user_message or "it takes the request for wrong"
                )
            case _:
                return NoAnswerKind.UNUSABLE, "no list, and no reason that helps"

    def _unusable(self, what: str) -> NoReturn:
        raise NoAnswer(NoAnswerKind.UNUSABLE, what, self._origin)
