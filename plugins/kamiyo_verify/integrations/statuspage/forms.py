"""The formats of public status pages, each converted to a `Summary`.

Atlassian Statuspage's format is the common one: incident.io's pages support it as well. Sources: its public
API (/api), incident.io's widget API, Instatus' public JSON, Better Stack's page as JSON:API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kamiyo_verify.model.outside.shapes import Moment
from kamiyo_verify.model.outside.status import Summary


@dataclass(frozen=True, slots=True)
class Form:
    """One format.

    Attributes:
        name: of the vendor.
        path: below the page's address.
        keys: top-level keys of every answer.
        read: parses an answer into a summary. Raises pydantic's ValidationError if it has another format.
        more: a path with the components, if the summary leaves them out; or "".
    """

    name: str
    path: str
    keys: frozenset[str]
    read: Callable[[Mapping[str, Any]], Summary]
    more: str = ""

    def fits(self, value: object) -> bool:
        """The answer has the top-level keys of this format."""
        return isinstance(value, dict) and self.keys <= value.keys()


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Word = Annotated[str, BeforeValidator(_lower)]


class _Affected(_Shape):
    id: str
    name: str
    current_status: str = "degraded_performance"


class _Event(_Shape):
    id: str = ""
    name: str
    status: Word
    url: str | None = None
    current_worst_impact: str | None = None
    impact: Word | None = None
    affected_components: tuple[_Affected, ...] = ()


class _Widget(_Shape):
    page_title: str
    ongoing_incidents: tuple[_Event, ...]
    in_progress_maintenances: tuple[_Event, ...]
    scheduled_maintenances: tuple[_Event, ...]


_WORST = {
    "degraded_performance": "minor",
    "partial_outage": "major",
    "full_outage": "critical",
    "operational": "none",
}


def _statuspage(value: Mapping[str, Any]) -> Summary:
    return Summary.model_validate(value)


def _incident_io(value: Mapping[str, Any]) -> Summary:
    page = _Widget.model_validate(value)
    affected = {one.id: one for event in page.ongoing_incidents for one in event.affected_components}
    impacts = [_WORST.get(event.current_worst_impact or "", "minor") for event in page.ongoing_incidents]
    indicator = next((one for one in ("critical", "major", "minor") if one in impacts), "none")
    maintenances = [(event, "in_progress") for event in page.in_progress_maintenances]
    maintenances += [(event, "scheduled") for event in page.scheduled_maintenances]
    return _summary(
        page.page_title,
        indicator,
        [(one.id, one.name, one.current_status.replace("full", "major")) for one in affected.values()],
        [(event.name, event.status, event.url) for event in page.ongoing_incidents],
        [(event.name, status, event.url) for event, status in maintenances],
        lists_components=False,
    )


class _InstatusPage(_Shape):
    name: str
    status: Word


class _Instatus(_Shape):
    page: _InstatusPage
    incidents: tuple[_Event, ...] = Field(alias="activeIncidents", default=())
    maintenances: tuple[_Event, ...] = Field(alias="activeMaintenances", default=())
    components: tuple[_Event, ...] = ()


_INSTATUS_PAGE = {"up": "none", "undermaintenance": "maintenance"}
_INSTATUS_MAINTENANCE = {"notstartedyet": "scheduled", "inprogress": "in_progress", "completed": "completed"}
_INSTATUS_COMPONENT = {
    "operational": "operational",
    "undermaintenance": "under_maintenance",
    "degradedperformance": "degraded_performance",
    "minoroutage": "partial_outage",
    "partialoutage": "partial_outage",
    "majoroutage": "major_outage",
}


def _instatus(value: Mapping[str, Any]) -> Summary:
    page = _Instatus.model_validate(value)
    return _summary(
        page.page.name,
        _INSTATUS_PAGE.get(page.page.status, "minor"),
        [(one.id, one.name, _INSTATUS_COMPONENT.get(one.status, "")) for one in page.components],
        [(one.name, one.status, one.url) for one in page.incidents],
        [(one.name, _INSTATUS_MAINTENANCE.get(one.status, one.status), one.url) for one in page.maintenances],
        lists_components="components" in value,
    )


class _Attributes(_Shape):
    company_name: str = ""
    aggregate_state: str | None = None
    public_name: str = ""
    status: str = ""
    title: str = ""
    report_type: str = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class _Resource(_Shape):
    id: str
    type: str
    attributes: _Attributes


class _BetterStack(_Shape):
    data: _Resource
    included: tuple[_Resource, ...] = ()


_BETTER_STACK_PAGE = {
    "operational": "none",
    "degraded": "minor",
    "downtime": "major",
    "maintenance": "maintenance",
}
_BETTER_STACK_COMPONENT = {
    "operational": "operational",
    "maintenance": "under_maintenance",
    "degraded": "degraded_performance",
    "downtime": "major_outage",
}


def _better_stack(value: Mapping[str, Any]) -> Summary:
    page, now = _BetterStack.model_validate(value), datetime.now(UTC)
    parts = [one for one in page.included if one.type == "status_page_resource"]
    reports = [one.attributes for one in page.included if one.type == "status_report"]
    under_way = [one for one in reports if one.ends_at is None or one.ends_at > now]
    return _summary(
        page.data.attributes.company_name,
        _BETTER_STACK_PAGE[page.data.attributes.aggregate_state or ""],
        [
            (one.id, one.attributes.public_name, _BETTER_STACK_COMPONENT.get(one.attributes.status, ""))
            for one in parts
            if one.attributes.status != "not_monitored"
        ],
        [(one.title, "identified", None) for one in under_way if one.report_type != "maintenance"],
        [
            (one.title, "scheduled" if one.starts_at and one.starts_at > now else "in_progress", None)
            for one in under_way
            if one.report_type == "maintenance"
        ],
    )


def _summary(
    name: str,
    indicator: str,
    components: list[tuple[str, str, str]],
    incidents: list[tuple[str, str, str | None]],
    maintenances: list[tuple[str, str, str | None]],
    *,
    lists_components: bool = True,
) -> Summary:
    def events(rows: list[tuple[str, str, str | None]]) -> list[dict[str, object]]:
        return [
            {"id": str(nth), "name": title, "status": status, "shortlink": url}
            for nth, (title, status, url) in enumerate(rows)
        ]

    return Summary.model_validate(
        {
            "page": {"name": name},
            "status": {"indicator": indicator, "description": _DESCRIBED.get(indicator, indicator)},
            "components": [{"id": key, "name": part, "status": state} for key, part, state in components],
            "incidents": events(incidents),
            "scheduled_maintenances": events(maintenances),
            "lists_components": lists_components,
        }
    )


_DESCRIBED = {
    "none": "operational",
    "minor": "has issues",
    "major": "has an outage",
    "critical": "is down",
    "maintenance": "under maintenance",
}

FORMS = (
    Form(
        "Atlassian Statuspage",
        "/api/v2/summary.json",
        frozenset({"page", "status", "components"}),
        _statuspage,
    ),
    Form("incident.io", "/api/v1/summary", frozenset({"page_title", "ongoing_incidents"}), _incident_io),
    Form("Instatus", "/summary.json", frozenset({"page"}), _instatus, more="/v2/components.json"),
    Form("Better Stack", "/index.json", frozenset({"data"}), _better_stack),
)
"""In the order in which they are tried."""
