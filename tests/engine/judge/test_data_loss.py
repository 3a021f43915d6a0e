"""Data is proved by data: totals against the baseline, and totals against each other."""

from __future__ import annotations

from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.data_loss import COUNTS_ITEM
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.counts import CountsRound, RowCounts
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.words import Action, Impact, Phase, Status
from tests.support.kamiyo_evidence import kamiyo_evidence

NEW, OLD = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33


def counted(**counts: int) -> tuple[Measurement, ...]:
    return tuple(Measurement(name, count, "count") for name, count in counts.items())


def now(**counts: int) -> Result:
    return Result(COUNTS_ITEM, Phase.POSTDEPLOY, Status.PASSED, measurements=counted(**counts))


def verdict(
    before: dict[str, int], after: dict[str, int], *, commit: str = OLD, status: Status = Status.PASSED
) -> Any:
    baseline = Before(
        run="20261123T120000Z-ab12",
        baseline=True,
        commit=commit,
        finished_at="2026-11-23T13:11:02+00:00",
        age_s=3600.0,
        statuses={COUNTS_ITEM: status},
    )
    return decide(
        kamiyo_evidence(now(**after), commit=NEW, before=baseline, baseline={COUNTS_ITEM: counted(**before)})
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"health": 420, "exploits": 420}, {"health": 42, "exploits": 42}),
        ({"exploits": 420}, {"exploits": 335}),
        ({"health": 420, "exploits": 420}, {"health": 420, "exploits": 300}),
        ({"health": 5}, {"health": 0}),
    ],
)
def test_rows_gone_beyond_the_limit_are_lost_data(before: dict[str, int], after: dict[str, int]) -> None:
    found = verdict(before, after)
    assert found.recommendation is Action.ROLL_BACK
    assert "rows are gone since the baseline" in found.headline
    [reason] = [one for one in found.reasons if one.item == COUNTS_ITEM]
    assert (reason.impact, reason.clause) == (Impact.DATA, "database corruption")
    assert any("restores no data" in warning for warning in found.rollback.warnings)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"health": 420}, {"health": 420}),
        ({"health": 420}, {"health": 337}),
        ({"health": 420}, {"health": 9_000}),
        ({"health": 0}, {"health": 0}),
        ({}, {"health": 42}),
        ({"health": 420}, {}),
        ({"chains": 12}, {"chains": 3}),
    ],
)
def test_what_the_limit_explains_is_no_loss(before: dict[str, int], after: dict[str, int]) -> None:
    assert verdict(before, after).recommendation is Action.PROCEED


def test_the_numbers_and_the_limit_are_told() -> None:
    [reason] = verdict({"health": 4_200}, {"health": 420}).reasons
    assert "health counts 420 where the baseline has 4,200 (90% gone)" in reason.message
    assert "allows a fall of 20%" in reason.message


def test_what_would_change_the_call_is_told_in_rows() -> None:
    found = verdict({"health": 4_200, "exploits": 4_200}, {"health": 420, "exploits": 4_100})
    assert found.flip == "health counting 3,360 or more (it is 420): proceed"
    assert found.confidence == "high: fewer rows at 1 endpoint"
    enough = verdict({"health": 4_200, "exploits": 4_200}, {"health": 3_360, "exploits": 4_100})
    assert enough.recommendation is Action.PROCEED


def test_a_baseline_whose_own_counts_failed_proves_nothing() -> None:
    assert verdict({"health": 420}, {"health": 42}, status=Status.FAILED).recommendation is Action.PROCEED


def test_rows_that_went_under_the_same_commit_do_not_come_back_by_a_rollback() -> None:
    found = verdict({"health": 420}, {"health": 42}, commit=NEW[:9])
    assert found.recommendation is Action.FIX_FORWARD
    assert "same commit" in found.reasons[0].message


def test_without_a_baseline_nothing_is_compared() -> None:
    assert decide(kamiyo_evidence(now(health=42))).recommendation is Action.PROCEED


def counts(*rounds: tuple[int, int], tolerance: float = 0.02) -> RowCounts:
    return RowCounts(tuple(CountsRound({"health": a, "exploits": b}, tolerance) for a, b in rounds))


@pytest.mark.parametrize(
    "rounds", [((420, 420),), ((420, 425),), ((4_812, 4_720),), ((4_812, 12), (4_812, 4_812)), ((0, 0),)]
)
def test_counts_that_agree_in_any_round_are_no_contradiction(rounds: tuple[tuple[int, int], ...]) -> None:
    assert counts(*rounds).contradiction == ""


@pytest.mark.parametrize(
    "rounds", [((4_812, 12),) * 3, ((420, 0),) * 3, ((12, 4_812), (14, 4_812), (13, 4_812))]
)
def test_counts_that_never_agree_contradict(rounds: tuple[tuple[int, int], ...]) -> None:
    assert "asked 3 times" in counts(*rounds).contradiction


def test_delayed_data_of_a_caller_without_a_key_is_no_contradiction() -> None:
    assert counts((420, 380), tolerance=0.2).contradiction == ""
    assert counts((4_812, 12), tolerance=0.2).contradiction != ""


# What the generic checks list.

LIST = "postdeploy.records-whole"


def listed(was: int, after: int) -> Any:
    """The verdict where another item of impact "data" counted so many rows before and after."""
    return listed_as({"listed_rows": was}, {"listed_rows": after})


def listed_as(was: dict[str, Any], after: dict[str, Any]) -> Any:
    """The verdict where another item of impact "data" measured that before and after."""
    before = Before(
        run="20261123T120000Z-ab12",
        baseline=True,
        commit=OLD,
        finished_at="2026-11-23T13:11:02+00:00",
        age_s=3600.0,
        statuses={LIST: Status.PASSED},
    )
    counts = counted(**after)
    return decide(
        kamiyo_evidence(
            Result(LIST, Phase.POSTDEPLOY, Status.PASSED, measurements=counts),
            commit=NEW,
            before=before,
            baseline={LIST: counted(**was)},
        )
    )


@pytest.mark.parametrize(("was", "after"), [(13, 1), (10, 0), (1_000, 799)])
def test_rows_that_a_generic_check_misses_are_lost_data(was: int, after: int) -> None:
    found = listed(was, after)
    assert found.recommendation is Action.ROLL_BACK
    [reason] = found.reasons
    assert reason.item == LIST
    assert f"counts {after:,} where the baseline has {was:,}" in reason.message


@pytest.mark.parametrize(("was", "after"), [(9, 0), (3, 2), (40, 31), (1_000, 800), (5, 50)])
def test_what_a_few_people_delete_is_no_lost_data(was: int, after: int) -> None:
    assert listed(was, after).recommendation is Action.PROCEED


PAGED = "a page of more"
GONE = {"listed_rows": 20, "listed_as": PAGED}


@pytest.mark.parametrize(
    ("was", "after", "action"),
    [
        # A page of another size, whose total is as it was, or grew.
        ({"listed_rows": 40, "total_rows": 431}, {**GONE, "total_rows": 431}, Action.PROCEED),
        ({"listed_rows": 100, "total_rows": 431}, {**GONE, "total_rows": 500}, Action.PROCEED),
        # A page of another size, of a total that nobody counted before, or counts now.
        ({"listed_rows": 40}, GONE, Action.INCONCLUSIVE),
        ({"listed_rows": 40}, {**GONE, "total_rows": 431}, Action.INCONCLUSIVE),
        ({"listed_rows": 40, "total_rows": 431}, GONE, Action.INCONCLUSIVE),
        # A total that the rows contradict, and nothing says that they are a page.
        ({"listed_rows": 40, "total_rows": 40}, {"listed_rows": 1, "total_rows": 40}, Action.INCONCLUSIVE),
        # A full page hides nothing where its total fell.
        ({"listed_rows": 20, "total_rows": 9_000}, {**GONE, "total_rows": 30}, Action.ROLL_BACK),
        ({"listed_rows": 40, "total_rows": 9_000}, {**GONE, "total_rows": 30}, Action.ROLL_BACK),
        ({"listed_rows": 40, "total_rows": 40}, {"listed_rows": 1, "total_rows": 1}, Action.ROLL_BACK),
        ({"listed_rows": 40, "listed_as": PAGED}, {"listed_rows": 1}, Action.ROLL_BACK),
        ({"listed_rows": 20, "total_rows": 431}, {**GONE, "total_rows": 425}, Action.PROCEED),
        # Looks of this run that do not agree.
        ({"listed_rows": 40}, {"listed_rows": 10, "recounted": "10, 40, 10, 40"}, Action.INCONCLUSIVE),
        ({"listed_rows": 40}, {"listed_rows": 10, "recounted": "10"}, Action.INCONCLUSIVE),
    ],
)
def test_a_page_of_more_rows_is_compared_by_its_total(
    was: dict[str, Any], after: dict[str, Any], action: Action
) -> None:
    found = listed_as(was, after)
    assert found.recommendation is action
    if action is Action.INCONCLUSIVE:
        assert "fewer rows counted than in the baseline, which is not conclusive" in found.headline
