"""All that a decision may rest on, gathered before anything is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from plugins.model.circumstances import Before, Hosted, Migrated, SupplierReport
from plugins.model.history import History
from plugins.model.result import Measurement, Result
from plugins.model.runbook import Item, Runbook
from plugins.model.words import Attribution, Impact, Part, Phase, Status

NO_CHECK = "no check yet"
NOT_SELECTED = "not selected in this run"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One run: what was asked, what came of it, and what should have been asked.

    Attributes:
        environment: its name.
        phases: the selected ones.
        results: one for each item that ran.
        expected: ids of the items of these phases that have a check, selected or not.
        no_check: ids of the items of these phases that have none.
        absent: parts that the environment does not have.
        commit: the commit that should answer, or "" where none was named.
        started_at: UTC, ISO 8601; so is `finished_at`.
        interrupted: someone, or something, ended the run before all had been asked.
        deploy_minutes: minutes since the deployment began; None where nobody knows.
        baseline: what items measured before the deployment, by id; empty where nobody looked.
        history: what the ledger knows of the environment; None where it was not reached.
        before: the run that shows how things were before the deployment; None where there is none.
        suppliers: what third parties say of themselves; of those that were asked.
        clock_ahead_s: by how many seconds the clock here is ahead; None where nobody asked.
        hosted: our services on Render; empty where nobody asked, or Render did not tell.
        migrated: what this deployment did to the schema; None where nobody knows.

    Raises:
        ValueError: an id that the runbook does not have, or two results of one item.
    """

    runbook: Runbook
    environment: str
    phases: tuple[Phase, ...]
    results: tuple[Result, ...]
    expected: tuple[str, ...]
    no_check: tuple[str, ...] = ()
    absent: frozenset[Part] = frozenset()
    project: str = "Kamiyo"
    production: bool = False
    commit: str = ""
    started_at: str = ""
    finished_at: str = ""
    interrupted: bool = False
    deploy_minutes: float | None = None
    baseline: Mapping[str, tuple[Measurement, ...]] = field(default_factory=dict)
    history: History | None = None
    before: Before | None = None
    suppliers: tuple[SupplierReport, ...] = ()
    clock_ahead_s: float | None = None
    hosted: tuple[Hosted, ...] = ()
    migrated: Migrated | None = None

    def __post_init__(self) -> None:
        times = Counter(result.item for result in self.results)
        known = {item.id for item in self.runbook.items}
        strangers = sorted({*times, *self.expected, *self.no_check} - known)
        if strangers:
            raise ValueError(f"the runbook has no item {', '.join(strangers)}")
        twice = sorted(item for item, count in times.items() if count > 1)
        if twice:
            raise ValueError(f"more than one result for {', '.join(twice)}")

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items of the selected phases, and any other that ran, in the runbook's order."""
        ran = {result.item for result in self.results}
        return tuple(item for item in self.runbook.items if item.phase in self.phases or item.id in ran)

    @cached_property
    def outcomes(self) -> tuple[tuple[Item, Result], ...]:
        """Each of `items` with what became of it; one that did not run says why it did not."""
        ran = {result.item: result for result in self.results}
        return tuple((item, ran.get(item.id) or self._not_run(item)) for item in self.items)

    def result(self, item_id: str) -> Result | None:
        """What became of an item; None where it is of no selected phase and did not run."""
        return next((result for item, result in self.outcomes if item.id == item_id), None)

    def item(self, item_id: str) -> Item:
        """The runbook's line of that id.

        Raises:
            LookupError: there is none.
        """
        item = self.runbook.item(item_id)
        if item is None:
            raise LookupError(f"the runbook has no item {item_id}")
        return item

    def attribution(self, result: Result) -> Attribution | None:
        """Whose doing it is: this deploy's, where it failed and nothing says otherwise."""
        if result.status is not Status.FAILED:
            return result.attribution
        return result.attribution or Attribution.INTRODUCED

    def failed(self, *impacts: Impact) -> tuple[Result, ...]:
        """What failed, in the runbook's order; of these impacts only, where any are given."""
        return tuple(
            result
            for item, result in self.outcomes
            if result.status is Status.FAILED and (not impacts or item.impact in impacts)
        )

    def introduced(self, impact: Impact) -> tuple[Result, ...]:
        """What failed of that impact after the deployment, and is not known to be anyone else's doing."""
        return tuple(
            result
            for result in self.failed(impact)
            if result.phase not in {Phase.PREFLIGHT, Phase.ROLLBACK}
            and self.attribution(result) in {Attribution.INTRODUCED, Attribution.UNKNOWN}
        )

    def blamed_on(self, *culprits: Attribution) -> tuple[Result, ...]:
        """What failed by the doing of these, in the runbook's order."""
        return tuple(result for result in self.failed() if self.attribution(result) in culprits)

    def with_status(self, status: Status) -> tuple[Result, ...]:
        """Every item of that status, in the runbook's order."""
        return tuple(result for _, result in self.outcomes if result.status is status)

    def unproven(self) -> tuple[Result, ...]:
        """Items that must have been verified before anyone proceeds, and were not.

        An item without a check does not count, nor does one that does not apply, nor an optional one that was
        not tried.
        """
        required = self.runbook.policy.required_impacts
        return tuple(
            result
            for item, result in self.outcomes
            if item.impact in required
            and item.id not in self.no_check
            and (result.status is Status.ERROR or (result.status is Status.UNVERIFIED and not item.optional))
        )

    def _not_run(self, item: Item) -> Result:
        if item.part is not None and item.part in self.absent:
            why = f"this environment has no {item.part}"
            return Result(item.id, item.phase, Status.NOT_APPLICABLE, why)
        why = NOT_SELECTED if item.id in self.expected else NO_CHECK
        return Result(item.id, item.phase, Status.UNVERIFIED, why)
