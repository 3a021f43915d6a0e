"""Generate addresses that are all different, so that no cache answers for the service."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

_CHAINS = ("", "Ethereum", "BSC", "Polygon", "Arbitrum", "Optimism", "Base")
_PAGES, _SIZES, _AMOUNTS = 3, 100, 1_000


_OTHERS = (("/stats", 5), ("/chains", 15))
"""The API's other public paths, and their positions among each twenty requests."""

_DAYS = 365


def api_urls(seed: int) -> Iterator[str]:
    """Addresses of everything that the API serves to visitors: mostly exploits.

    Args:
        seed: see `exploit_urls`.
    """
    exploits = exploit_urls(seed)
    for number in range(_PAGES * _SIZES * _AMOUNTS * len(_CHAINS)):
        path = next((path for path, place in _OTHERS if number % 20 == place), None)
        yield f"{path}?days={(seed + number) % _DAYS + 1}" if path else next(exploits)


def exploit_urls(seed: int) -> Iterator[str]:
    """Distinct `/exploits?…` addresses, practically unlimited: pages, sizes, chains and minimum amounts.

    Args:
        seed: where to begin; another seed for each run avoids cached answers of the last one.
    """
    total = _PAGES * _SIZES * _AMOUNTS * len(_CHAINS)
    step = 1_299_709  # a prime that does not divide `total`: each combination comes once
    for number in range(total):
        rest, chain = divmod((seed + number * step) % total, len(_CHAINS))
        rest, size = divmod(rest, _SIZES)
        amount, page = divmod(rest, _PAGES)
        query: dict[str, object] = {"page": page + 1, "page_size": size + 1, "min_amount": amount}
        yield "/exploits?" + urlencode(query | ({"chain": _CHAINS[chain]} if _CHAINS[chain] else {}))
