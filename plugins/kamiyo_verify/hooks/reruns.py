"""Rerun failed checks with pytest-rerunfailures, because a failure counts only when confirmed."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.hooks.checklist import check_of

if TYPE_CHECKING:
    from kamiyo_verify.hooks.outcome import Outcome
    from kamiyo_verify.model.downtime.confirming import Confirmation

OUTCOME: pytest.StashKey[Outcome | None] = pytest.StashKey()
"""The outcome of the latest attempt at an item; None if it passed."""

SENT_ONCE = pytest.StashKey[set[str]]()
"""The requests of an item that change something each time they are sent; it is not run again by itself."""


def ask_for_confirmation(
    nodes: Iterable[pytest.Item], confirmation: Confirmation, background: Container[str]
) -> None:
    """Mark the checks that are run again after an attempt that did not pass.

    Args:
        nodes: the tests.
        confirmation: the number of attempts and the time between them.
        background: names of the background fixtures; a rerun cannot change their results.
    """
    if confirmation.attempts == 1:
        return
    for node in nodes:
        if check_of(node) is None or any(name in background for name in fixture_names(node)):
            continue
        again = pytest.mark.flaky(
            reruns=confirmation.attempts - 1,
            reruns_delay=confirmation.spacing_s,
            condition=_Repeatable(node),
        )
        node.add_marker(again)


def fixture_names(node: pytest.Item) -> tuple[str, ...]:
    """Return the names of all fixtures that a test uses, directly or indirectly."""
    return tuple(getattr(node, "fixturenames", ()))


class _Repeatable:
    """Rerun condition: whether another attempt at a test could have another outcome.

    It implements `__bool__`, not `__call__`: pytest-rerunfailures inspects a callable's signature each time.
    """

    def __init__(self, node: pytest.Item) -> None:
        self._node = node

    def __bool__(self) -> bool:
        outcome = self._node.stash.get(OUTCOME, None)
        return outcome is not None and outcome.repeatable and not self._node.stash.get(SENT_ONCE, None)
