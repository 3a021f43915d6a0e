"""What status pages say: of those we depend on, and of ourselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from plugins.model.platform import Moment


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Indicator(StrEnum):
    """The page's summary in one word."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"
    MAINTENANCE = "maintenance"


class ComponentStatus(StrEnum):
    """How one component is; `UNTOLD` where the page leaves it blank."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    UNTOLD = ""


class Component(_Shape):
    """A part of a service; a group's status is made from its members'."""

    id: str
    name: str
    status: ComponentStatus
    group: bool | None = False


class Incident(_Shape):
    """An incident or a maintenance; `status` "resolved", "postmortem" and "completed" are its end."""

    id: str
    name: str
    status: str
    impact: str | None = "none"
    created_at: Moment | None = None
    resolved_at: Moment | None = None
    link: str | None = Field(alias="shortlink", default=None)


class _Overall(_Shape):
    indicator: Indicator
    description: str


class _Page(_Shape):
    name: str
    url: str = ""


def named(components: Iterable[Component], name: str) -> Component | None:
    """The component of that name, without regard to case and outer spaces."""
    sought = name.strip().casefold()
    return next((part for part in components if part.name.strip().casefold() == sought), None)


class Summary(_Shape):
    """`/api/v2/summary.json` of a public page: what is not as it should be right now."""

    page: _Page
    status: _Overall
    components: tuple[Component, ...]
    incidents: tuple[Incident, ...]
    maintenances: tuple[Incident, ...] = Field(alias="scheduled_maintenances")

    @property
    def indicator(self) -> Indicator:
        """The whole page in one word."""
        return self.status.indicator

    @property
    def not_operational(self) -> tuple[Component, ...]:
        """The components that are anything but operational."""
        return troubled(self.components)

    def component(self, name: str) -> Component | None:
        """The component of that name, without regard to case."""
        return named(self.components, name)


@dataclass(frozen=True, slots=True)
class OwnPage:
    """Our own status page.

    Attributes:
        incidents: the unresolved ones.
        maintenances: those that are under way.
    """

    components: tuple[Component, ...]
    incidents: tuple[Incident, ...]
    maintenances: tuple[Incident, ...]

    @property
    def in_maintenance(self) -> bool:
        """The page tells of a maintenance: by one under way, or by a component."""
        return bool(self.maintenances) or any(
            part.status is ComponentStatus.UNDER_MAINTENANCE for part in self.components
        )

    @property
    def not_operational(self) -> tuple[Component, ...]:
        """The components that are anything but operational."""
        return troubled(self.components)

    def component(self, name: str) -> Component | None:
        """The component of that name, without regard to case."""
        return named(self.components, name)


def troubled(components: Iterable[Component]) -> tuple[Component, ...]:
    """Those that are anything but operational."""
    return tuple(part for part in components if part.status is not ComponentStatus.OPERATIONAL)
