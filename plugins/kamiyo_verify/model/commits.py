"""Compare full and abbreviated commit ids."""

SHORTEST = 7
"""The fewest characters that name a commit, as git abbreviates it."""


def same_commit(one: str, other: str) -> bool:
    """Return whether two commit ids are equal, or one abbreviates the other."""
    short, full = sorted((one.casefold(), other.casefold()), key=len)
    return short == full or (len(short) >= SHORTEST and full.startswith(short))
