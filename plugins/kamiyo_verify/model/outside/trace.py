"""A trace of a run: a tree of spans, without any library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span.

    Attributes:
        start_ns: when it began, in nanoseconds since the epoch; so is `end_ns`.
        error: why it did not end well; "" if it did.
        children: the spans within it, in order.
    """

    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, str | int | bool]
    error: str = ""
    children: tuple[Span, ...] = ()
