"""Measurements and exchanges reach the evidence; the screen shows messages, never tracebacks."""

from __future__ import annotations

import math

import pytest

from kamiyo_verify.evidence.recorder import AttemptRecorder, exchange_from, measurement_from
from kamiyo_verify.model.result import Exchange
from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    for value in (number, [1.0, number]):
        with pytest.raises(ValueError, match=r"measure\('p95'\): .* is no finite number"):
            AttemptRecorder().measure("p95", value)


@pytest.mark.parametrize("value", [b"x", {"a": 1}, object(), [1, "x"], [True], ["x"]])
def test_a_value_that_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="measure"):
        AttemptRecorder().measure("p95", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "P95", "a b", "9lives", "a-b"])
def test_names_are_in_snake_case_and_once(name: str) -> None:
    recorder = AttemptRecorder()
    with pytest.raises(ValueError, match="snake_case"):
        recorder.measure(name, 1)
    recorder.measure("p95", 1)
    with pytest.raises(ValueError, match="already"):
        recorder.measure("p95", 2)


def test_a_tape_tells_each_thing_once_and_gives_it_back_as_it_was() -> None:
    recorder = AttemptRecorder()
    recorder.measure("p95", (1, 2.5), "ms")
    first = recorder.news()
    recorder.record(Exchange("GET", "http://x/", None, 3.0, problem="refused"))
    second = recorder.news()

    assert [measurement_from(one) for one in first["measurements"]] == list(recorder.measurements.values())
    assert [exchange_from(one) for one in second["exchanges"]] == recorder.exchanges
    assert (first["exchanges"], second["measurements"]) == ([], [])


CHECKS = """
@pytest.fixture
def client(record):
    record(Exchange("GET", "http://x/setup", 200, 5.0))

@pytest.mark.item("postdeploy.health")
def test_health(client, measure, record, remaining):
    record(Exchange("GET", "http://x/health", 200, 12.0, "req-1"))
    measure("latency", [1, 2.5], "ms")
    assert 0 < remaining() <= 8

@pytest.mark.item("postdeploy.list")
def test_list(record, measure):
    rows = 0
    record(Exchange("GET", "http://x/exploits", 200, 8.0, "req-2"))
    measure("rows", rows, "count")
    assert rows > 0, "GET /exploits gave no row where at least one was expected"

@pytest.mark.item("postdeploy.live")
def test_live():
    raise NoAnswer(NoAnswerKind.TIMEOUT, "WS /ws: nothing came within 5 s", "http://x")

@pytest.mark.item("postdeploy.data")
def test_data():
    {}["rows"]

@pytest.mark.item("performance.api")
def test_api():
    raise Unverified("nobody says how fast it was")
"""


@WORKERS
def test_results_reach_the_verdict_and_the_log(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.check("postdeploy/test_a.py", CHECKS.partition('@pytest.mark.item("performance')[0])
    toy.check("performance/test_b.py", "@pytest.mark.item" + CHECKS.rpartition("@pytest.mark.item")[2])
    ran = toy.run("-m", "postdeploy", "-rA", *workers)

    assert ran.statuses == {
        "postdeploy.health": "passed",
        "postdeploy.data": "error",
        "postdeploy.list": "failed",
        "postdeploy.live": "error",
        "performance.api": "unverified",
    }
    header, selection, *lines, conclusion, last = ran.evidence
    assert (header["kind"], header["environment"], last["kind"]) == ("run", "toy", "verdict")
    assert (selection["kind"], conclusion["kind"]) == ("selection", "conclusion")
    assert selection["phases"] == ["postdeploy", "performance"]
    health = next(line for line in lines if line["item"] == "postdeploy.health")
    assert [sent["url"] for sent in health["exchanges"]] == ["http://x/setup", "http://x/health"]
    assert health["measurements"] == [{"name": "latency", "value": [1.0, 2.5], "unit": "ms"}]
    assert sum(line["item"] == "postdeploy.list" for line in lines) == 3, "a failure is tried three times"
    assert [line["attempt"] for line in lines if line["item"] == "postdeploy.list"] == [1, 2, 3]

    assert "Traceback" not in ran.out
    assert "assert rows" not in ran.out
    assert "\nGET /exploits gave no row where at least one was expected\n" in ran.out
    assert "measured rows = 0 count" in ran.out
    assert "GET http://x/exploits → 200 in 8 ms (request req-2)" in ran.out
    assert "WS /ws: nothing came within 5 s; " in ran.out
    assert "not known whether it is the network of this machine" in ran.out
    assert "the check itself broke: KeyError: 'rows' (test_a.py:" in ran.out
    for word in (
        "FAILED checks/postdeploy/test_a.py::test_list",
        "ERROR checks/postdeploy/test_a.py::test_live",
    ):
        assert word in ran.out
    for count in ("1 failed", "2 error", "1 unverified", "1 passed"):
        assert count in ran.out


def test_letters_and_words_show_the_status(toy: Toy) -> None:
    toy.environment(more="")
    toy.check("postdeploy/test_a.py", CHECKS.partition('@pytest.mark.item("performance')[0])

    assert "test_a.py .RRFRRERRE" in toy.run("-m", "postdeploy").out
    assert "test_list FAILED" in toy.run("-m", "postdeploy", "-v").out


def test_a_traceback_is_shown_to_who_asks_for_it(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS.partition('@pytest.mark.item("performance')[0])
    ran = toy.run("-m", "postdeploy", "--tb=short")

    assert "assert rows > 0" in ran.out
    assert ran.message("postdeploy.list") == "GET /exploits gave no row where at least one was expected"


def test_a_check_that_cannot_clean_up_has_not_passed(toy: Toy) -> None:
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.fixture
def untidy():
    yield
    raise OSError("the door is stuck")

@pytest.mark.item("postdeploy.health")
def test_health(untidy): ...
""",
    )
    ran = toy.run("-m", "postdeploy")

    assert ran.statuses["postdeploy.health"] == "error"
    assert "the door is stuck" in ran.message("postdeploy.health")
    assert ran.code == 30


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_what_is_not_run_has_not_passed(toy: Toy, option: str) -> None:
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')
    ran = toy.run("-m", "postdeploy", option)

    assert ran.statuses["postdeploy.health"] == "error"
    assert ran.code == 30
