"""What a page does behind the scenes: script errors, requests that fail, and who it is that limits us.

Requests are followed by Chromium's own protocol, which tells more of them than a page is allowed to know: the
status of an answer that was refused to it, and why.
https://chromedevtools.github.io/devtools-protocol/tot/Network/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from plugins.clients.readable import masked_url, readable
from plugins.model.result import Exchange

if TYPE_CHECKING:
    from playwright.async_api import Page, WebError

_MOST = 20
_MOST_EXCHANGES = 60
_MOST_SENT = 2_000

_WHO_ARE_YOU = 401
"""Pages learn by it that nobody is signed in: an answer, and no failure."""

_UNASKED = "/favicon.ico"
"""The browser asks for it by itself, and shows a blank where there is none."""


@dataclass
class _Sent:
    """A request to one of our origins. `began` is in seconds of Chromium's own clock."""

    method: str
    url: str
    began: float
    status: int | None = None

    @property
    def told(self) -> str:
        return f"{self.method} {readable(masked_url(self.url), 120)}"


class Watch:
    """Listens to a page. What is not ours (third parties' scripts and requests) is left out.

    Args:
        own: our origins.
        record: takes note of each request to one of them.

    Attributes:
        script_errors: uncaught errors of our scripts, one sentence each.
        failed: requests to our origins that failed, one sentence each.
        limited: the address that answered 429, or "".
        pending: requests to our origins that are under way, by Chromium's ids.
    """

    def __init__(self, own: frozenset[str], record: Callable[[Exchange], None]) -> None:
        self._own = own
        self._record = record
        self._recorded = 0
        self._sent: dict[str, _Sent] = {}
        self.pending: set[str] = set()
        self.script_errors: list[str] = []
        self.failed: list[str] = []
        self.limited = ""

    async def attach(self, page: Page) -> None:
        """Begin to listen."""
        page.context.on("weberror", self._on_error)
        session = await page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceivedExtraInfo", self._on_wire)
        session.on("Network.responseReceived", self._on_answer)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.loadingFailed", self._on_failed)
        await session.send("Network.enable")

    @property
    def troubles(self) -> str:
        """The first of each kind, as the likely cause of what a page lacks; "" where there is none."""
        found = [
            f"its script failed: {self.script_errors[0]}" if self.script_errors else "",
            f"a request failed: {self.failed[0]}" if self.failed else "",
        ]
        return "; ".join(filter(None, found))

    def _is_own(self, url: str) -> bool:
        return origin_of(url) in self._own

    def _on_error(self, told: WebError) -> None:
        error = told.error
        scripts = [word for word in (error.stack or "").replace("(", " ").split() if "://" in word]
        if scripts and not any(self._is_own(script) for script in scripts):
            return
        _add(self.script_errors, readable(f"{error.name or 'Error'}: {error.message}", 160))

    def _on_request(self, event: dict[str, Any]) -> None:
        if (before := self._ended(event)) is not None:  # a redirect goes on under the same id
            self._take_note(before, event["timestamp"])
        url = str(event["request"]["url"])
        if self._is_own(url) and len(self._sent) < _MOST_SENT:
            self._sent[event["requestId"]] = _Sent(str(event["request"]["method"]), url, event["timestamp"])
            self.pending.add(event["requestId"])

    def _on_wire(self, event: dict[str, Any]) -> None:
        """The status as it came, whatever the page may know of it; it is told late at times."""
        self._answered(self._sent.get(event["requestId"]), int(event["statusCode"]))

    def _on_answer(self, event: dict[str, Any]) -> None:
        """What comes from the browser's own cache tells its status only here."""
        self._answered(self._sent.get(event["requestId"]), int(event["response"]["status"]))

    def _answered(self, sent: _Sent | None, status: int) -> None:
        if sent is None or not (sent.status is None or 300 <= sent.status < 400):  # of the hop before
            return
        sent.status = status
        if sent.method == "OPTIONS":  # the request that it was asked for will fail as well
            return
        if status == 429:
            self.limited = self.limited or masked_url(sent.url)
        elif status >= 400 and status != _WHO_ARE_YOU and urlsplit(sent.url).path != _UNASKED:
            _add(self.failed, f"{sent.told} answered {status}")

    def _on_finished(self, event: dict[str, Any]) -> None:
        if (sent := self._ended(event)) is not None:
            self._take_note(sent, event["timestamp"])

    def _on_failed(self, event: dict[str, Any]) -> None:
        sent = self._ended(event)
        if sent is None:
            return
        if event.get("canceled") and sent.status is None:  # by the page itself, mostly because it went away
            return
        cors = (event.get("corsErrorStatus") or {}).get("corsError")
        why = f"CORS refuses it to the page ({cors})" if cors else str(event.get("errorText") or "no answer")
        if not event.get("canceled") and (sent.status is None or sent.status < 400):
            _add(self.failed, f"{sent.told}: {readable(why, 80)}")
        self._take_note(sent, event["timestamp"], readable(why, 80))

    def _ended(self, event: dict[str, Any]) -> _Sent | None:
        known = event["requestId"] in self.pending
        self.pending.discard(event["requestId"])
        return self._sent[event["requestId"]] if known else None

    def _take_note(self, sent: _Sent, ended: float, problem: str = "") -> None:
        if self._recorded == _MOST_EXCHANGES:
            return
        self._recorded += 1
        took = round(max((ended - sent.began) * 1000, 0.0), 1)
        self._record(Exchange(sent.method, masked_url(sent.url), sent.status, took, problem=problem))


def origin_of(url: str) -> str:
    """Scheme, host and port, as a browser names an origin; "" where the address cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""


def _add(found: list[str], told: str) -> None:
    if told not in found and len(found) < _MOST:
        found.append(told)
