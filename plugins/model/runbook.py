"""The runbook as data: items, objectives, policy, escalation. The shape of runbook.toml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from plugins.model.notifications import Moment
from plugins.model.words import Explains, Impact, Part, Phase, Supplier, WebService


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


ItemId = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$")]


class Item(_Row):
    """One line of the runbook.

    Attributes:
        section: the runbook's heading that the line stands under.
        checkbox: the wording of the runbook's checkbox that this item covers, or "" where the runbook asks
            without a checkbox. Several items may cover one checkbox.
        loses: what users lose when it fails, for the message.
        remedy: the id of the common issue whose remedy to show, or "".
        part: the part of the platform that it belongs to, where an environment may have none.
        by_hand: only a person can do it; it passes by attestation.
        services: what it is served by, and behind that what this relies on; empty where it does not tell.
        supplier: the third party whose trouble can make it fail.
        optional: where it was not verified, others speak for what it is about, so that it holds nothing up;
            where it fails, or gives no answer, it counts as any other.
        by_clock: it fails where the clock of the machine that checks is wrong.
    """

    id: ItemId
    title: str
    section: str
    phase: Phase
    impact: Impact
    checkbox: str = ""
    loses: str = ""
    remedy: str = ""
    part: Part | None = None
    by_hand: bool = False
    services: tuple[WebService, ...] = ()
    supplier: Supplier | None = None
    by_clock: bool = False
    optional: bool = False


class SupplierRow(_Row):
    """What to look at on a third party's status page when an item that depends on it has failed.

    Attributes:
        page: its key in [status_pages].
        components: words in the names of the components that count.
        explains: what their trouble explains of ours.
    """

    id: Supplier
    name: str
    page: Literal["render", "stripe", "sentry"]
    components: Annotated[tuple[str, ...], Field(min_length=1)]
    explains: Explains = Explains.SILENCE


class Remedy(_Row):
    """One of the runbook's common issues and its way out."""

    id: str
    title: str
    cause: str
    steps: tuple[str, ...]


class Source(_Row):
    """An item, and the series that it measures."""

    item: ItemId
    measurement: str


class Slo(_Row):
    """One service level objective.

    Attributes:
        kind: "quantile" (of a series of durations), "ratio" (bad events over all), or "history"
            (needs many runs).
        item: the item whose measurement feeds it; "" for history.
        measurement: the series (quantile), or the name of the bad count (ratio) …
        total: … and of the count of all (ratio).
        truer: what feeds a quantile wherever it was measured; what `item` measures only stands in for it.
        quantile: 0.95 for p95.
        objective: the threshold: in `unit` for a quantile, a share (0..1) for ratio and history.
        better: "below" or "above" the objective.
        window: how far back a history goes, in hours, days or weeks, such as "30d".
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
    truer: Source | None = None
    quantile: float | None = Field(default=None, gt=0, lt=1)
    window: Annotated[str, Field(pattern=r"^([1-9][0-9]*[hdw])?$")] = ""


class Clause(_Row):
    """One line of the rollback policy, as the runbook has it.

    Attributes:
        impact: failures of this impact fall under the clause (None: it is judged by numbers).
        limit: the number in the clause, as a share ("slowdown under 50 %" is 0.5).
    """

    id: str
    text: str
    impact: Impact | None = None
    limit: float | None = None


class Policy(_Row):
    """When to roll back, when not, and what must have been seen before proceeding."""

    roll_back: tuple[Clause, ...]
    do_not_roll_back: tuple[Clause, ...]
    required_impacts: tuple[Impact, ...]
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class Escalation(_Row):
    """Who acts from a minute of the deployment on; `critical` rows go by severity, not by the clock."""

    level: int
    from_minute: float | None = None
    who: str
    does: str
    critical: bool = False


class Contact(_Row):
    """Someone to call. Empty fields are shown as missing, never invented."""

    role: str
    name: str = ""
    phone: str = ""
    email: str = ""
    url: str = ""
    status_page: str = ""


class LogPattern(_Row):
    """One line to look for in a service's log.

    Attributes:
        pattern: a regular expression.
        sign: "good" must be seen, "bad" must not.
        optional: it is shown, and decides nothing.
    """

    id: str
    service: Literal["api", "frontend", "any"]
    sign: Literal["good", "bad"]
    pattern: str
    shows: str
    remedy: str = ""
    optional: bool = False


class Announcement(_Row):
    """A message that the runbook asks to send, as a template with {fields}; the first line says it all."""

    id: Moment
    when: str
    text: str


class Services(_Row):
    """What the two services are called where the hosting does not tell.

    Attributes:
        by_hand: how a person takes one of them back, for when nothing better is known; {service} is its name.
    """

    api: str = "kamiyo-api"
    frontend: str = "kamiyo-frontend"
    by_hand: str = (
        "Render dashboard → {service} → Rollbacks → the last good deploy; switch auto-deploy off first"
    )

    def name(self, service: WebService) -> str:
        """Its name."""
        return self.api if service is WebService.API else self.frontend


class Runbook(_Row):
    """The whole of runbook.toml."""

    title: str
    items: tuple[Item, ...]
    slos: tuple[Slo, ...]
    policy: Policy
    remedies: tuple[Remedy, ...]
    escalation: tuple[Escalation, ...]
    contacts: tuple[Contact, ...]
    log_patterns: tuple[LogPattern, ...]
    announcements: tuple[Announcement, ...]
    deployment_log: tuple[str, ...]
    questions: tuple[str, ...]
    suppliers: tuple[SupplierRow, ...] = ()
    services: Services = Services()

    def item(self, item_id: str) -> Item | None:
        """The item of that id, if there is one."""
        return self._items_by_id.get(item_id)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As of pydantic, which would copy the index along with the items that it no longer fits."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_items_by_id", None)
        return copied

    @cached_property
    def _items_by_id(self) -> dict[str, Item]:
        return {item.id: item for item in reversed(self.items)}

    def supplier(self, supplier: Supplier) -> SupplierRow | None:
        """What to look at on that third party's page, if it is told."""
        return next((row for row in self.suppliers if row.id is supplier), None)

    def remedy(self, remedy_id: str) -> Remedy | None:
        """The remedy of that id, if there is one."""
        return next((remedy for remedy in self.remedies if remedy.id == remedy_id), None)
