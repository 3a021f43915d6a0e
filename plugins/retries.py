"""A failure counts when it is confirmed: checks are tried again, by pytest-rerunfailures."""

from __future__ import annotations

from collections.abc import Container, Iterable

import pytest

from plugins.checklist import check_of
from plugins.model.environment import Confirmation
from plugins.outcome import Outcome

OUTCOME = pytest.StashKey[Outcome | None]()
"""How the latest try at an item ended, if not by passing."""


def ask_for_confirmation(
    nodes: Iterable[pytest.Item], confirmation: Confirmation, background: Container[str]
) -> None:
    """Mark the checks that are tried again after a try that did not pass.

    Args:
        nodes: the tests.
        confirmation: how often and how far apart.
        background: names of the fixtures whose results are there once and for all.
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
    """The names of all fixtures that a test asks for, directly or through others."""
    return tuple(getattr(node, "fixturenames", ()))


class _Repeatable:
    """Whether another try at one test could tell more than its latest one did.

    Its truth is asked for, and not a call of it: for a callable the signature would be read each time.
    """

    def __init__(self, node: pytest.Item) -> None:
        self._node = node

    def __bool__(self) -> bool:
        outcome = self._node.stash.get(OUTCOME, None)
        return outcome is not None and outcome.repeatable
