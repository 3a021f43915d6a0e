"""The exit code of a run: the call's, or pytest's own where that says more."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.conclusion import broken, conclude
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.words import Action
from tests.support.evidence_for import ERROR, FAILED, HEALTH, LIVE, SIGN_IN, evidence, result

WELL = evidence()
BAD = evidence(result(SIGN_IN, FAILED))
LESSER = evidence(result(LIVE, FAILED))
OPEN = evidence(result(HEALTH, ERROR))


@pytest.mark.parametrize(
    ("of", "pytests", "code"),
    [
        (WELL, 0, 0),
        (WELL, 5, 0),
        (WELL, 1, 1),
        (BAD, 0, 20),
        (BAD, 1, 20),
        (LESSER, 1, 10),
        (OPEN, 1, 30),
        (WELL, 2, 2),
        (WELL, 3, 3),
        (WELL, 4, 4),
        (BAD, 2, 20),
        (LESSER, 2, 10),
        (OPEN, 2, 2),
        (BAD, 3, 3),
        (BAD, 4, 4),
    ],
)
def test_the_exit_code_is_the_calls_unless_pytest_could_not_finish(
    of: Evidence, pytests: int, code: int
) -> None:
    assert conclude(of, pytests).exit_code == code


def test_a_run_whose_judging_broke_is_no_verdict() -> None:
    verdict = broken(
        project="Kamiyo",
        environment="prod",
        phases=("postdeploy", "performance"),
        commit="abc",
        started_at="",
        finished_at="",
        problem="the disk is full",
    )
    assert (verdict.recommendation, verdict.exit_code) == (Action.INCONCLUSIVE, 3)
    assert (verdict.phase, verdict.headline) == ("postdeploy+performance", "no verdict: the disk is full")
