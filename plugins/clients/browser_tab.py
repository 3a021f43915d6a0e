"""One tab: pages are opened, things are found on them, and what is not there is told with what is."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from plugins.clients.browser_pictures import Pictures
from plugins.clients.browser_watch import Watch, origin_of
from plugins.clients.readable import masked_url, readable
from plugins.model.environment import Environment
from plugins.model.outcomes import NoAnswer, NoAnswerKind, ServerBroke, Unrecognised, WrongAnswer

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

T = TypeVar("T")

_EVERY_S = 0.05
_GONE = ("has been closed", "crashed", "Connection closed")
"""How Playwright says that there is no page to ask any more, beside one that just goes to another address."""

_BY_CODE = {
    "NAME_NOT_RESOLVED": NoAnswerKind.NAME,
    "CONNECTION_REFUSED": NoAnswerKind.REFUSED,
    "ADDRESS_UNREACHABLE": NoAnswerKind.UNREACHABLE,
    "INTERNET_DISCONNECTED": NoAnswerKind.UNREACHABLE,
    "NETWORK_CHANGED": NoAnswerKind.UNUSABLE,
    "TIMED_OUT": NoAnswerKind.TIMEOUT,
    "CONNECTION_TIMED_OUT": NoAnswerKind.TIMEOUT,
}
"""What Chromium calls it, after net::ERR_."""


class Tab:
    """A page that one person looks at.

    Args:
        page: Playwright's. Others that it opens by itself are not looked at.
        environment: where it is.
        watch: listens to the page.
        pictures: takes them.
    """

    def __init__(self, page: Page, environment: Environment, watch: Watch, pictures: Pictures) -> None:
        self.page = page
        self.environment = environment
        self.watch = watch
        self._pictures = pictures
        self._find = environment.browser.find
        self._patience_s = environment.browser.patience_s

    @property
    def path(self) -> str:
        """Where it is now."""
        return urlsplit(self.page.url).path or "/"

    async def open(self, path: str) -> None:
        """Open a page of the frontend, until its text is there. Its scripts may be at work still.

        Raises:
            WrongAnswer: it answers with another status than 200 or 304, or it is no page.
            NoAnswer: it does not answer.
        """
        from playwright.async_api import Error, TimeoutError as Late  # noqa: I001, PLC0415

        url = self.environment.frontend.url + path
        seconds = self.environment.timeouts.answer
        try:
            answer = await self.page.goto(url, wait_until="domcontentloaded", timeout=seconds * 1000)
        except Late:
            message = f"{url} gave no whole page within {seconds:g} s"
            raise NoAnswer(NoAnswerKind.TIMEOUT, message, origin_of(url)) from None
        except Error as error:
            if is_gone(error):
                raise
            raise _lost(url, str(error)) from None
        if answer is not None and answer.status == 429:
            self.watch.limited = self.watch.limited or masked_url(url)
        self._limited()
        if answer is not None and answer.status >= 400:
            kind = ServerBroke if answer.status >= 500 else WrongAnswer
            raise kind(f"{masked_url(url)} answered {answer.status} where a page was expected")

    async def until(self, condition: Callable[[], Awaitable[T]]) -> T:
        """Ask again and again until it is so, or there is no patience left; returns the last answer."""
        from playwright.async_api import Error  # noqa: PLC0415

        deadline = time.monotonic() + self._patience_s
        while True:
            late = time.monotonic() >= deadline
            try:
                found = await condition()
                if found or late:
                    return found
            except Error as error:  # most likely the page is going to another address
                if late or is_gone(error):
                    raise
            await asyncio.sleep(_EVERY_S)

    async def seen(self, key: str, within: Locator | None = None) -> Locator | None:
        """What is visible now of that name in [browser.find], by the first selector that finds anything."""
        from playwright.async_api import Error  # noqa: PLC0415

        for selector in getattr(self._find, key):
            found = (within or self.page).locator(selector).locator("visible=true")
            try:
                if await found.count():
                    return found
            except Error as error:
                if "selector" not in str(error):
                    raise
                why = readable(str(error).partition("\n")[0], 120)
                message = f'[browser.find] {key}: "{selector}" is no selector: {why}'
                raise NoAnswer(NoAnswerKind.UNUSABLE, message) from None
        return None

    async def find(self, key: str, what: str, within: Locator | None = None) -> Locator:
        """The same, waited for.

        Raises:
            Unrecognised: it does not appear; the message says what there is instead.
            NoAnswer: RATE_LIMITED: we had asked for too much before.
        """
        found = await self.until(lambda: self.seen(key, within))
        if found is None:
            raise await self.missing(key, what)
        return found

    async def press(self, button: Locator, key: str) -> None:
        """Click it, whatever banner has to be taken away before.

        Raises:
            WrongAnswer: it is there and cannot be clicked.
        """
        from playwright.async_api import TimeoutError as Late  # noqa: PLC0415

        if (banner := await self.seen("consent")) is not None:
            with contextlib.suppress(Late):
                await banner.first.click(timeout=1000)
        try:
            await button.click(timeout=self._patience_s * 1000)
        except Late:
            raise WrongAnswer(
                f"{self.path}: [browser.find] {key} is there and cannot be clicked within "
                f"{self._patience_s:g} s: something lies over it, or it is switched off"
            ) from None

    async def missing(self, key: str, what: str) -> Unrecognised | NoAnswer:
        """Why something is not there, as far as the page tells, and what to set if it is named otherwise."""
        with contextlib.suppress(NoAnswer):
            self._limited()
            there = await self.described()
            cause = f" ({self.watch.troubles})" if self.watch.troubles else ""
            tried = ", ".join(getattr(self._find, key))
            return Unrecognised(
                f"{self.path} shows no {what} within {self._patience_s:g} s{cause}. On the page: {there}."
                f" Looked for: {readable(tried, 160)}. If it is named otherwise here, set {key} in"
                f" [browser.find] of environments/{self.environment.name}.toml"
            )
        return self._limit()

    async def described(self) -> str:
        """Title, headings and alerts of the page, bounded and inert."""
        title = readable(await self.page.title(), 60)
        said = await self.page.locator("h1, h2, [role=alert]").locator("visible=true").all_inner_texts()
        shown = [f'"{readable(text, 70)}"' for text in said[:3] if text.strip()]
        return f'the title "{title}", ' + (", ".join(shown) or "no heading")

    async def step(self, caption: str) -> None:
        """Keep a picture of what is seen now."""
        await self._pictures.take(self.page, caption)

    def _limited(self) -> None:
        if self.watch.limited:
            raise self._limit()

    def _limit(self) -> NoAnswer:
        message = f"{self.watch.limited} answered 429 to the page: we have asked for too much before"
        return NoAnswer(NoAnswerKind.RATE_LIMITED, message, origin_of(self.watch.limited))


def is_gone(error: Exception) -> bool:
    """There is no page, or no browser, to ask any more."""
    return any(words in str(error) for words in _GONE)


def _lost(url: str, told: str) -> NoAnswer | WrongAnswer:
    origin, shown = origin_of(url), masked_url(url)
    found = re.search(r"net::ERR_(\w+)", told)
    code = found[1] if found else ""
    if code == "TOO_MANY_REDIRECTS":
        return WrongAnswer(f"{shown} redirects for ever")
    if "Download is starting" in told or code in {"ABORTED", "INVALID_RESPONSE", "UNSAFE_PORT"}:
        return WrongAnswer(f"{shown} is no page that a browser shows ({code or 'a download'})")
    kind = _BY_CODE.get(code, NoAnswerKind.CUT if code else NoAnswerKind.UNUSABLE)
    if code.startswith(("CERT_", "SSL_")):
        kind = NoAnswerKind.TLS
    why = f"net::ERR_{code}" if code else readable(told.partition("\n")[0], 100)
    return NoAnswer(kind, f"{origin} gave the browser no page: {why}", origin)
