"""Read public status pages in several formats; read and update our own through Statuspage's API."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, RootModel, ValidationError

from kamiyo_verify.http.client import Answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.readable import readable
from kamiyo_verify.http.service import Service, segment
from kamiyo_verify.integrations.statuspage.forms import FORMS, Form
from kamiyo_verify.integrations.statuspage.settings import StatusPages as Table
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, NotRead, Unverified, WrongAnswer
from kamiyo_verify.model.outside.status import Component, ComponentStatus, Incident, OwnPage, Summary

Row = TypeVar("Row", bound=BaseModel)

_MOST_MOVES = 3
_LONGEST_ADDRESS = 2_000
_TRIED = frozenset({200, 301, 302, 303, 307, 308, 400, 404, 405, 406, 410, 415, 418, 422})
"""Statuses after which the next format is tried."""

_ROWS_A_PAGE = 100
_REQUESTS_A_MINUTE = 60
"""Statuspage allows "1 request / second as measured on a 60 second rolling window"."""


class _Components(RootModel[tuple[Component, ...]]):
    pass


class _Incidents(RootModel[tuple[Incident, ...]]):
    pass


class StatusPages:
    """Status pages. Every method raises `NoAnswer` if a page has no usable answer.

    Args:
        table: the environment's [status_pages].
        context: shared with other clients.
        clock: seconds, monotonic.
        sleep: how to wait.
    """

    def __init__(
        self,
        table: Table,
        context: ClientContext,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._table = table
        self._context = context
        self._clock = clock
        self._sleep = sleep
        self._sent_at: deque[float] = deque(maxlen=_REQUESTS_A_MINUTE)

    def summary(self, address: str) -> Summary:
        """The current content of a public page, in any of the formats in `FORMS`.

        Args:
            address: of the page, such as "https://status.render.com"; no credential is sent. A redirect to
                another origin is followed.

        Raises:
            NotRead: it answers, but in no supported format.
            NoAnswer: it does not answer.
        """
        for _ in range(_MOST_MOVES):
            found = self._summary_at(address)
            if isinstance(found, Summary):
                return found
            address = found
        raise NotRead(f"the status page at {address} has moved more than {_MOST_MOVES} times")

    def _summary_at(self, address: str) -> Summary | str:
        """The page's summary, or the origin that it has moved to."""
        service = self._service("The status page", address)
        unreadable: list[str] = []
        try:
            for form in FORMS:
                answer = service.send("GET", form.path, accepted=_TRIED)
                moved = _origin_moved_to(answer, address)
                if moved:
                    return moved
                found = self._read(service, form, answer)
                if isinstance(found, Summary):
                    return found
                unreadable.append(found)
        finally:
            service.close()
        names = ", ".join(form.name for form in FORMS)
        raise NotRead(
            f"the status page at {address} is not read: it has none of the forms of {names}"
            f" ({unreadable[0]}); look at its address in [status_pages]"
        )

    def _read(self, service: Service, form: Form, answer: Answer) -> Summary | str:
        """The summary, or why the answer is not in this format."""
        if answer.status != 200:
            return answer.mismatch("200")
        try:
            value = answer.json()
            if not isinstance(value, dict) or not form.fits(value):
                return f"{form.path} has no {', '.join(sorted(form.keys))}"
            if form.more:
                more = service.send("GET", form.more, accepted=_TRIED)
                value |= _components(more.json()) if more.status == 200 else {}
            return form.read(value)
        except WrongAnswer as problem:
            return str(problem)
        except (ValidationError, KeyError) as problem:
            first = problem.errors(include_url=False)[0] if isinstance(problem, ValidationError) else None
            place = ".".join(str(step) for step in first["loc"]) if first else "a state"
            return readable(f"{form.path}: {place} is not as {form.name} has it", longest=200)

    def own_page(self) -> OwnPage:
        """Our own page: its components, its unresolved incidents, the current maintenances.

        Raises:
            Unverified: the environment does not name our page.
            NoAnswer: no usable answer came.
        """
        with self._own() as (service, root):
            return OwnPage(
                components=self._rows(service, f"{root}/components", _Components),
                incidents=self._rows(service, f"{root}/incidents/unresolved", _Incidents),
                maintenances=self._rows(service, f"{root}/incidents/active_maintenance", _Incidents),
            )

    def own_components(self) -> tuple[Component, ...]:
        """The components of our own page.

        Raises:
            Unverified, NoAnswer: see `own_page`.
        """
        with self._own() as (service, root):
            return self._rows(service, f"{root}/components", _Components)

    def set_status(self, component: Component, status: ComponentStatus) -> None:
        """Set the status of a component of our own page.

        Raises:
            Unverified, NoAnswer: see `own_page`; or the page has another status afterwards. If no answer
                came, the component may be set nevertheless.
        """
        with self._own() as (service, root):
            self._wait_for_a_turn(service)
            path = f"{root}/components/{segment(component.id)}"
            hint = f"the page takes no status for {component.name}: it may have been removed just now"
            body = {"component": {"status": status.value}}
            now = service.read(service.send("PATCH", path, json=body, hint=hint), Component)
            if now.status is not status:
                service.unusable(f"{component.name} was to be {status}, and the page says {now.status}")

    @contextmanager
    def _own(self) -> Iterator[tuple[Service, str]]:
        """The client of our own page, and the path prefix of its requests."""
        if not self._table.own_page_id:
            raise Unverified("[status_pages] own_page_id is not set")
        key = self._table.own_key
        service = self._service(
            "Statuspage", self._table.own_address, key.name, {"Authorization": f"OAuth {key.reveal()}"}
        )
        try:
            yield service, f"/v1/pages/{segment(self._table.own_page_id)}"
        finally:
            service.close()

    def _rows(self, service: Service, path: str, shape: type[RootModel[tuple[Row, ...]]]) -> tuple[Row, ...]:
        rows: list[Row] = []

        def onward(_: Answer) -> Mapping[str, str] | None:
            if not rows or len(rows) % _ROWS_A_PAGE:
                return None
            self._wait_for_a_turn(service)
            return {"page": str(len(rows) // _ROWS_A_PAGE + 1)}

        self._wait_for_a_turn(service)
        hint = "no such page: look at [status_pages] own_page_id"
        params = {"page": 1, "per_page": _ROWS_A_PAGE}
        for answer in service.pages(path, onward, params=params, hint=hint):
            page = service.read(answer, shape).root
            rows += page
            if not page:  # the previous page was full, and the last
                break
        return tuple(rows)

    def _wait_for_a_turn(self, service: Service) -> None:
        """Wait as long as the rolling rate limit requires.

        Raises:
            NoAnswer: RATE_LIMITED, the wait does not fit the item's time.
        """
        if len(self._sent_at) == _REQUESTS_A_MINUTE:
            wait = self._sent_at[0] + 60 - self._clock()
            if wait >= self._context.remaining():
                message = f"{service.origin} allows 60 requests a minute: the next one may go in {wait:.0f} s"
                raise NoAnswer(NoAnswerKind.RATE_LIMITED, message, service.origin)
            if wait > 0:
                self._sleep(wait)
        self._sent_at.append(self._clock())

    def _service(
        self, name: str, address: str, credential: str = "", headers: Mapping[str, str] | None = None
    ) -> Service:
        return Service(name, address, credential, self._context, headers=headers)


def _origin_moved_to(answer: Answer, address: str) -> str:
    """The other origin in a redirect, never from https to http; "" if there is none."""
    if not 300 <= answer.status < 400:
        return ""
    try:
        parts = urlsplit(urljoin(answer.url, str(answer.headers.get("location", ""))[:_LONGEST_ADDRESS]))
        _ = parts.port
    except ValueError:
        return ""
    safe = parts.scheme == "https" or (parts.scheme == "http" and address.startswith("http:"))
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    same = origin == "{0.scheme}://{0.netloc}".format(urlsplit(address))
    return origin if safe and parts.hostname and not same else ""


def _components(value: object) -> dict[str, object]:
    return {"components": value["components"]} if isinstance(value, dict) and "components" in value else {}
