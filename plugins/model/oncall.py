"""Who is on call, and when nobody is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from plugins.model.platform import Moment


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class ContactMethod(_Shape):
    """A way to reach someone: its type alone, such as "phone_contact_method_reference"."""

    type: str


class Responder(_Shape):
    """Whoever is on call.

    Attributes:
        name: as PagerDuty shows it.
        email: None where the answer leaves it out.
    """

    id: str
    name: str = Field(alias="summary")
    email: str | None = None
    contacts: tuple[ContactMethod, ...] = Field(alias="contact_methods", default=())

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing of "email" and "phone" (a text message counts as one)."""
        kinds = {method.type.removesuffix("_reference") for method in self.contacts}
        lacking = []
        if not self.email and "email_contact_method" not in kinds:
            lacking.append("email")
        if not kinds & {"phone_contact_method", "sms_contact_method"}:
            lacking.append("phone")
        return tuple(lacking)


class Schedule(_Shape):
    """The rota that an entry comes from."""

    id: str
    name: str = Field(alias="summary", default="")


class OnCall(_Shape):
    """One stretch of someone's duty; no start or end means that it has none."""

    user: Responder
    schedule: Schedule | None
    level: int = Field(alias="escalation_level", ge=1)
    start: Moment | None
    end: Moment | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time when nobody is on call."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


def gaps(duties: Iterable[OnCall], since: datetime, until: datetime) -> tuple[Gap, ...]:
    """When nobody covers the time from `since` to `until`.

    Args:
        duties: in any order; they may overlap and reach beyond.
        since: with a zone.
        until: with a zone.

    Returns:
        The gaps in order; the whole time where there are no duties, nothing where it is covered.
    """
    found: list[Gap] = []
    covered_to = since
    for start, end in sorted((duty.start or since, duty.end or until) for duty in duties):
        if start >= until:
            break
        if start > covered_to:
            found.append(Gap(covered_to, start))
        covered_to = max(covered_to, end)
    if covered_to < until:
        found.append(Gap(covered_to, until))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on call from `since` to `until`, by the schedules asked for."""

    since: datetime
    until: datetime
    schedules: tuple[str, ...]
    duties: tuple[OnCall, ...]

    def of(self, schedule: str) -> tuple[OnCall, ...]:
        """The duties of one schedule, by its id."""
        return tuple(duty for duty in self.duties if duty.schedule and duty.schedule.id == schedule)

    @property
    def gaps(self) -> dict[str, tuple[Gap, ...]]:
        """When nobody is on call, by schedule; only of those with a gap."""
        found = {name: gaps(self.of(name), self.since, self.until) for name in self.schedules}
        return {name: holes for name, holes in found.items() if holes}

    @property
    def all_gaps(self) -> tuple[tuple[str, Gap], ...]:
        """Each gap with its schedule."""
        return tuple((name, gap) for name, holes in self.gaps.items() for gap in holes)

    @property
    def people(self) -> tuple[Responder, ...]:
        """Everyone on call in that time, once each."""
        return tuple({duty.user.id: duty.user for duty in self.duties}.values())
