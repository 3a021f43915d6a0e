"""One browser tab: open pages, find elements, and explain missing elements by what the page shows."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from kamiyo_verify.http.problems import on_this_machine
from kamiyo_verify.http.readable import masked_url, readable
from kamiyo_verify.integrations.browser.page_events import Watch, origin_of
from kamiyo_verify.integrations.browser.screenshots import Pictures
from kamiyo_verify.integrations.browser.settings import Browser
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, ServerBroke, Unrecognised, WrongAnswer
from kamiyo_verify.model.settings import Timeouts

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

T = TypeVar("T")

_EVERY_S = 0.05
_GONE = ("has been closed", "crashed", "Connection closed")
"""Playwright's messages if the page is gone for good, and not just navigating to another address."""

_BY_CODE = {
    "NAME_NOT_RESOLVED": NoAnswerKind.NAME,
    "CONNECTION_REFUSED": NoAnswerKind.REFUSED,
    "ADDRESS_UNREACHABLE": NoAnswerKind.UNREACHABLE,
    "NETWORK_CHANGED": NoAnswerKind.UNUSABLE,
    "TIMED_OUT": NoAnswerKind.TIMEOUT,
    "CONNECTION_TIMED_OUT": NoAnswerKind.TIMEOUT,
}
"""Chromium's error names, after net::ERR_."""

_ON_THIS_MACHINE = re.compile(
    "INTERNET_DISCONNECTED|INSUFFICIENT_RESOURCES|NETWORK_ACCESS_DENIED|OUT_OF_MEMORY"
    "|.*PROX(Y|IES).*|TUNNEL_CONNECTION_FAILED"
)
"""Those of Chromium's error names by which nothing left this machine, or its proxy."""


class Site(Protocol):
    """The site whose pages are opened: an environment."""

    @property
    def name(self) -> str:
        """The environment's name."""

    @property
    def frontend_url(self) -> str:
        """The address of the pages."""

    @property
    def browser(self) -> Browser:
        """The browser's settings, with the selectors of the pages."""

    @property
    def timeouts(self) -> Timeouts:
        """The time limits of an answer."""


class Tab:
    """A page as one user sees it.

    Args:
        page: Playwright's page. Other pages that it opens are ignored.
        site: the site of the page.
        watch: observes the page.
        pictures: takes screenshots.
    """

    def __init__(self, page: Page, site: Site, watch: Watch, pictures: Pictures) -> None:
        self.page = page
        self.site = site
        self.watch = watch
        self._pictures = pictures
        self._find = site.browser.find
        self._patience_s = site.browser.patience_s

    @property
    def path(self) -> str:
        """The current path."""
        return urlsplit(self.page.url).path or "/"

    async def open(self, path: str) -> None:
        """Open a page of the frontend, and wait for its HTML. Its scripts may still run.

        Raises:
            WrongAnswer: its status is not 200 or 304, or it is not a page.
            NoAnswer: it does not answer.
        """
        from playwright.async_api import Error, TimeoutError as Late  # noqa: I001, PLC0415

        url = self.site.frontend_url + path
        seconds = self.site.timeouts.answer
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
        """Evaluate a condition repeatedly until it is true or the time is up; return the last result."""
        from playwright.async_api import Error  # noqa: PLC0415

        deadline = time.monotonic() + self._patience_s
        while True:
            late = time.monotonic() >= deadline
            try:
                found = await condition()
                if found or late:
                    return found
            except Error as error:  # most likely the page is navigating to another address
                if late or is_gone(error):
                    raise
            await asyncio.sleep(_EVERY_S)

    async def seen(self, key: str, within: Locator | None = None) -> Locator | None:
        """The visible element for that key of [browser.find], by the first selector that finds anything."""
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
        """Wait for the element for that key to be visible.

        Raises:
            Unrecognised: it does not appear; the message says what the page shows instead.
            NoAnswer: RATE_LIMITED: earlier requests exceeded a rate limit.
        """
        found = await self.until(lambda: self.seen(key, within))
        if found is None:
            raise await self.missing(key, what)
        return found

    async def press(self, button: Locator, key: str) -> None:
        """Click a button; close a cookie banner first if one is in the way.

        Raises:
            WrongAnswer: the button exists and cannot be clicked.
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
        """Explain why an element is missing, as far as the page shows it, and which setting to change."""
        with contextlib.suppress(NoAnswer):
            self._limited()
            there = await self.described()
            cause = f" ({self.watch.troubles})" if self.watch.troubles else ""
            tried = ", ".join(getattr(self._find, key))
            return Unrecognised(
                f"{self.path} shows no {what} within {self._patience_s:g} s{cause}. On the page: {there}."
                f" Looked for: {readable(tried, 160)}. If it is named otherwise here, set {key} in"
                f" [browser.find] of environments/{self.site.name}.toml"
            )
        return self._limit()

    async def described(self) -> str:
        """Title, headings and alerts of the page, bounded and escaped."""
        title = readable(await self.page.title(), 60)
        said = await self.page.locator("h1, h2, [role=alert]").locator("visible=true").all_inner_texts()
        shown = [f'"{readable(text, 70)}"' for text in said[:3] if text.strip()]
        return f'the title "{title}", ' + (", ".join(shown) or "no heading")

    async def step(self, caption: str) -> None:
        """Save a screenshot of the current view."""
        await self._pictures.take(self.page, caption)

    def _limited(self) -> None:
        if self.watch.limited:
            raise self._limit()

    def _limit(self) -> NoAnswer:
        message = f"{self.watch.limited} answered 429 to the page: we have asked for too much before"
        return NoAnswer(NoAnswerKind.RATE_LIMITED, message, origin_of(self.watch.limited))


def is_gone(error: Exception) -> bool:
    """The page, or the browser, no longer exists."""
    return any(words in str(error) for words in _GONE)


def _lost(url: str, description: str) -> NoAnswer | WrongAnswer:
    origin, shown = origin_of(url), masked_url(url)
    found = re.search(r"net::ERR_(\w+)", description)
    code = found[1] if found else ""
    if code == "TOO_MANY_REDIRECTS":
        return WrongAnswer(f"{shown} redirects for ever")
    if "Download is starting" in description or code in {"ABORTED", "INVALID_RESPONSE", "UNSAFE_PORT"}:
        return WrongAnswer(f"{shown} is no page that a browser shows ({code or 'a download'})")
    kind = _BY_CODE.get(code, NoAnswerKind.CUT if code else NoAnswerKind.UNUSABLE)
    if code.startswith(("CERT_", "SSL_")):
        kind = NoAnswerKind.TLS
    if _ON_THIS_MACHINE.fullmatch(code):
        trouble = on_this_machine(f"the browser met net::ERR_{code}")
        return NoAnswer(NoAnswerKind.LOCAL, f"{origin} {trouble}", origin)
    why = f"net::ERR_{code}" if code else readable(description.partition("\n")[0], 100)
    return NoAnswer(kind, f"{origin} gave the browser no page: {why}", origin)
