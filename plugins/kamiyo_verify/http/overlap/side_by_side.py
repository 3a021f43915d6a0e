"""Ask several things at once, in threads that belong to the check which asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Found = TypeVar("Found")


def side_by_side(asks: Sequence[Callable[[], Found]]) -> list[Found]:
    """Call all functions at once, and return what they return, in their order.

    Raises:
        BaseException: what the first of them, in their order, raises.
    """
    if len(asks) < 2:
        return [ask() for ask in asks]
    pool = ThreadPoolExecutor(len(asks), thread_name_prefix="asking")
    try:
        # In the context of the caller: its evidence, its rehearsal.
        begun = [pool.submit(copy_context().run, ask) for ask in asks]
        return [one.result() for one in begun]
    finally:
        # Each request has a deadline of its own; an interrupted check waits for none.
        pool.shutdown(wait=False, cancel_futures=True)
