"""The sandbox behind a proxy that misbehaves: outages that end, broken halves, answers that never come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs import EXHAUSTIVE
from tests.e2e.stage import Stage, outage_of, staged
from tests.support.misbehaving_proxy import Fate, Reply
from tests.support.sandbox_process import Sandbox, started
from tests.support.stopwatch import Stopwatch


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5") as sandbox:
        yield sandbox


@pytest.fixture
def stage(running: Sandbox, tmp_path: Path) -> Iterator[Stage]:
    with staged(running, tmp_path) as stage:
        yield stage


def test_a_proxy_that_breaks_nothing_changes_nothing(stage: Stage) -> None:
    ran = stage.verify()

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert ran.verdict["outages"] == []


WORKERS = pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=EXHAUSTIVE)])


@WORKERS
@pytest.mark.parametrize("service", ["api", pytest.param("frontend", marks=EXHAUSTIVE)])
def test_five_seconds_of_silence_are_an_outage_and_no_rollback(
    service: str, workers: tuple[str, ...], stage: Stage
) -> None:
    getattr(stage, service).breaks(Fate.SILENT, after=6, seconds=5)
    ran = stage.verify(*workers, answer="2", final_after_s="2")

    assert ran.call == "proceed", ran.output
    outage = outage_of(ran, service)
    assert 4 <= float(str(outage["seconds"])) <= 8, outage
    assert f"{service} did not answer properly for" in ran.output
    assert "ROLL BACK likely, confirming …: " in ran.output


@WORKERS
def test_silence_for_good_is_rolled_back(workers: tuple[str, ...], stage: Stage) -> None:
    stage.api.breaks(Fate.SILENT, after=6)
    ran = stage.verify(*workers, answer="1")

    assert (ran.call, ran.code) == ("roll_back", 20), ran.output
    assert not outage_of(ran, "api")["ended_at"]


@pytest.mark.parametrize("every", [2, pytest.param(3, marks=EXHAUSTIVE)])
def test_one_of_so_many_instances_that_cannot_sign_in_is_rolled_back(every: int, stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, path="/api/auth/", every=every)
    ran = stage.verify()

    assert (ran.call, ran.code) == ("roll_back", 20), ran.output
    assert "authentication broken completely" in {one["clause"] for one in ran.verdict["reasons"]}
    assert any("further requests, which is" in one["message"] for one in ran.verdict["reasons"])


def test_a_single_404_is_no_ground(stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, path="/api/auth/csrf", most=1, reply=Reply(404))
    ran = stage.verify()

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    flaky = [one["id"] for one in ran.verdict["items"] if one["flaky"]]
    assert flaky, ran.output


@EXHAUSTIVE
def test_four_percent_of_errors_are_repaired(stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, path="/api/auth/", method="GET", every=25, reply=Reply(502))
    ran = stage.verify(per_minute="30000", at_most_s="60")

    assert (ran.call, ran.code) == ("fix_forward", 10), ran.output
    assert "fewer than 5 % of users affected" in {one["clause"] for one in ran.verdict["reasons"]}


def test_forty_percent_of_errors_are_rolled_back(stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, every=5, also=frozenset({2}), reply=Reply(502))
    ran = stage.verify()

    assert (ran.call, ran.code) == ("roll_back", 20), ran.output


@EXHAUSTIVE
@pytest.mark.parametrize("fate", [Fate.SILENT, Fate.DRIP, Fate.RESET, Fate.REFUSE])
def test_whatever_never_answers_is_called_in_time(fate: Fate, stage: Stage) -> None:
    """At production's pace and with its timeouts."""
    for proxy in (stage.api, stage.frontend):
        proxy.breaks(fate)
    watch = Stopwatch()
    ran = stage.verify(
        mark="postdeploy",
        connect="5",
        answer="15",
        item="30",
        spacing_s="1",
        final_after_s="60",
        per_minute="60",
        at_most_s="150",
    )

    assert (ran.call, ran.code) == ("roll_back", 20), ran.output
    assert watch.seconds < 90, ran.output


def test_an_answer_that_hangs_costs_its_service_two_timeouts(stage: Stage) -> None:
    stage.api.breaks(Fate.SILENT)
    watch = Stopwatch()
    ran = stage.verify(answer="2")

    assert ran.call == "roll_back", ran.output
    assert "did not answer in 2 s, twice; it was not asked again" in ran.output
    assert watch.seconds < 25, ran.output


@pytest.mark.parametrize(
    "woken",
    [
        pytest.param(Reply(503, (("x-render-routing", "hibernate-wake-error"),)), id="Render"),
        pytest.param(Reply(500), id="Cloud Run", marks=EXHAUSTIVE),
        pytest.param(Reply(502, (("server", "cloudflare"),)), id="Cloudflare", marks=EXHAUSTIVE),
    ],
)
def test_an_edge_that_wakes_the_service_up_is_waited_for(stage: Stage, woken: Reply) -> None:
    """So it is answered for the first seconds where an idle instance was stopped, or has just started."""
    for proxy in (stage.api, stage.frontend):
        proxy.breaks(Fate.STATUS, seconds=3, reply=woken)
    ran = stage.verify(final_after_s="4")

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert {one["service"] for one in ran.verdict["outages"]} == {"api", "frontend"}
