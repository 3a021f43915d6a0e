"""Timelines of services: an outage concerns the service, and a broken endpoint is not one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.judge.confirmation.outages import outages
from kamiyo_verify.model.downtime.outages import ServiceOutage
from kamiyo_verify.model.result import Exchange

BEGAN = datetime(2026, 11, 23, 14, 10, tzinfo=UTC)
SITE = "https://site.example"


def sent(path: str, at_s: float, status: int | None) -> Exchange:
    at = (BEGAN + timedelta(seconds=at_s)).isoformat(timespec="milliseconds")
    return Exchange("GET", f"{SITE}{path}", status, 20.0, at=at)


def found(*exchanges: Exchange) -> tuple[ServiceOutage, ...]:
    return outages(timelines({"site": SITE}, exchanges))


def test_an_endpoint_that_always_fails_beside_others_is_no_outage_of_its_service() -> None:
    broken = [sent(f"/api/auth/session?n={number}", 1 + number / 10, 500) for number in range(100)]
    assert (
        found(sent("/", 0, 200), *broken[:60], sent("/", 7.05, 200), *broken[60:], sent("/", 20, 200)) == ()
    )


def test_a_service_that_is_silent_for_seconds_had_an_outage_whichever_endpoint_was_asked() -> None:
    away = [sent("/first-asked-now", 1 + number, None) for number in range(5)]
    [outage] = found(sent("/", 0, 200), *away, sent("/", 6.5, 200))
    assert outage.ended
    assert outage.seconds >= 4


def test_a_service_that_stays_silent_has_an_outage_that_goes_on() -> None:
    away = [sent(path, 1 + number, None) for number, path in enumerate(("/a", "/b", "/a", "/c"))]
    [outage] = found(sent("/", 0, 200), *away)
    assert not outage.ended


def test_an_endpoint_that_answers_at_other_times_counts_for_its_service() -> None:
    away = [sent("/a", 1 + number, 503) for number in range(5)]
    [outage] = found(sent("/a", 0, 200), *away, sent("/b", 7, 200))
    assert outage.service == "site"


def test_a_path_that_alone_was_asked_and_gave_errors_is_no_outage_of_its_service() -> None:
    """What fails last is sent again alone: nobody asked whether the service answers others then."""
    first = replace(sent("/login", 1, 500), method="POST")
    alone = [first, *(sent("/login", 2 + number / 10, 500) for number in range(100))]
    assert found(sent("/", 0, 200), *alone) == ()
    assert found(*alone, sent("/", 20, 200)) == ()


@pytest.mark.parametrize("status", [None, 502, 503, 504])
def test_a_silent_service_has_an_outage_though_one_path_alone_was_asked(status: int | None) -> None:
    [outage] = found(sent("/", 0, 200), *(sent("/login", 1 + number, status) for number in range(5)))
    assert not outage.ended


def test_errors_of_two_paths_or_of_all_that_was_asked_are_an_outage() -> None:
    errors = [sent(path, 1 + number, 500) for number, path in enumerate(("/a", "/b", "/a", "/b"))]
    assert len(found(sent("/", 0, 200), *errors)) == 1
    assert len(found(*(sent("/a", number, 500) for number in range(4)))) == 1
