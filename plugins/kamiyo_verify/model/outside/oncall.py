"""On-call schedules and their gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from kamiyo_verify.model.outside.shapes import Moment, Whole


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class ContactMethod(_Shape):
    """A contact method: only its type, such as "phone_contact_method_reference"."""

    type: str


class Responder(_Shape):
    """A person on call.

    Attributes:
        name: the name in PagerDuty.
        email: None if the answer does not contain it.
    """

    id: str
    name: str = Field(alias="summary")
    email: str | None = None
    contacts: tuple[ContactMethod, ...] = Field(alias="contact_methods", default=())

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return which of "email" and "phone" are missing (a text message contact counts as a phone)."""
        kinds = {method.type.removesuffix("_reference") for method in self.contacts}
        lacking = []
        if not self.email and "email_contact_method" not in kinds:
            lacking.append("email")
        if not kinds & {"phone_contact_method", "sms_contact_method"}:
            lacking.append("phone")
        return tuple(lacking)


class Schedule(_Shape):
    """The schedule of an on-call entry."""

    id: str
    name: str = Field(alias="summary", default="")


class OnCall(_Shape):
    """One on-call shift of a person; None as start or end means unlimited."""

    user: Responder
    schedule: Schedule | None
    level: Whole = Field(alias="escalation_level", ge=1)
    start: Moment | None
    end: Moment | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time span in which nobody is on call."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """The length of the gap."""
        return self.end - self.start


def gaps(duties: Iterable[OnCall], since: datetime, until: datetime) -> tuple[Gap, ...]:
    """Return the gaps in on-call coverage from `since` to `until`.

    Args:
        duties: shifts in any order; they may overlap and extend beyond the span.
        since: start, with a time zone.
        until: end, with a time zone.

    Returns:
        The gaps in order; the whole span if there are no shifts, nothing if it is fully covered.
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
    """Who is on call from `since` to `until`, by requested schedule."""

    since: datetime
    until: datetime
    schedules: tuple[str, ...]
    duties: tuple[OnCall, ...]

    def of(self, schedule: str) -> tuple[OnCall, ...]:
        """Return the shifts of one schedule, by its id."""
        return tuple(duty for duty in self.duties if duty.schedule and duty.schedule.id == schedule)

    @property
    def gaps(self) -> dict[str, tuple[Gap, ...]]:
        """Return the coverage gaps by schedule; only for schedules with a gap."""
        found = {name: gaps(self.of(name), self.since, self.until) for name in self.schedules}
        return {name: holes for name, holes in found.items() if holes}

    @property
    def all_gaps(self) -> tuple[tuple[str, Gap], ...]:
        """Return each gap with its schedule."""
        return tuple((name, gap) for name, holes in self.gaps.items() for gap in holes)

    @property
    def people(self) -> tuple[Responder, ...]:
        """Return everyone on call in that span, once each."""
        return tuple({duty.user.id: duty.user for duty in self.duties}.values())
