"""Probing addresses at a fixed pace while something else goes on: the schedule waits for no answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping

import httpx

from plugins.model.uptime import Probe

PACE_S = 1.0
PATIENCE_S = 5.0


def watch(
    addresses: Mapping[str, str],
    stop: threading.Event,
    *,
    pace_s: float = PACE_S,
    patience_s: float = PATIENCE_S,
) -> dict[str, tuple[Probe, ...]]:
    """Ask every address once per `pace_s` seconds until `stop` is set.

    A question that hangs does not delay the next one, so an outage is seen to about one pace.

    Args:
        addresses: a URL by the name it is to be reported under.
        stop: ends the watch at its next look, at most 50 ms later.
        pace_s: seconds between two questions to one address.
        patience_s: after so many seconds without an answer the address counts as down.

    Returns:
        The probes by name, in the order asked; those still open when `stop` was set are awaited.
    """
    return asyncio.run(_watch(addresses, stop, pace_s, patience_s))


async def _watch(
    addresses: Mapping[str, str], stop: threading.Event, pace_s: float, patience_s: float
) -> dict[str, tuple[Probe, ...]]:
    asked: dict[str, list[asyncio.Task[Probe]]] = {name: [] for name in addresses}
    # A connection of its own for each question: a kept one would not notice that new ones are refused.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=patience_s, limits=limits) as client:
        began = time.monotonic()
        for tick in range(1_000_000):
            for name, url in addresses.items():
                asked[name].append(asyncio.create_task(_probe(client, url, patience_s)))
            while not stop.is_set() and time.monotonic() < began + (tick + 1) * pace_s:
                await asyncio.sleep(min(0.05, pace_s / 4))
            if stop.is_set():
                break
        return {name: tuple(await asyncio.gather(*tasks)) for name, tasks in asked.items()}


async def _probe(client: httpx.AsyncClient, url: str, patience_s: float) -> Probe:
    at = time.time()
    try:
        async with asyncio.timeout(patience_s), client.stream("GET", url) as answer:
            up = None if answer.status_code == httpx.codes.TOO_MANY_REQUESTS else answer.status_code < 500
            return Probe(at, up, str(answer.status_code))
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        return Probe(at, up=False, told=f"no answer ({type(error).__name__})")
