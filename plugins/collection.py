"""Collecting checks: validated at once, confirmed where they fail, stopped where they can not be run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from plugins.background import TASKS, waiting_last
from plugins.checklist import check_of, read_checks
from plugins.model.figures import counted
from plugins.model.words import Part, Phase
from plugins.obstacles import obstacle
from plugins.options import argument_paths, verification_roots
from plugins.retries import ask_for_confirmation
from plugins.run import Run
from plugins.selection import Selection, select

OnSelection = Callable[[Selection, Sequence[pytest.Item]], None]
"""Is told what a run is about, with the tests that will run, once that is known."""


class CollectionPlugin:
    """Finds the checks, in every process.

    Args:
        run: with the runbook.
        distributes: this process hands the tests out to workers, and would not collect by itself.
        on_selection: called where the run began.
    """

    def __init__(self, run: Run, *, distributes: bool, on_selection: OnSelection) -> None:
        self._run = run
        self._distributes = distributes
        self._on_selection = on_selection
        self._collected: list[pytest.Item] | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """The controller of workers collects too: it has to know what the run is about, and what is wrong."""
        result = yield
        if self._distributes:
            session.perform_collect()
            if session.testsfailed and not session.config.option.continue_on_collection_errors:
                raise session.Interrupted(f"{counted(session.testsfailed, 'error')} during collection")
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Bind checks to items before anybody selects by mark.

        Raises:
            pytest.UsageError: with all that is wrong, in one message.
        """
        problems = read_checks(items, verification_roots(config), self._run.runbook)
        if problems and self._run.is_worker:
            items.clear()  # The controller has found the same and tells it.
            return
        if problems:
            told = [f"{counted(len(problems), 'mistake')} in the checks:", *problems]
            raise pytest.UsageError("\n  ".join(told))
        self._collected = list(items)
        ask_for_confirmation(items, self._run.configured.confirmation, TASKS)
        _browser_late(items)
        waiting_last(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say what is left after all selecting."""
        if self._collected is None or self._run.is_worker:
            return
        roots = verification_roots(session.config)
        asked: list[tuple[Path, Path]] = [
            (path, root)
            for path in argument_paths(session.config)
            for root in roots
            if path.is_relative_to(root) or root.is_relative_to(path)
        ]
        selection = select(session.config, self._run.runbook, self._collected, session.items, asked)
        self._on_selection(selection, session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Stop before a check that can not be run here.

        Raises:
            Unverified: something is not configured, or not allowed.
            NotApplicable: the environment has no such part.
        """
        check = check_of(item)
        if check is None:
            return
        found = obstacle(check.item, check.needs, check.writes, self._run.environment)
        if found is not None:
            raise found


def _browser_late(nodes: list[pytest.Item]) -> None:
    """Move what looks at pages behind all else, and what times them behind that: it takes a whole core."""

    def place(node: pytest.Item) -> tuple[bool, bool]:
        check = check_of(node)
        looks = check is not None and check.item.part is Part.BROWSER
        return looks, looks and check is not None and check.item.phase is Phase.PERFORMANCE

    nodes.sort(key=place)
