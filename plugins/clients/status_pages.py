"""Status pages as Statuspage serves them: the public ones of others, and our own by its API."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, Unpack

from pydantic import BaseModel, RootModel

from plugins.clients.http import Answer
from plugins.clients.manner import Manner
from plugins.clients.service import Service, segment
from plugins.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from plugins.model.outside import StatusPages as Table
from plugins.model.status import Component, ComponentStatus, Incident, OwnPage, Summary

Row = TypeVar("Row", bound=BaseModel)

_ROWS_A_PAGE = 100
_REQUESTS_A_MINUTE = 60
"""Statuspage allows "1 request / second as measured on a 60 second rolling window"."""


class _Components(RootModel[tuple[Component, ...]]):
    pass


class _Incidents(RootModel[tuple[Incident, ...]]):
    pass


class StatusPages:
    """What status pages say. Every method raises `NoAnswer` where they do not tell.

    Args:
        table: the environment's [status_pages].
        manner: how to ask, see `Manner`.
        clock: seconds, monotonic.
        sleep: how to wait.
    """

    def __init__(
        self,
        table: Table,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        **manner: Unpack[Manner],
    ) -> None:
        self._table = table
        self._manner = manner
        self._clock = clock
        self._sleep = sleep
        self._asked: deque[float] = deque(maxlen=_REQUESTS_A_MINUTE)

    def summary(self, address: str) -> Summary:
        """What a public page says right now.

        Args:
            address: of the page, such as "https://status.render.com"; no credential goes there.
        """
        service = self._service("The status page", address)
        try:
            hint = "it is no page of Statuspage's kind: look at its address in [status_pages]"
            return service.ask("/api/v2/summary.json", Summary, hint=hint)
        finally:
            service.close()

    def own_page(self) -> OwnPage:
        """Our own page: its components, its unresolved incidents, the maintenances that are under way.

        Raises:
            Unverified: the environment names no page of ours.
            NoAnswer: it does not tell.
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
            Unverified, NoAnswer: as of `own_page`.
        """
        with self._own() as (service, root):
            return self._rows(service, f"{root}/components", _Components)

    def set_status(self, component: Component, status: ComponentStatus) -> None:
        """Set the status of a component of our own page.

        Raises:
            Unverified, NoAnswer: as of `own_page`, or the page has it otherwise afterwards. Where no answer
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
        """Our own page's service, and the path of all that is asked of it."""
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
            if not page:  # the one before was full, and the last
                break
        return tuple(rows)

    def _wait_for_a_turn(self, service: Service) -> None:
        """Keep to the rolling window.

        Raises:
            NoAnswer: RATE_LIMITED, the wait does not fit the item's time.
        """
        if len(self._asked) == _REQUESTS_A_MINUTE:
            wait = self._asked[0] + 60 - self._clock()
            if wait >= self._manner["remaining"]():
                message = f"{service.origin} allows 60 requests a minute: the next one may go in {wait:.0f} s"
                raise NoAnswer(NoAnswerKind.RATE_LIMITED, message, service.origin)
            if wait > 0:
                self._sleep(wait)
        self._asked.append(self._clock())

    def _service(
        self, name: str, address: str, credential: str = "", headers: Mapping[str, str] | None = None
    ) -> Service:
        return Service(
            name,
            address,
            credential,
            headers=headers,
            **self._manner,
        )
