"""The sandbox's Stripe has the shapes of Stripe's own fixtures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.conftest import Register
from tests.contract.validator import Contract, described
from tests.support.outside import Outside, outside

FAULTS = (
    "stripe-wrong-mode",
    "stripe-endpoint-disabled",
    "stripe-endpoint-twice",
    "stripe-events-missing",
    "deliveries-failing",
)


@pytest.fixture(scope="session")
def fixtures() -> dict[str, Any]:
    resources: dict[str, Any] = described("stripe-fixtures3.json")["resources"]
    return resources


@pytest.fixture(scope="session")
def count(register: Register) -> Contract:
    """Counts what was held against the fixtures; they describe objects, and no operations."""
    return register("stripe", Contract({"paths": {}}))


@pytest.fixture(scope="module", params=[(), FAULTS], ids=["healthy", "faulty"])
def living(request: pytest.FixtureRequest) -> Iterator[Outside]:
    with outside(*request.param) as system:
        yield system


def differences(given: object, fixture: object, place: str = "", *, whole: bool) -> list[str]:
    """Where an object has another form than its fixture.

    Args:
        given: the object.
        fixture: Stripe's.
        place: of both.
        whole: it must have every key of the fixture, besides having no other.
    """
    if fixture is None or (given is None and not isinstance(fixture, bool)):
        return []  # a fixture's null says nothing of the type; most of Stripe's fields may be null
    if type(given) is not type(fixture):
        return [f"{place}: {type(given).__name__}, not {type(fixture).__name__}"]
    if isinstance(given, dict) and isinstance(fixture, dict):
        wrong = [f"{place}.{key} is not in the fixture" for key in given.keys() - fixture.keys() if fixture]
        if whole:
            wrong += [f"{place}.{key} is missing" for key in fixture.keys() - given.keys()]
        for key in given.keys() & fixture.keys():
            wrong += differences(given[key], fixture[key], f"{place}.{key}", whole=whole)
        return wrong
    if isinstance(given, list) and isinstance(fixture, list) and fixture:
        return [
            problem
            for nth, entry in enumerate(given)
            for problem in differences(entry, fixture[0], f"{place}[{nth}]", whole=whole)
        ]
    return []


def test_endpoints_and_events_have_the_shapes_of_the_fixtures(
    living: Outside, fixtures: dict[str, Any], count: Contract
) -> None:
    living.wire.seen.clear()
    since = living.world.now() - timedelta(days=3)
    assert living.clients.stripe.webhook_endpoints()
    assert living.clients.stripe.recent_events((), since)
    living.clients.stripe.failed_deliveries(since)
    for seen in living.wire.seen:
        listing = json.loads(seen.answer_body)
        path = seen.target.partition("?")[0].removeprefix("/stripe")
        assert listing.keys() == {"object", "data", "has_more", "url"}
        assert (listing["object"], listing["url"]) == ("list", path)
        for row in listing["data"]:
            fixture = fixtures[row["object"]]
            if row["object"] == "event":
                subject = row.pop("data")["object"]
                fixture = {key: value for key, value in fixture.items() if key != "data"}
                assert not differences(subject, fixtures[subject["object"]], subject["object"], whole=False)
            assert not differences(row, fixture, row["object"], whole=True)
        count.operations[f"{seen.method} {path}"] += 1
    assert count.answers >= 3


def test_the_comparison_can_fail(fixtures: dict[str, Any]) -> None:
    good = fixtures["webhook_endpoint"]
    for change in ({"livemode": "no"}, {"colour": "red"}, {"enabled_events": [1]}):
        assert differences({**good, **change}, good, whole=True)
    assert differences({"id": "we_1"}, good, whole=True)
    assert not differences({"id": "we_1"}, good, whole=False)
