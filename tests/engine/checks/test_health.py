"""What a service says of its own health with a status that says the opposite."""

from __future__ import annotations

import json

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.model.outcomes import Unverified
from tests.engine.checks.test_library import Measured, opened, serving


def answered(body: object) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with serving({"GET /up": (200, {}, text)}) as origin:
        library.answers(opened(origin), "/up", Measured())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"status": "DOWN"}, '"status": DOWN'),
        ({"success": False}, '"success": False'),
        ({"errors": [{"message": "no database"}], "data": None}, '"errors": '),
        ({"error": "no database"}, '"error": no database'),
        ({"error": {"db": {"status": "down"}}, "info": {}}, '"error": '),
        ({"status": "ok", "errors": ["no database"]}, '"errors": '),
        ({"status": 503, "title": "Service Unavailable"}, '"status": 503'),
        ({"statusCode": 500, "message": "Internal server error"}, '"statusCode": 500'),
        ({"code": 502}, '"code": 502'),
        ({"checks": {"db": {"status": "DOWN"}}}, '"status": DOWN in "db"'),
        (
            {"checks": {"db:connections": [{"status": "pass"}, {"status": "fail"}]}},
            '"status": fail in "db:con',
        ),
        ({"services": [{"name": "db", "healthy": False}]}, '"healthy": False in "services"'),
        ({"db": {"ok": False}, "cache": {"ok": True}}, '"ok": False in "db"'),
        ({"components": {"db": {"details": {"error": "refused"}}}}, '"error": refused in "details"'),
    ],
)
def test_a_service_that_says_that_it_is_unwell_is_not_verified(body: object, says: str) -> None:
    with pytest.raises(Unverified) as caught:
        answered(body)
    assert f"answered 200 and says {says}" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "ok"},
        {"status": "degraded", "checks": {"search": {"status": "down"}}},
        {"status": "UP", "components": {"mail": {"status": "DOWN"}}},
        {"status": "ok", "error": {}, "info": {"db": {"status": "up"}}},
        {"errors": [], "data": {"a": 1}},
        {"error": None, "errors": 3},
        {"error": "none"},
        {"error": False},
        {"code": 0, "status": 200},
        {"code": 5000},
        {"checks": {"db": {"status": "pass"}}},
        {"last": {"state": "finished"}},
        {"a": {"b": {"c": {"d": {"status": "down"}}}}},
        ["down"],
        "down",
        "{",
        "",
    ],
)
def test_what_says_nothing_against_it_is_taken_at_its_status(body: object) -> None:
    answered(body)
