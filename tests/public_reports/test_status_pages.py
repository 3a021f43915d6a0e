"""Status pages as people report them: pages that moved, new states, forms that are not read.

Each case is named by the public report that it comes from. A page that is not read says nothing of a
supplier: neither that all is well nor that it is down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from kamiyo_verify.model.outcomes import NotRead, Unverified
from kamiyo_verify.model.outside.status import Indicator
from tests.engine.integrations.statuspage.test_forms import (
    IN_PROGRESS,
    INCIDENT,
    PARTS,
    atlassian,
    incident_io,
    instatus,
    pages,
    read,
    serving,
)
from tests.support.hostile_server import Behaviour, Peer, Server, answer

Report = pytest.param
SHELL = b"<!doctype html><html><head><title>Status</title></head><body><div id=root></div></body></html>"


def a_page_for_everything(peer: Peer) -> None:
    """A single-page application that answers every address with its shell."""
    peer.hear()
    peer.say(answer(SHELL, head="Content-Type: text/html"))


@pytest.mark.parametrize(
    "answers",
    [
        Report(atlassian(incidents=[INCIDENT | {"status": "investigating"}]), id="PostHog/posthog#23537"),
        Report(
            incident_io(ongoing_incidents=[INCIDENT | {"status": "identified"}]), id="e2b-dev/dashboard#313"
        ),
        Report(
            atlassian(status={"indicator": "maintenance", "description": "Service Under Maintenance"}),
            id="raycast/extensions#29709",
        ),
    ],
)
def test_what_is_open_is_told_though_every_component_is_operational(answers: Mapping[str, object]) -> None:
    assert read(answers).troubles != ()


@pytest.mark.parametrize(
    "status",
    [
        Report("maintenance_scheduled", id="e2b-dev/dashboard#313"),
        Report("maintenance_complete", id="bentleypark/aiwatch#1390"),
        Report("Completed", id="a word in another case"),
    ],
)
@pytest.mark.parametrize("where", ["scheduled_maintenances", "incidents"])
def test_a_maintenance_that_is_over_or_to_come_holds_nothing_up(status: str, where: str) -> None:
    """incident.io answers at Statuspage's address too, and keeps words of its own."""
    page = read(atlassian(**{where: [IN_PROGRESS | {"status": status}]}))
    assert page.troubles == ()
    assert page.settled() is page


@pytest.mark.parametrize(
    "status", [Report("maintenance_in_progress", id="e2b-dev/dashboard#313"), "in_progress", "verifying"]
)
def test_a_maintenance_under_way_is_told_and_left_to_weigh(status: str) -> None:
    page = read(atlassian(scheduled_maintenances=[IN_PROGRESS | {"status": status}]))
    assert page.troubles == ()
    with pytest.raises(Unverified, match="yours to weigh"):
        page.settled()


@pytest.mark.parametrize(
    ("new", "location"),
    [
        Report(incident_io(), "/", id="bentleypark/aiwatch#1004"),
        Report(atlassian(), "", id="bentleypark/aiwatch#1390"),
        Report(instatus(), "/", id="neondatabase/website#1011"),
    ],
)
def test_a_page_that_moved_to_another_vendor_is_read_there(new: Mapping[str, object], location: str) -> None:
    with Server(serving(new)) as there:

        def moved(peer: Peer) -> None:
            peer.hear()
            peer.say(answer(b"", "301 Moved", f"Location: {there.origin}{location}"))

        with Server(moved) as old:
            assert pages().summary(old.origin).indicator is Indicator.NONE


def test_a_page_below_a_path_is_read_there() -> None:
    """neondatabase/website#1011: https://statuspage.incident.io/neondatabase/api/v1/summary."""
    [(path, body)] = incident_io().items()
    with Server(serving({f"/neondatabase{path}": body})) as server:
        assert pages().summary(f"{server.origin}/neondatabase").page.name == "Stripe"


def test_a_page_without_components_is_no_page_where_all_is_well() -> None:
    """bentleypark/aiwatch#1069: a page of several regions lists none at Statuspage's address."""
    with pytest.raises(Unverified, match="lists no component"):
        read(atlassian(components=[])).settled()


def with_one(path: str, body: object) -> Behaviour:
    def behave(peer: Peer) -> None:
        asked = peer.hear().split(b" ", 2)[1].decode()
        if asked == path:
            peer.say(answer(json.dumps(body).encode()))
        else:
            peer.say(answer(SHELL, "404 Not Found", "Content-Type: text/html"))

    return behave


@pytest.mark.parametrize(
    "behaviour",
    [
        Report(a_page_for_everything, id="bentleypark/aiwatch#1403"),
        Report(
            with_one("/api/v3/summary", {"components": PARTS, "status": "operational"}),
            id="bentleypark/aiwatch#1384",
        ),
        Report(
            with_one("/api/v1/status", {"data": "success", "meta": {"message": "ok"}}),
            id="cachethq/cachet#3435",
        ),
        Report(with_one("/", {"result": {"status_overall": {}}}), id="newrelic/nr1-status-pages#6"),
    ],
)
def test_a_page_of_a_form_that_is_not_known_is_not_read(behaviour: Behaviour) -> None:
    with Server(behaviour) as server, pytest.raises(NotRead, match="is not read"):
        pages().summary(server.origin)
