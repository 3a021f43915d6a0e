"""A subscriber hears of what the filters let through."""

from api.alerts import wanted


def test_without_filters_everything_is_wanted() -> None:
    """Not even an unknown amount is left out."""
    assert wanted("Ethereum", None, chains=frozenset(), at_least_usd=0)


def test_another_chain_is_left_out() -> None:
    """However large the amount."""
    assert not wanted("Solana", 5e6, chains=frozenset({"ethereum"}), at_least_usd=0)


def test_a_small_amount_is_left_out() -> None:
    """Of a wanted chain as well."""
    assert not wanted("Ethereum", 10, chains=frozenset(), at_least_usd=1000)
