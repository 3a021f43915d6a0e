"""Status pages of every common form say the same to us; a page of another form is not read."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.statuspage.client import StatusPages
from kamiyo_verify.integrations.statuspage.settings import StatusPages as StatusPagesSettings
from kamiyo_verify.model.outcomes import NoAnswer, NotRead, Unverified
from kamiyo_verify.model.outside.status import ComponentStatus, Indicator, Summary
from tests.support.hostile_server import Behaviour, Peer, Server, answer
from tests.support.outside import TIMEOUTS

PARTS = [
    {"id": "1", "name": "API", "status": "operational"},
    {"id": "2", "name": "Webhooks", "status": "operational"},
]


def pages() -> StatusPages:
    return StatusPages(StatusPagesSettings(), ClientContext.unrecorded(TIMEOUTS, lambda: 20.0))


def serving(answers: Mapping[str, object]) -> Behaviour:
    def behave(peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1].decode()
        if path in answers:
            peer.say(answer(json.dumps(answers[path]).encode()))
        else:
            peer.say(answer(b"<!doctype html><title>404</title>", "404 Not Found", "Content-Type: text/html"))

    return behave


def read(answers: Mapping[str, object]) -> Summary:
    with Server(serving(answers)) as server:
        return pages().summary(server.origin)


def atlassian(**more: object) -> dict[str, object]:
    told = {
        "page": {"id": "p", "name": "Stripe", "url": "https://x"},
        "status": {"indicator": "none", "description": "All Systems Operational"},
        "components": PARTS,
        "incidents": [],
        "scheduled_maintenances": [],
    }
    return {"/api/v2/summary.json": told | more}


def incident_io(**more: object) -> dict[str, object]:
    told = {
        "page_title": "Stripe",
        "page_url": "https://x",
        "ongoing_incidents": [],
        "in_progress_maintenances": [],
        "scheduled_maintenances": [],
    }
    return {"/api/v1/summary": told | more}


def instatus(status: str = "UP", components: object = PARTS, **more: object) -> dict[str, object]:
    told = {"page": {"name": "Stripe", "url": "https://x", "status": status}, **more}
    return {"/summary.json": told, "/v2/components.json": {"components": components}}


def better_stack(state: str = "operational", *reports: object) -> dict[str, object]:
    resources = [
        {
            "id": part["id"],
            "type": "status_page_resource",
            "attributes": {"public_name": part["name"], "status": part["status"]},
        }
        for part in PARTS
    ]
    data = {
        "id": "9",
        "type": "status_page",
        "attributes": {"company_name": "Stripe", "aggregate_state": state},
    }
    return {"/index.json": {"data": data, "included": [*resources, *reports]}}


def report(title: str, kind: str, starts: str, ends: str | None) -> dict[str, object]:
    attributes = {"title": title, "report_type": kind, "starts_at": starts, "ends_at": ends}
    return {"id": "7", "type": "status_report", "attributes": attributes}


@pytest.mark.parametrize("answers", [atlassian(), incident_io(), instatus(), better_stack()])
def test_a_page_where_all_is_well(answers: dict[str, object]) -> None:
    page = read(answers)
    assert page.page.name == "Stripe"
    assert (page.indicator, page.troubles, page.events) == (Indicator.NONE, (), ())
    assert page.settled() is page


INCIDENT = {"id": "1", "name": "Webhook delivery delays", "status": "investigating"}
IN_PROGRESS = {"id": "2", "name": "Database upgrade", "status": "in_progress"}


@pytest.mark.parametrize(
    "answers",
    [
        atlassian(incidents=[INCIDENT]),
        atlassian(incidents=[INCIDENT | {"status": "identified"}]),
        incident_io(ongoing_incidents=[INCIDENT | {"current_worst_impact": "degraded_performance"}]),
        instatus(
            "HASISSUES", activeIncidents=[INCIDENT | {"status": "INVESTIGATING", "impact": "MAJOROUTAGE"}]
        ),
        better_stack("degraded", report("Webhook delivery delays", "manual", "2026-01-01T00:00:00Z", None)),
    ],
    ids=["statuspage", "statuspage-identified", "incident.io", "instatus", "better-stack"],
)
def test_an_incident_whose_cause_is_at_work_is_trouble(answers: dict[str, object]) -> None:
    assert any("Webhook delivery delays" in told for told in read(answers).troubles)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (
            atlassian(incidents=[INCIDENT | {"status": "monitoring"}]),
            '"Webhook delivery delays" (monitoring)',
        ),
        (
            instatus(activeIncidents=[INCIDENT | {"status": "MONITORING"}]),
            '"Webhook delivery delays" (monitoring)',
        ),
        (atlassian(scheduled_maintenances=[IN_PROGRESS]), '"Database upgrade" (in progress)'),
        (incident_io(in_progress_maintenances=[IN_PROGRESS]), '"Database upgrade" (in progress)'),
        (
            better_stack("operational", report("Upgrade", "maintenance", "2020-01-01T00:00:00Z", None)),
            '"Upgrade" (in progress)',
        ),
    ],
)
def test_an_open_incident_with_all_components_operational_is_told_and_left_to_weigh(
    answers: dict[str, object], told: str
) -> None:
    page = read(answers)
    assert page.troubles == ()
    assert told in page.events
    with pytest.raises(Unverified, match="yours to weigh"):
        page.settled()


@pytest.mark.parametrize(
    "answers",
    [
        atlassian(scheduled_maintenances=[IN_PROGRESS | {"status": "scheduled"}]),
        incident_io(scheduled_maintenances=[IN_PROGRESS | {"status": "maintenance_scheduled"}]),
        instatus(activeMaintenances=[IN_PROGRESS | {"status": "NOTSTARTEDYET"}]),
        better_stack("operational", report("Upgrade", "maintenance", "2999-01-01T00:00:00Z", None)),
        atlassian(incidents=[INCIDENT | {"status": "resolved"}, INCIDENT | {"status": "postmortem"}]),
    ],
    ids=["statuspage", "incident.io", "instatus", "better-stack", "ended"],
)
def test_what_is_to_come_or_over_holds_nothing_up(answers: dict[str, object]) -> None:
    assert read(answers).settled().troubles == ()


def test_a_page_without_components_shows_nothing() -> None:
    with pytest.raises(Unverified, match="nothing there to check: the page of Stripe lists no component"):
        read(atlassian(components=[])).settled()


def test_components_are_read_from_each_form() -> None:
    down = [{"id": "1", "name": "API", "status": "MAJOROUTAGE"}]
    for answers in (
        atlassian(components=[{"id": "1", "name": "API", "status": "major_outage"}]),
        instatus("HASISSUES", down),
        incident_io(
            ongoing_incidents=[
                INCIDENT
                | {"affected_components": [{"id": "1", "name": "API", "current_status": "full_outage"}]}
            ]
        ),
    ):
        part = read(answers).component("api")
        assert part is not None
        assert part.status is ComponentStatus.MAJOR_OUTAGE


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/api/v2/summary.json": {"ok": True}},
        {"/api/v2/summary.json": []},
        atlassian(status={"indicator": "purple", "description": "x"}),
        atlassian(components=None),
        better_stack("a state of next year"),
        {"/api/v1/status.json": {"page": {}, "status": {}}},
    ],
    ids=["404", "other", "list", "indicator", "null", "state", "other-path"],
)
def test_a_page_of_another_form_is_not_read(answers: dict[str, object]) -> None:
    with pytest.raises(NotRead, match=r"is not read: it has none of the forms of .*\[status_pages\]"):
        read(answers)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "308 Permanent"])
@pytest.mark.parametrize("path", ["/api/v2/summary.json", "/", ""])
def test_a_page_that_moved_is_followed(status: str, path: str) -> None:
    with Server(serving(atlassian())) as new:

        def behave(peer: Peer) -> None:
            peer.hear()
            peer.say(answer(b"", status, f"Location: {new.origin}{path}"))

        with Server(behave) as old:
            assert pages().summary(old.origin).page.name == "Stripe"


def test_pages_that_move_in_a_circle_are_not_read() -> None:
    def to(port: list[int]) -> Behaviour:
        def behave(peer: Peer) -> None:
            peer.hear()
            peer.say(answer(b"", "301 Moved", f"Location: http://127.0.0.1:{port[0]}/"))

        return behave

    ports: tuple[list[int], list[int]] = ([0], [0])
    with Server(to(ports[1])) as one, Server(to(ports[0])) as other:
        ports[0][0], ports[1][0] = one.port, other.port
        with pytest.raises(NotRead, match="has moved more than"):
            pages().summary(one.origin)


def test_a_page_that_is_down_is_silent_and_not_of_another_form() -> None:
    def behave(peer: Peer) -> None:
        peer.hear()
        peer.say(answer(b"", "503 Down"))

    with Server(behave) as server, pytest.raises(NoAnswer, match="503"):
        pages().summary(server.origin)
