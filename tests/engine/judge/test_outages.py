"""When a service was away, found in the requests of a run."""

from __future__ import annotations

import pytest

from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.judge.confirmation.outages import outages, with_downtime
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.history.history import Deployed
from kamiyo_verify.model.result import Exchange


def timeline(pattern: str, every_s: float = 0.1, took_s: float = 0.01) -> ServiceTimeline:
    """One request a letter: S answered, F 503, N no answer."""
    failure = {"S": "", "F": "503", "N": "no answer"}
    return ServiceTimeline(
        "api",
        "2026-11-23T14:02:00.000+00:00",
        tuple(round(number * every_s, 3) for number in range(len(pattern))),
        tuple(took_s for _ in pattern),
        tuple(failure[letter] for letter in pattern),
    )


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("S" * 40, 0),
        ("", 0),
        ("S" * 20 + "F" + "S" * 20, 0),
        ("SF" * 30, 0),
        ("SFSSF" * 30, 0),
        ("S" * 20 + "NNNNN" + "S" * 20, 1),
        ("NNNNN" + "S" * 20, 1),
        ("S" * 20 + "FFFFF", 1),
        ("FF", 1),
        ("S" * 20 + "FFFFF" + "S" * 20 + "NNNNN" + "S" * 10, 2),
    ],
)
def test_a_run_of_failures_is_an_outage_and_single_ones_are_not(pattern: str, found: int) -> None:
    assert len(outages([timeline(pattern)])) == found


def test_an_outage_lasts_until_the_next_answer() -> None:
    [outage] = outages([timeline("S" * 20 + "NNFFF" + "S" * 20, every_s=1.0)])

    assert outage.began_at == "2026-11-23T14:02:20.000+00:00"
    assert outage.ended_at == "2026-11-23T14:02:25.000+00:00"
    assert (outage.seconds, outage.requests, outage.failures) == (5.0, 5, ("no answer", "503"))
    assert str(outage) == (
        "api did not answer properly for 5 s from 14:02:20 UTC (no answer, 503; 5 requests failed)"
    )


def test_an_outage_that_goes_on_says_so() -> None:
    [outage] = outages([timeline("S" * 20 + "NNNNN", every_s=1.0, took_s=3.0)])

    assert not outage.ended
    assert outage.seconds == 7.0
    assert "for at least 7 s" in str(outage)
    assert "was not seen to answer again" in str(outage)


def test_one_request_that_waits_long_in_vain_is_an_outage_where_nothing_else_was_answered() -> None:
    """A single check hangs for its whole timeout, and the service is back when the next one asks."""
    answered = timeline("SSSSNSSSS", every_s=6.0, took_s=5.0)
    assert len(outages([answered])) == 1


def test_one_endpoint_that_hangs_beside_answers_is_no_outage() -> None:
    sent = timeline("S" * 10, every_s=1.0)
    hanging = ServiceTimeline(
        sent.service,
        sent.began_at,
        (*sent.offsets_s[:5], 4.5, *sent.offsets_s[5:]),
        (*sent.durations_s[:5], 0.5, *sent.durations_s[5:]),
        (*sent.failures[:5], "no answer", *sent.failures[5:]),
    )
    assert outages([hanging]) == ()


def test_downtime_is_that_of_the_service_that_was_away_longest() -> None:
    away = [timeline("S" * 20 + "NNNNN" + "S" * 20, every_s=1.0)]

    assert with_downtime(Deployed(commit=""), away).downtime_s == 5.0
    assert with_downtime(Deployed(commit="", downtime_s=2.0), away).downtime_s == 5.0
    assert with_downtime(Deployed(commit="", downtime_s=40.0), away).downtime_s == 40.0
    assert with_downtime(Deployed(commit=""), []).downtime_s is None


def sent(url: str, status: int | None, second: int, problem: str = "") -> Exchange:
    return Exchange("GET", url, status, 10.0, problem=problem, at=f"2026-11-23T14:02:{second:02}.000+00:00")


def test_requests_are_told_apart_by_service_and_put_in_order() -> None:
    found = timelines(
        {"api": "https://api.x.example", "frontend": "https://x.example"},
        [
            sent("https://api.x.example/health", 200, 3),
            sent("https://api.x.example/ready", 503, 1),
            sent("https://api.x.example/chains", 429, 2),
            sent("wss://api.x.example/ws?token=…", 101, 4),
            sent("https://api.x.example/slow", None, 5, "was given only the 0.1 s that its item had left"),
            sent("https://x.example/", None, 6, "cut"),
            sent("https://other.example/", 500, 7),
            Exchange("GET", "https://x.example/", 500, 1.0),
        ],
    )

    assert [(one.service, one.offsets_s, one.failures) for one in found] == [
        ("api", (0.0, 2.0, 3.0), ("503", "", "")),
        ("frontend", (0.0,), ("no answer",)),
    ]
