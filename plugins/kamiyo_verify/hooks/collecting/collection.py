"""Collection of checks: validate them, order them, set up reruns, and block checks that cannot run here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from kamiyo_verify.hooks.background import TASKS, waiting_last
from kamiyo_verify.hooks.checklist import check_of, read_checks
from kamiyo_verify.hooks.collecting.narrowing import narrowing_of
from kamiyo_verify.hooks.options import argument_paths, verification_roots
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.hooks.reruns import ask_for_confirmation
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.selection import Selection, select
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.words import Part, Phase

OnSelection = Callable[[Selection, Sequence[pytest.Item]], None]
"""Called after collection with the selection of the run and the tests that will run."""


class CollectionPlugin:
    """Collects and validates the checks, in every process of the run.

    Args:
        run: the run, which holds the runbook.
        distributes: whether this process distributes the tests to workers; xdist does not collect in it.
        on_selection: called in the controller process only.
    """

    def __init__(self, run: Run, *, distributes: bool, on_selection: OnSelection) -> None:
        self._run = run
        self._distributes = distributes
        self._on_selection = on_selection
        self._collected: list[pytest.Item] | None = None
        self._broken: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """Collect in the xdist controller too: it needs the selection and the list of mistakes."""
        result = yield
        if self._distributes:
            session.perform_collect()
            if session.testsfailed and not session.config.option.continue_on_collection_errors:
                raise session.Interrupted(f"{counted(session.testsfailed, 'error')} during collection")
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Bind checks to runbook items before any plugin deselects tests by marker.

        Raises:
            pytest.UsageError: the checks contain mistakes; one message lists all of them.
        """
        problems = read_checks(items, verification_roots(config), self._run.runbook)
        if problems and self._run.is_worker:
            items.clear()  # The controller finds and reports the same mistakes.
            return
        if problems:
            description = [f"{counted(len(problems), 'mistake')} in the checks:", *problems]
            raise pytest.UsageError("\n  ".join(description))
        self._collected = list(items)
        ask_for_confirmation(items, self._run.configured.confirmation, TASKS)
        _browser_late(items)
        waiting_last(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a module that could not be collected, because the verdict reports its items as missing."""
        if report.failed:
            self._broken.append(f"{report.nodeid or 'the collection'} could not be imported")
        elif report.skipped:
            self._broken.append(f"{report.nodeid} is skipped as a whole")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Determine the selection after all deselection, and pass it on."""
        if self._collected is None or self._run.is_worker:
            return
        roots = verification_roots(session.config)
        asked: list[tuple[Path, Path]] = [
            (path, root)
            for path in argument_paths(session.config)
            for root in roots
            if path.is_relative_to(root) or root.is_relative_to(path)
        ]
        parts = [
            argument
            for argument, path in zip(session.config.args, argument_paths(session.config), strict=True)
            if "::" in argument or not any(root.is_relative_to(path) or path.parent == root for root in roots)
        ]
        narrowing = narrowing_of(session.config, parts, dict.fromkeys(self._broken))
        selection = select(
            session.config, self._run.runbook, self._collected, session.items, asked, narrowing
        )
        self._on_selection(selection, session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Stop a check that cannot run in this environment.

        Raises:
            Unverified: a required setting is missing, or the environment forbids the check.
            NotApplicable: the environment does not have this part of the platform.
        """
        check = check_of(item)
        if check is None:
            return
        run = self._run
        found = obstacle(check.item, check.needs, check.writes, run.environment, load=run.options.load)
        if found is not None:
            raise found


def _browser_late(nodes: list[pytest.Item]) -> None:
    """Move browser checks to the end, and browser performance checks after them: they use a full CPU core."""

    def place(node: pytest.Item) -> tuple[bool, bool]:
        check = check_of(node)
        looks = check is not None and check.item.part is Part.BROWSER
        return looks, looks and check is not None and check.item.phase is Phase.PERFORMANCE

    nodes.sort(key=place)
