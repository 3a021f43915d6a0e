"""Open the pages and record the errors that users do not see."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from kamiyo_platform import dashboard
from kamiyo_platform.platform_tab import PlatformTab
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

_LOOK_S = 0.05
_STILL = 3
_QUIET_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class PageScan:
    """The result of a scan.

    Attributes:
        pages: the paths that were opened.
        script_errors: uncaught errors of our scripts.
        failed: requests to our own origins that failed.
    """

    pages: tuple[str, ...]
    script_errors: tuple[str, ...]
    failed: tuple[str, ...]


async def take(tab: PlatformTab, *, as_member: bool) -> PageScan:
    """Open the home page, the sign-in page and the dashboard, and there, signed in, an exploit.

    Other items report problems of a page itself; here a page only needs to have been opened.

    Raises:
        NoAnswer: none of them could be opened, or our requests exceed a rate limit.
    """
    environment = tab.environment
    problem: Exception = NoAnswer(NoAnswerKind.UNUSABLE, "there is no page to look at")
    pages: list[str] = []
    for path in ("/", environment.sign_in.page_path, environment.frontend.dashboard_path):
        try:
            if path == environment.frontend.dashboard_path and as_member:
                await dashboard.arrive(tab, as_member=True)
                await dashboard.open_first(tab)
            else:
                await tab.open(path)
            pages.append(path)
        except (WrongAnswer, NoAnswer) as found:
            if isinstance(found, NoAnswer) and found.kind is NoAnswerKind.RATE_LIMITED:
                raise
            problem = found
        await _quiet(tab)
    if not pages and not tab.watch.troubles:
        raise problem
    return PageScan(tuple(pages), tuple(tab.watch.script_errors), tuple(tab.watch.failed))


async def _quiet(tab: PlatformTab) -> None:
    """Wait for the page's own requests to end, within a limit."""
    still = 0
    until = time.monotonic() + _QUIET_WITHIN_S
    while still < _STILL and time.monotonic() < until:
        await asyncio.sleep(_LOOK_S)
        still = 0 if tab.watch.pending else still + 1
