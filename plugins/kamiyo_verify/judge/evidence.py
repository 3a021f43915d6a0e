"""The complete input of a decision, collected before anything is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kamiyo_verify.judge.rollback.comparisons import Comparison, comparisons, served, workers
from kamiyo_verify.judge.rollback.serving import JUDGED, Serves
from kamiyo_verify.model.circumstances import Before, Migrated, SupplierReport
from kamiyo_verify.model.credentials import CredentialUse
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.history.earlier import EarlierRuns
from kamiyo_verify.model.history.history import History
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item, Runbook
from kamiyo_verify.model.words import Attribution, Impact, Part, Phase, Status

NO_CHECK = "no check yet"
NOT_SELECTED = "not selected in this run"
NO_CHECK_FOUND = "no check of it was found: its file is missing, is not collected, or names another item"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence of one run: the selection, the results, and the items that should have run.

    Attributes:
        environment: name of the environment.
        phases: the selected phases.
        results: one result for each item that ran.
        expected: ids of the items of these phases that have a check, selected or not.
        no_check: ids of the items of these phases that have no check and whose impact does not require one.
        not_run: ids of the items that were excluded, in whole or in part, by something other than the mark
            expression, such as -k or a file that cannot be imported; each with the cause.
        absent: parts that the environment does not have.
        commit: the commit that should answer, or "" if none was given.
        started_at: UTC, ISO 8601; so is `finished_at`.
        interrupted: whether the run ended before all items were tried.
        deploy_minutes: minutes since the deployment began; None if unknown.
        baseline: measurements of items before the deployment, by id; empty if there are none.
        history: the ledger's history of the environment; None if the ledger was not reached.
        before: the run that shows the state before the deployment; None if there is none.
        suppliers: status page reports of third parties, for those that were requested.
        clock_ahead_s: seconds by which the local clock is ahead; None if it was not measured.
        hosted: our services at their host; empty if it was not requested, or did not answer.
        bad_commits: commits that a rollback must not return to, according to the history.
        migrated: the migrations that this deployment applied; None if unknown.
        credentials: how each credential of ours was used and answered.
        records_baseline: whether the run records the state before a deployment (--baseline).
        baseline_max_age_h: hours after which a run no longer shows the state before the deployment.
        timelines: the requests of this run to each service: all tries, samples and rechecks.
        place: the name of the place that the run looked from, or "".
        earlier: the samples of earlier runs of this commit; None if this run is judged by itself.

    Raises:
        ValueError: an id is not in the runbook, or an item has two results.
    """

    runbook: Runbook
    environment: str
    phases: tuple[Phase, ...]
    results: tuple[Result, ...]
    expected: tuple[str, ...]
    no_check: tuple[str, ...] = ()
    not_run: Mapping[str, str] = field(default_factory=dict)
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
    hosted: tuple[ServiceState, ...] = ()
    bad_commits: tuple[str, ...] = ()
    migrated: Migrated | None = None
    credentials: tuple[CredentialUse, ...] = ()
    records_baseline: bool = False
    baseline_max_age_h: float = 24.0
    timelines: tuple[ServiceTimeline, ...] = ()
    place: str = ""
    earlier: EarlierRuns | None = None

    def __post_init__(self) -> None:
        times = Counter(result.item for result in self.results)
        known = {item.id for item in self.runbook.items}
        strangers = sorted({*times, *self.expected, *self.no_check, *self.not_run} - known)
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
        """Each of `items` with its result; the result of an item that did not run gives the reason."""
        ran = {result.item: result for result in self.results}
        return tuple((item, ran.get(item.id) or self._not_run(item)) for item in self.items)

    def result(self, item_id: str) -> Result | None:
        """Return the result of an item; None if its phase is not selected and it did not run."""
        return next((result for item, result in self.outcomes if item.id == item_id), None)

    def item(self, item_id: str) -> Item:
        """Return the runbook's item with that id.

        Raises:
            LookupError: there is no such item.
        """
        item = self.runbook.item(item_id)
        if item is None:
            raise LookupError(f"the runbook has no item {item_id}")
        return item

    def attribution(self, result: Result) -> Attribution | None:
        """Return the attribution of a result; UNKNOWN for a failure without one."""
        if result.status is not Status.FAILED:
            return result.attribution
        return result.attribution or Attribution.UNKNOWN

    def failed(self, *impacts: Impact) -> tuple[Result, ...]:
        """Return the failed results in the runbook's order; if impacts are given, only those."""
        return tuple(
            result
            for item, result in self.outcomes
            if result.status is Status.FAILED and (not impacts or item.impact in impacts)
        )

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """What each item found that compares the commit of a service, in the runbook's order."""
        return tuple(comparisons(self.outcomes, self.commit))

    @cached_property
    def workers(self) -> frozenset[str]:
        """The services that answer no request, so that their host was read instead."""
        return workers(self.outcomes)

    @cached_property
    def serving(self) -> dict[str, Serves]:
        """What each service runs, compared with what it should run; empty if that was not checked."""
        return served(self.comparisons)

    @property
    def release_answers(self) -> bool:
        """Whether at least one service that answers requests is known to run the commit."""
        return any(
            serves is Serves.RELEASE and service not in self.workers
            for service, serves in self.serving.items()
        )

    @cached_property
    def elsewhere(self) -> tuple[str, ...]:
        """The services whose failures are not about this deployment, while another service may run it."""
        return tuple(
            service
            for service, serves in self.serving.items()
            if serves not in JUDGED and (self.release_answers or service in self.workers)
        )

    def blamed_on(self, *culprits: Attribution) -> tuple[Result, ...]:
        """Return the failed results with these attributions, in the runbook's order."""
        return tuple(result for result in self.failed() if self.attribution(result) in culprits)

    def with_status(self, status: Status) -> tuple[Result, ...]:
        """Return every result with that status, in the runbook's order."""
        return tuple(result for _, result in self.outcomes if result.status is status)

    def unproven(self) -> tuple[Result, ...]:
        """Return the items that must be verified before "proceed", and were not.

        Items in `no_check`, items that do not apply, and optional items that were not tried do not count.
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
        why = self.not_run.get(item.id) or (NOT_SELECTED if item.id in self.expected else NO_CHECK)
        return Result(item.id, item.phase, Status.UNVERIFIED, why)
