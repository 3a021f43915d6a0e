"""Status pages: those of third parties that we depend on, and our own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.outside.shapes import Moment


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class Indicator(StrEnum):
    """The overall indicator of a page."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"
    MAINTENANCE = "maintenance"


class ComponentStatus(StrEnum):
    """The status of one component; `UNTOLD` if the page leaves it blank."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    UNTOLD = ""

    @classmethod
    def _missing_(cls, value: object) -> ComponentStatus | None:
        """Map an unknown string to `UNTOLD`; any other type is not a status."""
        return cls.UNTOLD if isinstance(value, str) else None


class Component(_Shape):
    """A part of a service; a group's status is derived from its members'."""

    id: str
    name: str
    status: ComponentStatus
    group: bool | None = False


def _in_statuspages_words(value: object) -> object:
    """incident.io says "maintenance_complete" at Statuspage's address too, for "completed"."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower().removeprefix("maintenance_")
    return "completed" if word == "complete" else word


class Incident(_Shape):
    """An incident or a maintenance; it has ended if `status` is "resolved", "postmortem" or "completed"."""

    id: str
    name: str
    status: Annotated[str, BeforeValidator(_in_statuspages_words)]
    impact: str | None = "none"
    created_at: Moment | None = None
    resolved_at: Moment | None = None
    link: str | None = Field(alias="shortlink", default=None)

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.status not in {"resolved", "postmortem", "completed", "scheduled"}

    @property
    def description(self) -> str:
        """Its name and status."""
        return f'"{self.name}" ({self.status.replace("_", " ")})'


class _Overall(_Shape):
    indicator: Indicator
    description: str


class _Page(_Shape):
    name: str
    url: str = ""


def named(components: Iterable[Component], name: str) -> Component | None:
    """Return the component with that name, ignoring case and surrounding spaces."""
    sought = name.strip().casefold()
    return next((part for part in components if part.name.strip().casefold() == sought), None)


class Summary(_Shape):
    """`/api/v2/summary.json` of a public page: its current problems."""

    page: _Page
    status: _Overall
    components: tuple[Component, ...]
    incidents: tuple[Incident, ...]
    maintenances: tuple[Incident, ...] = Field(alias="scheduled_maintenances")
    lists_components: bool = True

    @property
    def troubles(self) -> tuple[str, ...]:
        """The problems that the page reports: its indicator, and incidents that are still active."""
        description = (
            [f'"{self.status.description}" ({self.indicator})']
            if self.indicator is not Indicator.NONE
            else []
        )
        return (
            *description,
            *(one.description for one in self.incidents if one.is_open and one.status != "monitoring"),
        )

    @property
    def events(self) -> tuple[str, ...]:
        """Every incident and maintenance that has not ended, including scheduled ones."""
        coming = (one for one in self.maintenances if one.is_open or one.status == "scheduled")
        return tuple(one.description for one in (*(one for one in self.incidents if one.is_open), *coming))

    def settled(self) -> Summary:
        """Return itself if the page gives a definite state.

        Raises:
            Unverified: a fix is monitored, a maintenance is in progress, or the page lists no component.
        """
        watched = [one.description for one in self.incidents if one.status == "monitoring"]
        watched += [one.description for one in self.maintenances if one.is_open]
        if watched:
            raise Unverified(
                f"{self.page.name} reports {', '.join(watched)}: whether to deploy is yours to weigh"
            )
        if self.lists_components and not self.components:
            raise Unverified(f"nothing there to check: the page of {self.page.name} lists no component")
        return self

    @property
    def indicator(self) -> Indicator:
        """The overall indicator of the page."""
        return self.status.indicator

    @property
    def not_operational(self) -> tuple[Component, ...]:
        """The components that are not operational."""
        return troubled(self.components)

    def component(self, name: str) -> Component | None:
        """Return the component with that name, ignoring case."""
        return named(self.components, name)


@dataclass(frozen=True, slots=True)
class OwnPage:
    """Our own status page.

    Attributes:
        incidents: unresolved incidents.
        maintenances: maintenances in progress.
    """

    components: tuple[Component, ...]
    incidents: tuple[Incident, ...]
    maintenances: tuple[Incident, ...]

    @property
    def in_maintenance(self) -> bool:
        """Whether the page shows a maintenance: one in progress, or a component under maintenance."""
        return bool(self.maintenances) or any(
            part.status is ComponentStatus.UNDER_MAINTENANCE for part in self.components
        )

    @property
    def not_operational(self) -> tuple[Component, ...]:
        """The components that are not operational."""
        return troubled(self.components)

    def component(self, name: str) -> Component | None:
        """Return the component with that name, ignoring case."""
        return named(self.components, name)


def troubled(components: Iterable[Component]) -> tuple[Component, ...]:
    """Return the components that are not operational."""
    return tuple(part for part in components if part.status is not ComponentStatus.OPERATIONAL)
