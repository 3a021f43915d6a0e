"""The one browser of a process: started when it is first asked for, replaced when it is broken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from plugins.clients.browser_tab import is_gone
from plugins.clients.chromium import lacking, launch
from plugins.clients.loop_thread import LoopThread
from plugins.clients.readable import readable
from plugins.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

T = TypeVar("T")

_START_S = 30.0
_PROOF_S = 3.0
_CLOSE_S = 3.0
_VIEW = {"width": 1280, "height": 640}


class Engine:
    """Runs what is asked of the browser, in a thread of its own.

    Args:
        executable: of the environment's [browser].
    """

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._thread: LoopThread | None = None
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def start(self, seconds: float) -> None:
        """Start it, unless it runs.

        Raises:
            Unverified: there is none; the message says how to get one.
            NoAnswer: BROWSER: it does not start, or not in time.
        """
        if why := lacking(self._executable):
            raise Unverified(why)
        if self._browser is not None and self._browser.is_connected():
            return
        self.close()
        self._thread = LoopThread("browser")
        allowed = max(min(_START_S, seconds), 0.1)
        try:
            self._thread.run(self._start(allowed), allowed)
        except TimeoutError:
            self.close()
            message = f"the browser does not start within {allowed:.0f} s"
            raise NoAnswer(NoAnswerKind.BROWSER, message) from None

    def run(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """What comes of it.

        Raises:
            WrongAnswer: as the coroutine does, or the page keeps the browser so busy that it does not react.
            NoAnswer: as the coroutine does; BROWSER: the browser ended, or does not react.
            Unverified: as the coroutine does.
        """
        from playwright.async_api import Error  # noqa: PLC0415

        if self._thread is None:
            raise RuntimeError("a browser is started before it is asked")
        try:
            return self._thread.run(coroutine, seconds)
        except TimeoutError:
            if self._reacts():
                raise WrongAnswer(f"the page did not react within {seconds:.0f} s: it is stuck") from None
            self.close()
            message = f"the browser did not react within {seconds:.0f} s"
            raise NoAnswer(NoAnswerKind.BROWSER, message) from None
        except Error as error:
            told = readable(str(error).partition("\n")[0], 160)
            if is_gone(error):
                self.close()
                message = f"the browser ended in the middle: {told}"
                raise NoAnswer(NoAnswerKind.BROWSER, message) from None
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"the browser could not do it: {told}") from None

    async def visit(self, *, patience_s: float) -> BrowserContext:
        """A context of its own: no cookies, no cache, nothing downloaded, nothing installed."""
        if self._browser is None:
            raise RuntimeError("a browser is started before it is asked")
        context = await self._browser.new_context(
            viewport={"width": _VIEW["width"], "height": _VIEW["height"]},
            accept_downloads=False,
            service_workers="block",
            locale="en-US",
            timezone_id="UTC",
        )
        context.set_default_timeout(patience_s * 1000)
        await context.new_page()
        return context

    def close(self) -> None:
        """End it, whatever state it is in."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with contextlib.suppress(Exception):  # it may be gone already, and there is nobody to tell
            thread.run(self._close(), 2 * _CLOSE_S)
        self._browser = self._playwright = None
        thread.close()

    async def _start(self, seconds: float) -> None:
        from playwright.async_api import async_playwright  # noqa: PLC0415

        self._playwright = await async_playwright().start()
        self._browser = await launch(self._playwright, self._executable, seconds)

    async def _close(self) -> None:
        if self._browser is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._browser.close(), _CLOSE_S)
        if self._playwright is not None:
            await self._playwright.stop()

    def _reacts(self) -> bool:
        """A page without anything on it opens: then it is the other page that is stuck."""
        if self._thread is None or self._browser is None:
            return False
        try:
            self._thread.run(self._proof(self._browser), _PROOF_S)
        except Exception:  # noqa: BLE001 - whatever it is, it does not react
            return False
        return True

    @staticmethod
    async def _proof(browser: Browser) -> None:
        page = await browser.new_page()
        await page.evaluate("1")
        await page.close()
