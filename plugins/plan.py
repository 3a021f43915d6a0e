"""--plan: what would be checked, what not, and why. Nothing is run and nothing is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from plugins.attestations import word_on
from plugins.checklist import BY_PAGE, Check, check_of
from plugins.model.figures import counted
from plugins.model.outcomes import NotApplicable, Unverified
from plugins.model.runbook import Item
from plugins.obstacles import obstacle
from plugins.retries import fixture_names
from plugins.run import Run
from plugins.selection import Selection

_CHECKED = "will be checked"
_NOT_SELECTED = "not selected"
_NO_CHECK = "no check yet"
_BY_HAND = "waits for a person"


class PlanPlugin:
    """Tells instead of running."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._selection: Selection | None = None
        self._on_page: set[str] = set()

    def begin(self, selection: Selection, nodes: Sequence[pytest.Item]) -> None:
        """What the plan is about is known."""
        self._selection = selection
        self._on_page = {
            check.item.id for node in nodes if (check := check_of(node)) and BY_PAGE in fixture_names(node)
        }

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run nothing, unless collecting has failed: then pytest says so."""
        return None if session.testsfailed else True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A plan is no verdict."""
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The plan, by phase, in the runbook's order."""
        selection = self._selection
        if selection is None:
            return
        environment = self._run.configured
        terminalreporter.write_sep("=", f"plan: {environment.title} · {environment.name}", bold=True)
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

    def _fate(self, item: Item, selection: Selection) -> tuple[str, str]:
        """What will become of an item, and why."""
        run = self._run
        if item.part is not None and item.part in run.configured.absent:
            return "not applicable", f"{run.configured.name} has no {item.part}"
        if item.by_hand and (item.id in run.attestations or not self._seen_besides(item)):
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
        """Our own status page can tell of it."""
        pages = self._run.configured.status_pages
        told = pages is not None and pages.own_page_id and (pages.own_key.present or self._run.launches)
        return item.id in self._on_page and bool(told)

    def _vouched(self, item: Item) -> tuple[str, str]:
        try:
            return "attested", str(word_on(item.id, self._run.attestations, datetime.now(UTC)))
        except Unverified:
            return _BY_HAND, f'--attest {item.id}="WHO: WHAT"'

    def _obstacle(self, check: Check) -> Exception | None:
        run = self._run
        return obstacle(check.item, check.needs, check.writes, run.configured, launch_pending=run.launches)


def _in_order(tally: Counter[str]) -> Iterator[tuple[str, int]]:
    yield from sorted(tally.items(), key=lambda entry: (entry[0] != _CHECKED, -entry[1]))
