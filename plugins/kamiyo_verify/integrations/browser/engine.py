"""The one browser of a process: started on first use, replaced when it is broken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from kamiyo_verify.http.readable import readable
from kamiyo_verify.integrations.browser.chromium import lacking, launch
from kamiyo_verify.integrations.browser.tab import is_gone
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer
from kamiyo_verify.processes.loop_thread import LoopThread

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

T = TypeVar("T")

_START_S = 30.0
_PROOF_S = 3.0
_CLOSE_S = 3.0
_VIEW = {"width": 1280, "height": 640}


class Engine:
    """Runs coroutines that use the browser, in a thread of its own.

    Args:
        executable: of the environment's [browser].
    """

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._thread: LoopThread | None = None
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def start(self, seconds: float) -> None:
        """Start the browser, unless it runs.

        Raises:
            Unverified: no browser is installed; the message says how to install one.
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
        """Run a coroutine and return its result.

        Raises:
            WrongAnswer: from the coroutine, or the page blocks the browser so that it does not react.
            NoAnswer: from the coroutine; BROWSER: the browser ended, or does not react.
            Unverified: from the coroutine.
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
            description = readable(str(error).partition("\n")[0], 160)
            if is_gone(error):
                self.close()
                message = f"the browser ended in the middle: {description}"
                raise NoAnswer(NoAnswerKind.BROWSER, message) from None
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"the browser could not do it: {description}") from None

    def leave(self, coroutine: Coroutine[Any, Any, None], seconds: float) -> None:
        """Run a coroutine that ends a visit; a browser that cannot do so in time is closed."""
        if self._thread is None:
            coroutine.close()
            return
        try:
            self._thread.run(coroutine, seconds)
        except TimeoutError:
            self.close()
        except Exception:  # noqa: BLE001, S110 - the visit is over, and the item has its result
            pass

    async def visit(self, *, patience_s: float) -> BrowserContext:
        """A new browser context: no cookies, no cache, no downloads, no service workers."""
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
        """Stop the browser, whatever its state."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with contextlib.suppress(Exception):  # it may be gone already, and nothing depends on the result
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
        """An empty page opens: then only the other page is stuck."""
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
