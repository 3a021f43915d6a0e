"""The run that shows how things were before: which one serves, and what is taken of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kamiyo_verify.evidence.baselines import BASELINE, baseline_json, known, newest_file, with_before
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Action, Attribution, Status
from tests.support.evidence_for import (
    DATA,
    FAILED,
    HEALTH,
    LATENCY,
    SIGN_IN,
    blamed,
    evidence,
    measured,
    result,
)
from tests.support.recorded_runs import moment, recorded
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

CHECKS = """
@pytest.mark.item("postdeploy.health")
def test_health():
    assert False, "not well"

@pytest.mark.item("postdeploy.data")
def test_data():
    pass

@pytest.mark.item("postdeploy.list")
def test_list():
    pass
"""


def test_a_baseline_is_kept_and_compared_with(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    before = toy.run("-m", "postdeploy", "--baseline")
    after = toy.run("-m", "postdeploy")

    assert before.report is not None
    assert (before.report / BASELINE).exists()
    assert before.verdict.recommendation is Action.HOLD
    assert after.verdict.recommendation is Action.FIX_FORWARD
    assert after.verdict.reasons[0].attribution is Attribution.PRE_EXISTING
    assert after.verdict.compared is not None


def test_where_the_ledger_is_away_the_file_serves(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    away = {"KAMIYO_LEDGER_URL": "sqlite:///nowhere/at/all/ledger.db"}
    toy.run("-m", "postdeploy", "--baseline", env=away)
    assert toy.run("-m", "postdeploy", env=away).verdict.recommendation is Action.FIX_FORWARD


def test_a_file_holds_statuses_and_the_numbers_of_objectives(tmp_path: Path) -> None:
    of = evidence(
        result(SIGN_IN, FAILED), blamed(HEALTH, Attribution.PROBER), measured(LATENCY, response_times=(1.0,))
    )
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / BASELINE).write_text(baseline_json(decide(of), "r1"))
    (tmp_path / "r2").mkdir()
    (tmp_path / "r2" / BASELINE).write_text("torn")
    found = newest_file(tmp_path)

    assert found is not None
    seen = with_before(evidence(finished_at="2026-11-23T15:11:02+00:00"), found)
    assert seen.before is not None
    assert (seen.before.run, seen.before.age_s) == ("r1", 3600.0)
    assert seen.before.statuses[SIGN_IN] is Status.FAILED
    assert HEALTH not in seen.before.statuses
    assert [taken.value for taken in seen.baseline[LATENCY]] == [(1.0,)]


def test_the_last_good_run_is_of_another_commit_and_no_drill(tmp_path: Path) -> None:
    with Store.opened(f"sqlite:///{tmp_path}/ledger.db") as store:
        store.add(recorded(tmp_path, run="old", commit="1111111", minute=0))
        store.add(recorded(tmp_path, run="same", commit="2222222", minute=2))
        store.add(recorded(tmp_path, run="drill", commit="3333333", minute=4, faults=["slow"]))

        def last(besides: str = "") -> str:
            run = store.last_good("staging", before=moment(60), besides=besides)
            return run.id if run else ""

        assert last() == "same"
        assert last("2222222") == "old"


@pytest.mark.parametrize(
    ("then", "here", "more", "call"),
    [
        ("https://shop.example", "https://shop.example", {}, Action.ROLL_BACK),
        ("https://staging.example", "https://shop.example", {}, Action.PROCEED),
        ("http://127.0.0.1:40123", "https://shop.example", {"moves": True}, Action.ROLL_BACK),
        ("http://127.0.0.1:40123", "https://shop.example", {}, Action.PROCEED),
        ("http://127.0.0.1:40123", "http://localhost:8000", {}, Action.ROLL_BACK),
    ],
)
def test_rows_of_another_address_are_not_compared(
    tmp_path: Path, then: str, here: str, more: dict[str, bool], call: Action
) -> None:
    def counting(rows: int, origin: str) -> Result:
        asked = (Exchange("GET", f"{origin}/orders", 200, 5.0),)
        return replace(measured(DATA, health=rows), exchanges=asked)

    run = recorded(tmp_path, counting(120, then), commit="1111111", baseline=True).run
    now = evidence(counting(40, here), commit="2222222", finished_at=moment(9))
    verdict = decide(with_before(now, known(run, **more)))
    assert verdict.recommendation is call
    said = "nothing is compared with before: the baseline" in verdict.confidence
    assert said is (call is Action.PROCEED), "who recorded a baseline expects that it is compared"


def test_without_a_run_before_nothing_is_compared() -> None:
    assert with_before(evidence(), None).before is None
