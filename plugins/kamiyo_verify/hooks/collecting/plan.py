"""--plan: list which items would be checked, which not, and why. Runs and starts nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from kamiyo_verify.config.attestations import word_on
from kamiyo_verify.hooks.allowance import describe_allowance
from kamiyo_verify.hooks.checklist import BY_PAGE, Check, check_of
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.hooks.reruns import fixture_names
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.outcomes import NotApplicable, Unverified
from kamiyo_verify.model.runbook import Item

_CHECKED = "will be tried"
_ONLY_THE_RUN_KNOWS = "What is tried can still end unverified, if the run finds no browser, for example."
_NOT_SELECTED = "not selected"
_NO_CHECK = "no check yet"
_BY_HAND = "waits for a person"


class PlanPlugin:
    """Prints the plan instead of running the checks."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._selection: Selection | None = None
        self._on_page: set[str] = set()
        self._allowance = ""

    def begin(self, selection: Selection, nodes: Sequence[pytest.Item]) -> None:
        """Store the selection and the tests that the plan describes."""
        self._selection = selection
        self._allowance = describe_allowance(self._run.configured, nodes)
        self._on_page = {
            check.item.id for node in nodes if (check := check_of(node)) and BY_PAGE in fixture_names(node)
        }

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Skip pytest's test loop, except after a collection failure, which pytest then reports."""
        return None if session.testsfailed else True

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the plan by phase, in the runbook's order."""
        selection = self._selection
        if selection is None:
            return
        environment = self._run.configured
        terminalreporter.write_sep("=", f"plan: {environment.title} · {environment.name}", bold=True)
        if self._allowance:
            terminalreporter.write_line(self._allowance)
        tally: Counter[str] = Counter()
        for phase in selection.phases:
            items = [item for item in selection.scope if item.phase is phase]
            if items:
                terminalreporter.write_line(phase, bold=True)
            for item in items:
                kind, why = self._fate(item, selection)
                tally[kind] += 1
                sign = "+" if kind == _CHECKED else "-"
                terminalreporter.write_line(f"  {sign} {item.id}  {kind}{f': {why}' if why else ''}")
        counts = ", ".join(f"{count} {kind}" for kind, count in _in_order(tally)) or "nothing is selected"
        terminalreporter.write_line(f"{counted(sum(tally.values()), 'item')}: {counts}")
        if tally[_CHECKED]:
            terminalreporter.write_line(_ONLY_THE_RUN_KNOWS)

    def _fate(self, item: Item, selection: Selection) -> tuple[str, str]:
        """Return the planned outcome of an item and the reason."""
        run = self._run
        if item.part is not None and item.part in run.configured.absent:
            return "not applicable", f"{run.configured.name} has no {item.part}"
        if item.manual and (item.id in run.attestations or not self._seen_besides(item)):
            return self._vouched(item)
        checks = [check for check in selection.chosen.values() if check.item.id == item.id]
        if not checks:
            return (_NO_CHECK, "") if item.id in selection.no_check else (_NOT_SELECTED, "")
        obstacles = [found for check in checks if (found := self._obstacle(check))]
        if len(obstacles) < len(checks):
            return _CHECKED, ""
        found = obstacles[0]
        return "not applicable" if isinstance(found, NotApplicable) else "unverified", str(found)

    def _seen_besides(self, item: Item) -> bool:
        """Return whether our own status page can verify the item."""
        pages = self._run.configured.status_pages
        description = (
            pages is not None and pages.own_page_id and (pages.own_key.present or self._run.launches)
        )
        return item.id in self._on_page and bool(description)

    def _vouched(self, item: Item) -> tuple[str, str]:
        try:
            return "attested", str(word_on(item.id, self._run.attestations, datetime.now(UTC)))
        except Unverified:
            return _BY_HAND, f'--attest {item.id}="WHO: WHAT"'

    def _obstacle(self, check: Check) -> Exception | None:
        run = self._run
        return obstacle(
            check.item,
            check.needs,
            check.writes,
            run.configured,
            launch_pending=run.launches,
            load=run.options.load,
        )


def _in_order(tally: Counter[str]) -> Iterator[tuple[str, int]]:
    yield from sorted(tally.items(), key=lambda entry: (entry[0] != _CHECKED, -entry[1]))
