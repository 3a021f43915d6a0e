"""Client for the pages in a real browser."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from kamiyo_platform import browser_sign_in
from kamiyo_platform import dashboard as browser_dashboard
from kamiyo_platform import page_scan as browser_tour
from kamiyo_platform.browser_sign_in import Arrival
from kamiyo_platform.dashboard import Field, Narrowed, Opened, Row
from kamiyo_platform.page_scan import PageScan
from kamiyo_platform.platform_tab import PlatformTab
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.browser import page_loads as browser_loads
from kamiyo_verify.integrations.browser.engine import Engine
from kamiyo_verify.integrations.browser.page_events import Watch
from kamiyo_verify.integrations.browser.page_loads import Loads
from kamiyo_verify.integrations.browser.screenshots import Keep, Pictures
from kamiyo_verify.integrations.browser.traces import Trace
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.words import Part

T = TypeVar("T")

_RESERVE_S = 4.0
"""Seconds of an item's time that are kept to find the cause if the browser hangs."""

_LEAVE_S = 2.0


class BrowserClient:
    """The browser actions of one try at an item. Each visit has a browser context of its own.

    Args:
        environment: the address of the pages and how to find things on them.
        engine: the browser.
        context: shared with other clients; every request to our own origins is recorded.
        keep: saves the screenshots.
        trace: records what the pages do; optional.
    """

    def __init__(
        self,
        environment: Environment,
        engine: Engine,
        context: ClientContext,
        *,
        keep: Keep,
        mask: Callable[[str], str],
        trace: Trace | None = None,
    ) -> None:
        self._environment = environment
        self._engine = engine
        self._record = context.record
        self._remaining = context.remaining
        self._pictures = Pictures(keep, mask)
        self._trace = trace
        self._own = frozenset(url.lower() for url in environment.urls.values())
        self._tab: PlatformTab | None = None
        self._by_find = False

    @property
    def only_lost(self) -> bool:
        """The latest visit found elements by [browser.find], and no request or script failed on its pages."""
        return self._by_find and self._tab is not None and not self._tab.watch.troubles

    def ways_in(self) -> tuple[str, ...]:
        """The sign-in methods on the sign-in page. Raises like `dashboard`."""
        return self._ask(browser_sign_in.ways_in(self._begin()))

    def sign_in(self) -> Arrival:
        """Sign the test account in, by its password if the environment has one, else by its session.

        Raises:
            Unverified: the environment has neither.
            WrongAnswer, NoAnswer: see `dashboard`.
        """
        return self._ask(browser_sign_in.sign_in(self._begin()))

    def follow(self, path: str, to: str) -> str:
        """Open a page without signing in, wait whether it leads to another; return the path it ends on."""
        return self._ask(browser_sign_in.follow(self._begin(), path, to))

    def dashboard(self) -> tuple[Row, ...]:
        """Open the dashboard, signed in if the environment has an account; return its rows.

        Raises:
            Unverified: there is no browser, or no account to sign in with.
            WrongAnswer: the page answered, but its content is wrong.
            NoAnswer: no usable answer came; RATE_LIMITED: our requests exceed a limit; BROWSER: it crashed.
        """
        tab = self._begin()

        async def arrive() -> tuple[Row, ...]:
            if self._has_members:
                await browser_sign_in.keep_signed_in(tab)
            found = await browser_dashboard.arrive(tab, as_member=self._has_members)
            return tuple(found)

        return self._ask(arrive())

    def look(self, caption: str) -> None:
        """Save a screenshot of the current view."""
        self._ask(self._here.step(caption))

    def narrow(self, field: Field) -> Narrowed:
        """Filter the open dashboard by "chain" or "protocol". Raises like `dashboard`."""
        return self._ask(browser_dashboard.narrow(self._here, field))

    def open_first(self) -> Opened:
        """Open the first exploit of the open dashboard. Raises like `dashboard`."""
        opened = self._ask(browser_dashboard.open_first(self._here))
        self.look("the details of an exploit")
        return opened

    def subscribe(self) -> str:
        """Subscribe to alerts on the open dashboard; return the confirmation. Raises like `dashboard`."""
        return self._ask(browser_dashboard.subscribe(self._here))

    def scan_pages(self) -> PageScan:
        """Open every page, signed in if possible, and record errors. Raises like `dashboard`."""
        tab = self._begin()

        async def travel() -> PageScan:
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
        """Time page loads, without signing in. Raises like `dashboard`."""
        tab = self._begin()
        self._by_find = False
        return self._ask(browser_loads.measure(tab, self._remaining))

    def leave(self, *, failed: bool) -> None:
        """End the try; save the screenshots and trace of a failed one."""
        tab, self._tab = self._tab, None
        if tab is None:
            return

        async def left() -> None:
            with contextlib.suppress(Exception):  # the browser may be gone, which the item reports already
                if failed:
                    await tab.step("as it was when it failed")
                if self._trace is not None:
                    await self._trace.end(tab.page.context, kept=failed)
            await tab.page.context.close()

        self._engine.leave(left(), _LEAVE_S)

    @property
    def _has_members(self) -> bool:
        return Part.SIGN_IN not in self._environment.absent

    @property
    def _here(self) -> PlatformTab:
        if self._tab is None:
            raise RuntimeError("a page is opened before anything is done on it")
        return self._tab

    def _begin(self) -> PlatformTab:
        """Begin a new visit; the previous one ends."""
        self.leave(failed=False)
        self._engine.start(self._remaining())

        async def begin() -> PlatformTab:
            context = await self._engine.visit(patience_s=self._environment.browser.patience_s)
            watch = Watch(self._own, self._record)
            await watch.attach(context.pages[0])
            if self._trace is not None:
                await self._trace.begin(context)
            return PlatformTab(context.pages[0], self._environment, watch, self._pictures)

        self._tab = self._ask(begin())
        self._by_find = True
        return self._tab

    def _ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        left = self._remaining()
        if left <= 0:
            coroutine.close()
            raise NoAnswer(NoAnswerKind.UNUSABLE, "the browser was not asked: the item has no time left")
        return self._engine.run(coroutine, max(left - _RESERVE_S, left / 2))
