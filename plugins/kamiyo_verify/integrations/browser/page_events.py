"""Record the background events of a page: script errors, failed requests, rate limits.

Requests are observed through Chromium's own protocol, which reports more than scripts of a page may read: the
status of an answer that CORS withholds from the page, and the reason.
https://chromedevtools.github.io/devtools-protocol/tot/Network/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kamiyo_verify.http.readable import masked_url, readable
from kamiyo_verify.model.result import Exchange

if TYPE_CHECKING:
    from playwright.async_api import Page, WebError

_MOST = 20
_MOST_EXCHANGES = 60
_MOST_SENT = 2_000

_WHO_ARE_YOU = 401
"""Tells a page that the user is not signed in: a valid answer, not a failure."""

_UNASKED = "/favicon.ico"
"""The browser requests it by itself, and shows a blank icon if it is missing."""


@dataclass
class _Sent:
    """A request to one of our origins: `began` in seconds of Chromium's own clock, `at` in UTC, ISO 8601."""

    method: str
    url: str
    began: float
    status: int | None = None
    at: str = ""

    @property
    def request_line(self) -> str:
        return f"{self.method} {readable(masked_url(self.url), 120)}"


class Watch:
    """Observes a page. Scripts and requests of third parties are ignored.

    Args:
        own: our origins.
        record: called for each request to one of them.

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
        """Start to observe the page."""
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
        """The first problem of each kind, as the likely cause of missing elements; "" if there is none."""
        found = [
            f"its script failed: {self.script_errors[0]}" if self.script_errors else "",
            f"a request failed: {self.failed[0]}" if self.failed else "",
        ]
        return "; ".join(filter(None, found))

    def _is_own(self, url: str) -> bool:
        return origin_of(url) in self._own

    def _on_error(self, event: WebError) -> None:
        error = event.error
        scripts = [word for word in (error.stack or "").replace("(", " ").split() if "://" in word]
        if scripts and not any(self._is_own(script) for script in scripts):
            return
        _add(self.script_errors, readable(f"{error.name or 'Error'}: {error.message}", 160))

    def _on_request(self, event: dict[str, Any]) -> None:
        if (before := self._ended(event)) is not None:  # a redirect continues under the same id
            self._take_note(before, event["timestamp"])
        url = str(event["request"]["url"])
        if self._is_own(url) and len(self._sent) < _MOST_SENT:
            self._sent[event["requestId"]] = _Sent(
                str(event["request"]["method"]), url, event["timestamp"], at=_moment(event.get("wallTime"))
            )
            self.pending.add(event["requestId"])

    def _on_wire(self, event: dict[str, Any]) -> None:
        """Record the real status, even if the page may not read it; this event sometimes arrives late."""
        self._answered(self._sent.get(event["requestId"]), int(event["statusCode"]))

    def _on_answer(self, event: dict[str, Any]) -> None:
        """Record the status of an answer from the browser's own cache, which only this event reports."""
        self._answered(self._sent.get(event["requestId"]), int(event["response"]["status"]))

    def _answered(self, sent: _Sent | None, status: int) -> None:
        if sent is None or not (sent.status is None or 300 <= sent.status < 400):  # of the redirect before
            return
        sent.status = status
        if sent.method == "OPTIONS":  # the request after this preflight will fail as well
            return
        if status == 429:
            self.limited = self.limited or masked_url(sent.url)
        elif status >= 400 and status != _WHO_ARE_YOU and urlsplit(sent.url).path != _UNASKED:
            _add(self.failed, f"{sent.request_line} answered {status}")

    def _on_finished(self, event: dict[str, Any]) -> None:
        if (sent := self._ended(event)) is not None:
            self._take_note(sent, event["timestamp"])

    def _on_failed(self, event: dict[str, Any]) -> None:
        sent = self._ended(event)
        if sent is None:
            return
        if event.get("canceled") and sent.status is None:  # by the page itself, mostly on leaving it
            return
        cors = (event.get("corsErrorStatus") or {}).get("corsError")
        why = f"CORS refuses it to the page ({cors})" if cors else str(event.get("errorText") or "no answer")
        if not event.get("canceled") and (sent.status is None or sent.status < 400):
            _add(self.failed, f"{sent.request_line}: {readable(why, 80)}")
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
        url = masked_url(sent.url)
        self._record(Exchange(sent.method, url, sent.status, took, problem=problem, at=sent.at))


def _moment(wall_time: object) -> str:
    """Convert Chromium's Unix time in seconds to UTC, ISO 8601; "" for anything else."""
    if not isinstance(wall_time, int | float):
        return ""
    return datetime.fromtimestamp(wall_time, UTC).isoformat(timespec="milliseconds")


def origin_of(url: str) -> str:
    """Scheme, host and port, as a browser names an origin; "" if the address cannot be parsed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""


def _add(found: list[str], entry: str) -> None:
    if entry not in found and len(found) < _MOST:
        found.append(entry)
