"""Test the runner's own network with requests to third-party addresses."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.readable import masked_url
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.settings import Timeouts

if TYPE_CHECKING:
    from httpx2 import Headers


@dataclass(frozen=True, slots=True)
class ControlResult:
    """Whether the runner can reach the internet.

    Attributes:
        ok: a third-party address answered, so missing answers are not the runner's fault.
        message: which address answered, or why none did, in one sentence.
        by_name: its host was a name, so name lookup works here.
        address: the one that answered; "" if none did.
        clock_ahead_s: seconds by which the local clock is ahead of that server's; None if it sent no time.
    """

    ok: bool
    message: str
    by_name: bool = False
    address: str = ""
    clock_ahead_s: float | None = None


def probe(urls: Iterable[str], own_hosts: Collection[str], timeouts: Timeouts) -> ControlResult:
    """Send GET to the control addresses, one after the other, until one answers with any HTTP status.

    Args:
        urls: http(s) addresses; those on a host of ours are skipped.
        own_hosts: "host" or "host:port" of everything under verification.
        timeouts: of one request; all requests together take at most `timeouts.item`.
    """
    own = {host.lower() for host in own_hosts}
    until = time.monotonic() + timeouts.item
    troubles: list[str] = []
    requested = False
    for url in urls:
        requested = True
        found = _ask(url, own, timeouts, until)
        if not isinstance(found, str):
            return ControlResult(
                ok=True,
                message=f"{masked_url(url)} answers, so the network here is fine",
                by_name=not _is_number(urlsplit(url).hostname or ""),
                address=url,
                clock_ahead_s=_clock_ahead(found.headers),
            )
        troubles.append(found)
    if not requested:
        return ControlResult(ok=False, message="no control address is configured")
    return ControlResult(ok=False, message="; ".join(troubles))


def _ask(url: str, own: set[str], timeouts: Timeouts, until: float) -> Answer | str:
    """The answer, or the reason why there is none."""
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
    context = ClientContext.unrecorded(timeouts, lambda: until - time.monotonic())
    http = HttpClient(f"{parts.scheme}://{place}", context)
    try:
        return http.get_once(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
    except NoAnswer as silence:
        return str(silence)
    finally:
        http.close()


def _is_number(host: str) -> bool:
    """The host is a numeric address, which needs no name lookup."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _clock_ahead(headers: Headers) -> float | None:
    """Seconds that the local clock is ahead, by the answer's Date and, if it comes from a cache, its Age."""
    try:
        made = parsedate_to_datetime(headers["date"])
        lay = float(headers.get("age", "0"))
    except (KeyError, ValueError):
        return None
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    return round(time.time() - made.timestamp() - lay, 1)
