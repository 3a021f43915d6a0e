"""The number of rows that users find, as each endpoint reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FEWEST = 5
"""Rows by which two counts may always differ: a row can arrive between them."""


@dataclass(frozen=True, slots=True)
class CountsRound:
    """The counts of one round, taken as close together as possible.

    Attributes:
        by_endpoint: counts by endpoint, such as {"health": 420, "exploits": 420}.
        tolerance: the share by which they may differ.
    """

    by_endpoint: Mapping[str, int]
    tolerance: float

    @property
    def agree(self) -> bool:
        """Whether the counts differ by no more than normal changes between two requests."""
        most, least = max(self.by_endpoint.values()), min(self.by_endpoint.values())
        return most - least <= max(FEWEST, self.tolerance * most)

    def __str__(self) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in self.by_endpoint.items())


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The counts of several rounds. The last one is valid, because counts change.

    Attributes:
        rounds: oldest first; more than one if the first did not agree.
        delayed: why the answers may leave out the newest day, such as "no key is sent"; or "".
    """

    rounds: tuple[CountsRound, ...]
    delayed: str = ""

    @property
    def coverage(self) -> str:
        """How recent the counted data are, in words."""
        if not self.delayed:
            return "up to now"
        return f"may leave out the newest day, as {self.delayed}: compared within {self.last.tolerance:.0%}"

    @property
    def last(self) -> CountsRound:
        """The newest round."""
        return self.rounds[-1]

    @property
    def contradiction(self) -> str:
        """Every round in words, if none of them agrees; else ""."""
        if any(one.agree for one in self.rounds):
            return ""
        return f"{self.last} (asked {len(self.rounds)} times)"
