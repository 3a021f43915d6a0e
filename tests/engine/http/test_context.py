"""What the clients of a session share, and what those of outside systems do not."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts


def test_a_context_cannot_be_changed() -> None:
    context = ClientContext.unrecorded(Timeouts(), lambda: 1.0)
    with pytest.raises(FrozenInstanceError):
        context.timeouts = Timeouts()  # type: ignore[misc]


def test_outside_systems_share_all_but_the_memory_of_hangs_and_of_requests() -> None:
    recorded: list[Exchange] = []
    context = ClientContext(Timeouts(), recorded.append, lambda: 1.0)
    outside = context.for_outside_systems()

    assert (outside.record, outside.remaining) == (context.record, context.remaining)
    assert outside.throttle is context.throttle
    assert outside.hangs is not context.hangs, "a system that is not ours hangs: the platform is not down"
    assert outside.repeats is not context.repeats, "nobody samples an outside system to confirm a failure"


def test_contexts_that_are_made_apart_share_no_memory() -> None:
    one, other = (ClientContext.unrecorded(Timeouts(), lambda: 1.0) for _ in range(2))
    assert one.throttle is not other.throttle
    assert one.hangs is not other.hangs
    assert one.repeats is not other.repeats
