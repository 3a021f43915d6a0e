"""Which exploits a subscriber hears of."""


def wanted(chain: str, amount_usd: float | None, *, chains: frozenset[str], at_least_usd: float) -> bool:
    """An exploit passes a subscriber's filters; no chains stand for all of them."""
    of_a_wanted_chain = not chains or chain.casefold() in {name.casefold() for name in chains}
    return of_a_wanted_chain and (amount_usd or 0) >= at_least_usd
