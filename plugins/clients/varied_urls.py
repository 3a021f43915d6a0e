"""Addresses that are all different, so that no cache answers for the service."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

_CHAINS = ("", "Ethereum", "BSC", "Polygon", "Arbitrum", "Optimism", "Base")
_PAGES, _SIZES, _AMOUNTS = 3, 100, 1_000


def exploit_urls(seed: int) -> Iterator[str]:
    """Distinct `/exploits?…` addresses without end in practice: pages, sizes, chains and least amounts.

    Args:
        seed: where to begin; with another seed for each run, no cache remembers the last one.
    """
    total = _PAGES * _SIZES * _AMOUNTS * len(_CHAINS)
    step = 1_299_709  # a prime, and so no divisor of `total`: each combination comes once
    for number in range(total):
        rest, chain = divmod((seed + number * step) % total, len(_CHAINS))
        rest, size = divmod(rest, _SIZES)
        amount, page = divmod(rest, _PAGES)
        query: dict[str, object] = {"page": page + 1, "page_size": size + 1, "min_amount": amount}
        yield "/exploits?" + urlencode(query | ({"chain": _CHAINS[chain]} if _CHAINS[chain] else {}))
