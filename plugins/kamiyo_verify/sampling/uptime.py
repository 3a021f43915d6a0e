"""Probe addresses at a fixed pace during another operation; the schedule does not wait for answers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kamiyo_verify.model.downtime.uptime import Probe

if TYPE_CHECKING:
    import httpx2

PACE_S = 1.0
PATIENCE_S = 5.0


def watch(
    addresses: Mapping[str, str],
    stop: threading.Event,
    *,
    pace_s: float = PACE_S,
    patience_s: float = PATIENCE_S,
) -> dict[str, tuple[Probe, ...]]:
    """Probe every address once per `pace_s` seconds until `stop` is set.

    A probe that hangs does not delay the next one, so an outage is timed to about one interval.

    Args:
        addresses: URL by the name under which it is reported.
        stop: ends the watch, at most 50 ms later.
        pace_s: seconds between two probes of one address.
        patience_s: seconds without an answer after which the address counts as down.

    Returns:
        The probes by name, in the order sent; those still open when `stop` was set are awaited.
    """
    return asyncio.run(_watch(addresses, stop, pace_s, patience_s))


async def _watch(
    addresses: Mapping[str, str], stop: threading.Event, pace_s: float, patience_s: float
) -> dict[str, tuple[Probe, ...]]:
    probes: dict[str, list[asyncio.Task[Probe]]] = {name: [] for name in addresses}
    # A new connection for each probe: a reused one would not notice that new ones are refused.
    import httpx2  # noqa: PLC0415 - a plan sends nothing and does without

    limits = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(timeout=patience_s, limits=limits) as client:
        began = time.monotonic()
        for tick in range(1_000_000):
            for name, url in addresses.items():
                probes[name].append(asyncio.create_task(_probe(client, url, patience_s)))
            while not stop.is_set() and time.monotonic() < began + (tick + 1) * pace_s:
                await asyncio.sleep(min(0.05, pace_s / 4))
            if stop.is_set():
                break
        return {name: tuple(await asyncio.gather(*tasks)) for name, tasks in probes.items()}


async def _probe(client: httpx2.AsyncClient, url: str, patience_s: float) -> Probe:
    import httpx2  # noqa: PLC0415 - as above

    at = time.time()
    try:
        async with asyncio.timeout(patience_s), client.stream("GET", url) as answer:
            up = None if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS else answer.status_code < 500
            return Probe(at, up, str(answer.status_code))
    except (httpx2.HTTPError, OSError, TimeoutError) as error:
        return Probe(at, up=False, detail=f"no answer ({type(error).__name__})")
