"""Measure how long pages take to load in a browser, by its own clock.

Navigation Timing: https://www.w3.org/TR/navigation-timing-2/ · Largest Contentful Paint:
https://www.w3.org/TR/largest-contentful-paint/
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from math import ceil

from kamiyo_verify.integrations.browser.page_events import origin_of
from kamiyo_verify.integrations.browser.tab import Tab
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.words import Stopping

_FEWEST = 3
_SHARE = 0.8  # of the item's time

_TIMES = """() => new Promise(resolve => {
    const told = painted => {
        const [load] = performance.getEntriesByType('navigation');
        resolve([load?.loadEventEnd ?? 0, painted]);
    };
    const ready = () => setTimeout(() => {
        try {
            new PerformanceObserver(list => told(list.getEntries().at(-1).startTime))
                .observe({type: 'largest-contentful-paint', buffered: true});
        } catch { told(null); }
        setTimeout(() => told(null), 500);
    });
    document.readyState === 'complete' ? ready() : addEventListener('load', ready);
})"""


@dataclass(frozen=True, slots=True)
class Loads:
    """Times of page loads, in milliseconds, in the order measured.

    Attributes:
        load_ms: from the start of the navigation to the end of the load event.
        paint_ms: to the largest contentful paint; only of loads that had painted anything by then.
        stopping: FIXED if all requested loads were measured, else SEQUENTIAL.
    """

    load_ms: tuple[float, ...]
    paint_ms: tuple[float, ...]
    stopping: Stopping

    @property
    def p95_ms(self) -> float:
        """The time that 95 of 100 loads do not exceed."""
        return sorted(self.load_ms)[ceil(0.95 * len(self.load_ms)) - 1]


async def measure(tab: Tab, remaining: Callable[[], float]) -> Loads:
    """Load the pages repeatedly with an empty cache, as often as the time allows.

    Raises:
        WrongAnswer: a page answers with an error.
        NoAnswer: a page does not answer, or there is no time for three loads.
    """
    browser = tab.site.browser
    until = time.monotonic() + min(browser.load_seconds, _SHARE * remaining())
    session = await tab.page.context.new_cdp_session(tab.page)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    taken: list[tuple[float, float | None]] = []
    for path in cycle(browser.load_paths):
        if len(taken) == browser.loads or (time.monotonic() > until and len(taken) >= _FEWEST):
            break
        await tab.open(path)
        taken.append(await _times(tab))
    return Loads(
        load_ms=tuple(load for load, _ in taken),
        paint_ms=tuple(paint for _, paint in taken if paint is not None),
        stopping=Stopping.FIXED if len(taken) == browser.loads else Stopping.SEQUENTIAL,
    )


async def _times(tab: Tab) -> tuple[float, float | None]:
    seconds = tab.site.timeouts.answer
    try:
        async with asyncio.timeout(seconds):
            load, paint = await tab.page.evaluate(_TIMES)
    except TimeoutError:
        message = f"{tab.page.url} did not finish loading within {seconds:g} s"
        raise NoAnswer(NoAnswerKind.TIMEOUT, message, origin_of(tab.page.url)) from None
    if not isinstance(load, int | float) or isinstance(load, bool) or not load > 0:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{tab.page.url} tells no time of its loading")
    return float(load), float(paint) if isinstance(paint, int | float) and paint >= 0 else None
