"""Is the runner's own network fine? Asked of addresses that are not ours."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from httpx import Headers

from plugins.clients.answer import Answer
from plugins.clients.http import HttpClient
from plugins.clients.readable import masked_url
from plugins.model.environment import Timeouts
from plugins.model.outcomes import NoAnswer
from plugins.model.result import Exchange


@dataclass(frozen=True, slots=True)
class ControlResult:
    """Whether the outer world answers.

    Attributes:
        ok: some address that is not ours answered, so silence of ours is ours.
        message: which one, or why none, in one sentence.
        by_name: its host had to be looked up, so that names are found here.
        clock_ahead_s: by how many seconds the clock here is ahead of its own; None where it did not tell.
    """

    ok: bool
    message: str
    by_name: bool = False
    clock_ahead_s: float | None = None


def probe(urls: Iterable[str], own_hosts: Collection[str], timeouts: Timeouts) -> ControlResult:
    """Ask the control addresses by GET, one after the other, until one answers with any HTTP status.

    Args:
        urls: http(s) addresses; those on a host of ours are passed over.
        own_hosts: "host" or "host:port" of everything under verification.
        timeouts: of one request; all together take at most `timeouts.item`.
    """
    own = {host.lower() for host in own_hosts}
    until = time.monotonic() + timeouts.item
    troubles: list[str] = []
    asked = False
    for url in urls:
        asked = True
        found = _ask(url, own, timeouts, until)
        if not isinstance(found, str):
            return ControlResult(
                ok=True,
                message=f"{masked_url(url)} answers, so the network here is fine",
                by_name=not _is_number(urlsplit(url).hostname or ""),
                clock_ahead_s=_clock_ahead(found.headers),
            )
        troubles.append(found)
    if not asked:
        return ControlResult(ok=False, message="no control address is configured")
    return ControlResult(ok=False, message="; ".join(troubles))


def _ask(url: str, own: set[str], timeouts: Timeouts, until: float) -> Answer | str:
    """The answer, or why there is none."""
    try:
        parts = urlsplit(url)
        host, place = (parts.hostname or "").lower(), parts.netloc.rpartition("@")[2].lower()
        named = parts.scheme in {"http", "https"} and host
    except ValueError:
        named = ""
    if not named:
        return f"{masked_url(url)} is no http(s) address"
    if host in own or place in own:
        return f"{masked_url(url)} is an address of ours and proves nothing"
    http = HttpClient(
        f"{parts.scheme}://{place}",
        timeouts=timeouts,
        record=_forget,
        remaining=lambda: until - time.monotonic(),
    )
    try:
        return http.get_once(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
    except NoAnswer as silence:
        return str(silence)
    finally:
        http.close()


def _is_number(host: str) -> bool:
    """The host is an address already, and no name that has to be found."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _clock_ahead(headers: Headers) -> float | None:
    """By the time at which the answer says that it was made; one from a cache says how long it lay there."""
    try:
        made = parsedate_to_datetime(headers["date"])
        lay = float(headers.get("age", "0"))
    except (KeyError, ValueError):
        return None
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    return round(time.time() - made.timestamp() - lay, 1)


def _forget(exchange: Exchange) -> None:
    """A control request is no evidence about the platform."""
