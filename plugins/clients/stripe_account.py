"""Stripe's own side of the payments: its webhook endpoints and events, by Stripe's library over our HTTP."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NoReturn, TypeVar, Unpack
from urllib.parse import urlsplit

import stripe
from pydantic import BaseModel, ConfigDict, ValidationError

from plugins.clients.http import Answer, HttpClient
from plugins.clients.manner import Manner
from plugins.clients.readable import readable
from plugins.clients.service import MOST_PAGES
from plugins.model.deliveries import StripeEvent, WebhookEndpoint
from plugins.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from plugins.model.outside import Stripe as Table

# Otherwise the library keeps an id of this machine in the home folder, and times of its calls.
stripe.enable_telemetry = False

Row = TypeVar("Row", bound=BaseModel)

_ROWS_A_PAGE = 100
"""Stripe's own maximum, as is that of `types`."""
_MOST_TYPES = 20

_SENT = frozenset({"authorization", "stripe-version"})
"""Of the library's headers; the others tell of this machine."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str
    object: str


class _List(BaseModel):
    """What every list of Stripe's is; checked before the library reads it, which takes that for granted."""

    model_config = ConfigDict(extra="ignore")

    object: Literal["list"]
    data: tuple[_Row, ...]
    has_more: bool


class _Error(BaseModel):
    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None


class _Refusal(BaseModel):
    """What every error of Stripe's is; the library takes that for granted too."""

    error: _Error


class _Transport(stripe.HTTPClient):
    """The library's requests over `HttpClient`: its bounds, its patience with limits, its records."""

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
        """One GET of the library's; it is given no other.

        Raises:
            NoAnswer: none came, or what came is no list of Stripe's.
        """
        parts = urlsplit(url)
        sent = {name: value for name, value in (headers or {}).items() if name.lower() in _SENT}
        answer = self._http.request(method.upper(), f"{parts.path}?{parts.query}", headers=sent)
        if 200 <= answer.status < 300:
            self._expect_a_list(answer)
            return answer.text, answer.status, {}
        return _refusal(answer), answer.status, {}  # of its headers the library would print a Stripe-Notice

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _expect_a_list(self, answer: Answer) -> None:
        try:
            answer.parse(_List)
        except WrongAnswer as problem:
            message = f"Stripe gave no usable answer: {problem}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._http.origin) from None


def _refusal(answer: Answer) -> str:
    """The error as Stripe writes it, empty where it is none: the status alone tells the library enough."""
    try:
        return answer.parse(_Refusal).model_dump_json()
    except WrongAnswer:
        return '{"error": {}}'


class StripeAccount:
    """What Stripe knows of our webhook. Every method raises `NoAnswer` where it does not tell.

    Args:
        table: the environment's [stripe].
        manner: how to ask, see `Manner`.
    """

    def __init__(self, table: Table, **manner: Unpack[Manner]) -> None:
        parts = urlsplit(table.address)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._credential = table.key.name
        self._key = table.key.reveal().strip()
        http = HttpClient(self._origin, **manner)
        self._transport = _Transport(http)
        self._client = stripe.StripeClient(
            self._key,
            base_addresses={"api": table.address},
            max_network_retries=0,  # HttpClient waits where that helps, and knows how long an item may take
            http_client=self._transport,
        )

    @property
    def livemode(self) -> bool | None:
        """The key is of the live mode; None where its form does not tell."""
        mode = self._key.partition("_")[2].partition("_")[0]
        return {"live": True, "test": False}.get(mode)

    def webhook_endpoints(self) -> tuple[WebhookEndpoint, ...]:
        """All endpoints of the account, the disabled ones too."""
        return self._rows(WebhookEndpoint, self._client.v1.webhook_endpoints.list, {})

    def recent_events(self, types: Iterable[str], since: datetime) -> tuple[StripeEvent, ...]:
        """The events of those types since then, newest first; of all types where none is named.

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
        """The events of that time which have not arrived everywhere.

        Args:
            since: at most 30 days ago.
            until: leave the last minutes out, since an event that is still on its way counts as well.
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
            page = self._asked(ask, params)
            yield page
            if not page.has_more:
                return
            last = page.data[-1].id if page.data else ""
            if not last or last in seen:
                self._unusable("Stripe pages in a circle")
            seen.add(last)
            params["starting_after"] = last
        self._unusable(f"Stripe has more than {MOST_PAGES} pages")

    def _asked(
        self, ask: Callable[[Any], stripe.ListObject[Any]], params: dict[str, object]
    ) -> stripe.ListObject[Any]:
        try:
            return ask(dict(params))
        except stripe.StripeError as problem:
            kind, why = self._told(problem)
            status = problem.http_status
        raise NoAnswer(kind, f"Stripe at {self._origin} answered {status}: {why}", self._origin)

    def _told(self, problem: stripe.StripeError) -> tuple[NoAnswerKind, str]:
        """The library's errors by what can be done about them."""
        match problem:
            case stripe.AuthenticationError():
                return NoAnswerKind.CREDENTIAL, f"{self._credential} is not accepted; it may have been rolled"
            case stripe.PermissionError():
                return (
                    NoAnswerKind.CREDENTIAL,
                    f"{self._credential} may not read this; it needs webhook endpoints and events, to read",
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
