"""The PagerDuty client finds out who is on call, and when nobody is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.outside.oncall import ContactMethod, Gap, OnCall, Responder, Rota, gaps
from sandbox.outside.pagerduty import SCHEDULE
from sandbox.platform import Secrets
from tests.support.hostile_server import Server, answer, saying
from tests.support.outside import Clients, outside

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def rota(*faults: str) -> Rota:
    with outside(*faults) as living:
        now = living.world.now()
        return living.clients.pagerduty.on_calls([SCHEDULE], now, now + DAY)


def test_the_next_day_is_covered_by_people_who_can_be_reached() -> None:
    healthy = rota()
    assert healthy.gaps == {}
    assert {person.name for person in healthy.people} == {"Dana Dev", "Lee Reviews", "Sam Reads"}
    assert all(not person.lacks for person in healthy.people)


def test_nobody_on_call_is_one_gap_of_a_day() -> None:
    (gap,) = rota("on-call-empty").gaps[SCHEDULE]
    assert gap.length == DAY


def test_a_gap_is_found() -> None:
    (gap,) = rota("on-call-gap").gaps[SCHEDULE]
    assert timedelta(hours=2) - timedelta(seconds=2) <= gap.length <= timedelta(hours=2)


def test_who_has_no_phone_lacks_it() -> None:
    assert {person.lacks for person in rota("on-call-unreachable").people} == {("phone",)}


def test_pages_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kamiyo_verify.integrations.pagerduty.client._ROWS_A_PAGE", 1)
    with outside() as living:
        now = living.world.now()
        paged = living.clients.pagerduty.on_calls([SCHEDULE], now, now + DAY)
        assert len(living.wire.seen) == len(paged.duties) > 1
        assert paged.gaps == {}


def test_a_schedule_that_does_not_exist_has_a_gap() -> None:
    with outside() as living:
        now = living.world.now()
        unknown = living.clients.pagerduty.on_calls([SCHEDULE, "PNOBODY"], now, now + DAY)
    assert list(unknown.gaps) == ["PNOBODY"]


def duty(start: float | None, end: float | None) -> OnCall:
    return OnCall(
        user=Responder(id="u", name="U"),
        schedule=None,
        level=1,
        start=None if start is None else START + start * timedelta(hours=1),
        end=None if end is None else START + end * timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("duties", "holes"),
    [
        ([], [(0, 24)]),
        ([(None, None)], []),
        ([(0, 24)], []),
        ([(-8, 30)], []),
        ([(12, 24), (0, 12)], []),
        ([(0, 14), (10, 24)], []),
        ([(0, 20), (2, 4), (20, 24)], []),
        ([(0, 10), (12, 24)], [(10, 12)]),
        ([(2, 22)], [(0, 2), (22, 24)]),
        ([(None, 6), (18, None)], [(6, 18)]),
        ([(-9, -1), (25, 30)], [(0, 24)]),
        ([(24, 30)], [(0, 24)]),
    ],
)
def test_gaps(duties: list[tuple[float | None, float | None]], holes: list[tuple[int, int]]) -> None:
    hour = timedelta(hours=1)
    expected = tuple(Gap(START + start * hour, START + end * hour) for start, end in holes)
    assert gaps([duty(*one) for one in duties], START, START + DAY) == expected


@pytest.mark.parametrize(
    ("email", "kinds", "lacks"),
    [
        ("a@b.c", ["phone_contact_method_reference"], ()),
        ("a@b.c", ["sms_contact_method"], ()),
        (None, ["email_contact_method_reference", "phone_contact_method_reference"], ()),
        (None, ["push_notification_contact_method_reference"], ("email", "phone")),
        ("a@b.c", [], ("phone",)),
    ],
)
def test_what_a_person_lacks(email: str | None, kinds: list[str], lacks: tuple[str, ...]) -> None:
    contacts = tuple(ContactMethod(type=kind) for kind in kinds)
    assert Responder(id="u", name="U", email=email, contacts=contacts).lacks == lacks


def test_more_for_ever_is_a_circle() -> None:
    body = json.dumps({"oncalls": [], "more": True}).encode()
    with Server(saying(answer(body))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer, match="pages in a circle"):
            clients.pagerduty.on_calls([SCHEDULE], START, START + DAY)
        clients.close()
        assert server.connections <= 3
