"""The pages, looked at by a browser as people do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from plugins.clients import browser_dashboard, browser_loads, browser_sign_in, browser_tour
from plugins.clients.browser_dashboard import Field, Narrowed, Opened, Row
from plugins.clients.browser_engine import Engine
from plugins.clients.browser_loads import Loads
from plugins.clients.browser_pictures import Keep, Pictures
from plugins.clients.browser_sign_in import Arrival
from plugins.clients.browser_tab import Tab
from plugins.clients.browser_tour import Tour
from plugins.clients.browser_traces import Trace
from plugins.clients.browser_watch import Watch
from plugins.model.environment import Environment
from plugins.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from plugins.model.result import Exchange
from plugins.model.words import Part

T = TypeVar("T")

_RESERVE_S = 4.0
"""Of an item's time: for finding out who is stuck, where something is."""

_LEAVE_S = 5.0


class BrowserClient:
    """What one try at an item does in the browser. Everybody who visits has a browser context of their own.

    Args:
        environment: where the pages are.
        engine: the browser.
        record: is told of every request to our own origins.
        remaining: seconds that the item has left.
        keep: takes the pictures.
        trace: takes down what the pages do, where that is wanted.
    """

    def __init__(
        self,
        environment: Environment,
        engine: Engine,
        *,
        record: Callable[[Exchange], None],
        remaining: Callable[[], float],
        keep: Keep,
        mask: Callable[[str], str],
        trace: Trace | None = None,
    ) -> None:
        self._environment = environment
        self._engine = engine
        self._record = record
        self._remaining = remaining
        self._pictures = Pictures(keep, mask)
        self._trace = trace
        self._own = frozenset(url.lower() for url in environment.urls.values())
        self._tab: Tab | None = None
        self._by_find = False

    @property
    def only_lost(self) -> bool:
        """The latest visit went by [browser.find], and nothing broke on the pages that it came to."""
        return self._by_find and self._tab is not None and not self._tab.watch.troubles

    def ways_in(self) -> tuple[str, ...]:
        """What the sign-in page offers to sign in by. Raises as `dashboard`."""
        return self._ask(browser_sign_in.ways_in(self._begin()))

    def sign_in(self) -> Arrival:
        """Sign the test account in, by its password where the environment has one, else by its session.

        Raises:
            Unverified: the environment has neither.
            WrongAnswer, NoAnswer: as `dashboard`.
        """
        return self._ask(browser_sign_in.sign_in(self._begin()))

    def follow(self, path: str, to: str) -> str:
        """Open a page as a stranger, and see whether it leads to another; returns the path it ends on."""
        return self._ask(browser_sign_in.follow(self._begin(), path, to))

    def dashboard(self) -> tuple[Row, ...]:
        """Open the dashboard, signed in where people sign in at all; returns what it lists.

        Raises:
            Unverified: there is no browser, or nobody who could be signed in.
            WrongAnswer: the page answered, and shows something else than it should.
            NoAnswer: no usable answer came; RATE_LIMITED: we had asked for too much; BROWSER: it broke.
        """
        tab = self._begin()

        async def arrive() -> tuple[Row, ...]:
            if self._has_members:
                await browser_sign_in.keep_signed_in(tab)
            found = await browser_dashboard.arrive(tab, as_member=self._has_members)
            return tuple(found)

        return self._ask(arrive())

    def look(self, caption: str) -> None:
        """Keep a picture of what is seen now."""
        self._ask(self._here.step(caption))

    def narrow(self, field: Field) -> Narrowed:
        """Filter the open dashboard by "chain" or "protocol". Raises as `dashboard`."""
        return self._ask(browser_dashboard.narrow(self._here, field))

    def open_first(self) -> Opened:
        """Open the first exploit of the open dashboard. Raises as `dashboard`."""
        opened = self._ask(browser_dashboard.open_first(self._here))
        self.look("the details of an exploit")
        return opened

    def subscribe(self) -> str:
        """Subscribe to alerts on the open dashboard; returns what it then says. Raises as `dashboard`."""
        return self._ask(browser_dashboard.subscribe(self._here))

    def tour(self) -> Tour:
        """Open every page, signed in if that is possible, and listen. Raises as `dashboard`."""
        tab = self._begin()

        async def travel() -> Tour:
            as_member = self._has_members
            try:
                if as_member:
                    await browser_sign_in.keep_signed_in(tab)
            except Unverified:
                as_member = False
            return await browser_tour.take(tab, as_member=as_member)

        self._by_find = False
        return self._ask(travel())

    def loads(self) -> Loads:
        """Time loads of pages, as a stranger. Raises as `dashboard`."""
        tab = self._begin()
        self._by_find = False
        return self._ask(browser_loads.measure(tab, self._remaining))

    def leave(self, *, failed: bool) -> None:
        """The try is over; what is left of a failed one is kept."""
        tab, self._tab = self._tab, None
        if tab is None:
            return

        async def left() -> None:
            with contextlib.suppress(Exception):  # the browser may be gone; the item says so already
                if failed:
                    await tab.step("as it was when it failed")
                if self._trace is not None:
                    await self._trace.end(tab.page.context, kept=failed)
            await tab.page.context.close()

        with contextlib.suppress(Exception):
            self._engine.run(left(), _LEAVE_S)

    @property
    def _has_members(self) -> bool:
        return Part.SIGN_IN not in self._environment.absent

    @property
    def _here(self) -> Tab:
        if self._tab is None:
            raise RuntimeError("a page is opened before anything is done on it")
        return self._tab

    def _begin(self) -> Tab:
        """A new visit; the one before is over."""
        self.leave(failed=False)
        self._engine.start(self._remaining())

        async def begin() -> Tab:
            context = await self._engine.visit(patience_s=self._environment.browser.patience_s)
            watch = Watch(self._own, self._record)
            await watch.attach(context.pages[0])
            if self._trace is not None:
                await self._trace.begin(context)
            return Tab(context.pages[0], self._environment, watch, self._pictures)

        self._tab = self._ask(begin())
        self._by_find = True
        return self._tab

    def _ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        left = self._remaining()
        if left <= 0:
            coroutine.close()
            raise NoAnswer(NoAnswerKind.UNUSABLE, "the browser was not asked: the item has no time left")
        return self._engine.run(coroutine, max(left - _RESERVE_S, left / 2))
