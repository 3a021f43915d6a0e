"""The runbook as data: items, objectives, policy, escalation. The schema of runbook.toml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from kamiyo_verify.model.notifications import Moment
from kamiyo_verify.model.policy import Policy, Row
from kamiyo_verify.model.services import ServiceName, Services, in_order
from kamiyo_verify.model.words import Explains, Impact, Part, Phase, Supplier

ANY_SERVICE = "any"
"""The service name of log patterns that are searched in the log of every service."""

ItemId = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$")]


class Item(Row):
    """One line of the runbook.

    Attributes:
        section: the heading in the written runbook.
        checkbox: text of the runbook's checkbox that this item covers, or "" if the runbook has none.
            Several items may cover one checkbox.
        user_impact: what users lose when it fails, for the message.
        remedy: id of the common issue whose remedy to show, or "".
        part: the part of the platform that it tests, if an environment can lack that part.
        manual: only a person can do it; it passes by attestation.
        services: the service that serves it, then those on which that service relies; empty if the item is
            not about a particular service.
        supplier: the third party whose problems can make it fail.
        optional: if it was not verified, other items cover its subject, so that it does not block; if it
            fails or gets no answer, it counts like any other item.
        clock_sensitive: it fails if the clock of the checking machine is wrong.
        reads_errors: it judges the bodies of all server errors of the run.
    """

    id: ItemId
    title: str
    section: str
    phase: Phase
    impact: Impact
    checkbox: str = ""
    user_impact: str = ""
    remedy: str = ""
    part: Part | None = None
    manual: bool = False
    services: tuple[ServiceName, ...] = ()
    supplier: Supplier | None = None
    clock_sensitive: bool = False
    reads_errors: bool = False
    optional: bool = False


class SupplierRow(Row):
    """The part of a third party's status page to check after an item that depends on it failed.

    Attributes:
        page: its key in [status_pages].
        components: names of the components that count.
        explains: which of our failures their problems explain.
    """

    id: Supplier
    name: str
    page: Literal["render", "stripe", "sentry"]
    components: Annotated[tuple[str, ...], Field(min_length=1)]
    explains: Explains = Explains.SILENCE


class Remedy(Row):
    """One of the runbook's common issues and its remedy."""

    id: str
    title: str
    cause: str
    steps: tuple[str, ...]


class Source(Row):
    """An item and the series that it measures."""

    item: ItemId
    measurement: str


class Slo(Row):
    """One service level objective.

    Attributes:
        kind: "quantile" (of a series of durations), "ratio" (bad events over all), or "history"
            (needs many runs).
        item: the item whose measurement feeds it; "" for history.
        measurement: name of the series (quantile), or of the count of bad events (ratio).
        total: name of the count of all events (ratio).
        preferred_source: feeds a quantile if it was measured; otherwise `item` feeds it.
        quantile: 0.95 for p95.
        objective: the threshold: in `unit` for a quantile, a share (0..1) for ratio and history.
        better: "below" or "above" the objective.
        window: the window of a history, in hours, days or weeks, such as "30d".
    """

    id: str
    title: str
    kind: Literal["quantile", "ratio", "history"]
    objective: float
    better: Literal["below", "above"] = "below"
    unit: str = ""
    item: str = ""
    measurement: str = ""
    total: str = ""
    preferred_source: Source | None = None
    quantile: float | None = Field(default=None, gt=0, lt=1)
    window: Annotated[str, Field(pattern=r"^([1-9][0-9]*[hdw])?$")] = ""


class Escalation(Row):
    """Who acts from a given minute of the deployment; `critical` rows depend on severity, not on time."""

    level: int
    from_minute: float | None = None
    who: str
    does: str
    critical: bool = False


class Contact(Row):
    """A contact. Empty fields are shown as missing, never invented."""

    role: str
    name: str = ""
    phone: str = ""
    email: str = ""
    url: str = ""
    status_page: str = ""


class LogPattern(Row):
    """One pattern to search in a service's log.

    Attributes:
        service: the service whose log is searched; "any" for every service.
        pattern: a regular expression.
        sign: "good" must match, "bad" must not.
        optional: it is shown but decides nothing.
    """

    id: str
    service: ServiceName
    sign: Literal["good", "bad"]
    pattern: str
    shows: str
    remedy: str = ""
    optional: bool = False


class Announcement(Row):
    """A message that the runbook requires, as a template with {fields}; the first line is the summary."""

    id: Moment
    when: str
    text: str


class Runbook(Row):
    """The complete runbook.toml; a title and items are enough, everything else has a default."""

    title: str
    items: tuple[Item, ...]
    slos: tuple[Slo, ...] = ()
    policy: Policy = Policy()
    remedies: tuple[Remedy, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    contacts: tuple[Contact, ...] = ()
    log_patterns: tuple[LogPattern, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    deployment_log: tuple[str, ...] = ("Date", "Deployer", "Branch", "Commit", "Issues", "Rollback", "Notes")
    questions: tuple[str, ...] = ()
    suppliers: tuple[SupplierRow, ...] = ()
    services: Services = Services()

    def item(self, item_id: str) -> Item | None:
        """Return the item with that id, if there is one."""
        return self._items_by_id.get(item_id)

    @property
    def served_by(self) -> tuple[str, ...]:
        """Return the services that items name, which answer requests, in the order of `services.names`."""
        named = (service for item in self.items for service in item.services)
        return in_order(named, self.services.names)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the model without pydantic's copy of the index, which may not match the new items."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_items_by_id", None)
        return copied

    @cached_property
    def _items_by_id(self) -> dict[str, Item]:
        return {item.id: item for item in reversed(self.items)}

    def supplier(self, supplier: Supplier) -> SupplierRow | None:
        """Return the row of that third party, if there is one."""
        return next((row for row in self.suppliers if row.id is supplier), None)

    def remedy(self, remedy_id: str) -> Remedy | None:
        """Return the remedy with that id, if there is one."""
        return next((remedy for remedy in self.remedies if remedy.id == remedy_id), None)
