"""Rows that seem to be gone are counted again over time, before they are lost data."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.confirmation.recounts import count_again
from kamiyo_verify.judge.rules.data_loss import RECOUNTED
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.words import Impact, Phase, Status
from tests.support.evidence_for import RUNBOOK, SIGN_IN

AT = "2026-11-23T14:10:00+00:00"
OF_DATA = RUNBOOK.model_copy(
    update={
        "items": tuple(
            one.model_copy(update={"impact": Impact.DATA if one.id == SIGN_IN else one.impact})
            for one in RUNBOOK.items
        )
    }
)


def counted(rows: int | None) -> Result:
    taken = () if rows is None else (Measurement("listed_rows", rows, "count"),)
    status = Status.PASSED if rows else Status.FAILED
    attempts = (Attempt(status, "", AT, 0.1),)
    return Result(
        SIGN_IN,
        Phase.POSTDEPLOY,
        status,
        measurements=taken,
        nodeids=("t",),
        started_at=AT,
        attempts=attempts,
    )


class Counts(Results):
    """Results of one test, whose evidence is replaced by what a look found."""

    def __init__(self, first: Result) -> None:
        super().__init__()
        self._of_tests["t"] = first
        self._tests_of[SIGN_IN] = {"t": None}


def recounted(
    first: int, *later: int | None, left_s: float = 99.0, baseline: bool = False
) -> tuple[Any, ...]:
    """(rows, what was counted again, looks, announcements) where the baseline counted 40."""
    answers: Iterator[int | None] = iter(later)
    results, announced, looked = Counts(counted(first)), [], []

    def look(nodeid: str, _: object) -> Result:
        looked.append(nodeid)
        return counted(next(answers))

    run: Any = SimpleNamespace(
        runbook=OF_DATA,
        options=SimpleNamespace(baseline=baseline),
        clock=SimpleNamespace(run_left=left_s),
        environment=SimpleNamespace(confirmation=SimpleNamespace(final_after_s=0.0)),
    )
    looks: Any = SimpleNamespace(can=lambda _: True, look=look)
    before = {SIGN_IN: (Measurement("listed_rows", 40, "count"),)}
    count_again(run, looks, results, lambda: before, lambda *what: announced.append(what))
    [found] = [one for one in results.of_items().values() if one.item == SIGN_IN]
    rows, again = found.measurement("listed_rows"), found.measurement(RECOUNTED)
    return rows and rows.value, again and again.value, len(looked), len(announced)


@pytest.mark.parametrize(
    ("counts", "rows", "again"),
    [
        ((10, 10, 10, 10), 10, None),
        ((10, 9, 8, 7), 7, None),
        ((10, 1, 0, 0), 0, None),
        ((10, 40, 40, 40), 40, None),
        ((10, 38, 41, 45), 45, None),
        ((10, 40, 10, 40), 10, "10, 40, 10, 40"),
        ((10, 10, 10, 40), 10, "10, 10, 10, 40"),
        ((10, 10, None, 10), 10, "10, 10, none, 10"),
        ((10, None, None, None), 10, "10, none, none, none"),
    ],
)
def test_rows_are_gone_where_every_look_counts_as_few(
    counts: tuple[int, ...], rows: int, again: str | None
) -> None:
    assert recounted(*counts) == (rows, again, 3, 1)


def test_nothing_is_counted_again_where_none_are_gone_or_a_baseline_is_recorded() -> None:
    assert recounted(40) == (40, None, 0, 0)
    assert recounted(35) == (35, None, 0, 0)
    assert recounted(10, baseline=True) == (10, None, 0, 0)


def test_rows_that_could_not_be_counted_again_prove_nothing() -> None:
    assert recounted(10, left_s=1.0) == (10, "10", 0, 1)
