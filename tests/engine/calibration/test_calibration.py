"""Simulated deployments: the judge is seldom wrong about them, and never in the way that costs most."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from kamiyo_verify.calibration import coverage
from kamiyo_verify.calibration.judges import BROKEN, SIMPLE, real
from kamiyo_verify.calibration.simulation import BASELINE, Simulation
from kamiyo_verify.calibration.tally import GOAL, Share, Tally
from kamiyo_verify.calibration.truth import LIVING, TRUTHS, Should, Truth
from kamiyo_verify.cli import calibrate
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Action, Impact

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")

MUST_GO = {Action.ROLL_BACK, Action.INCONCLUSIVE}
TWICE = pytest.mark.parametrize(
    "truth", [truth for truth in TRUTHS if truth.twice], ids=lambda truth: truth.name
)


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(ROOT / "runbook.toml")


@pytest.fixture(scope="module")
def tally(runbook: Runbook) -> Tally:
    return calibrate.calibrate(runbook, runs=8, seed=1)


def one(name: str) -> Truth:
    return next(truth for truth in TRUTHS if truth.name == name)


def simulation(runbook: Runbook) -> Simulation:
    return Simulation(runbook, Random(3))  # noqa: S311 - no secret is drawn


def test_rollbacks_are_seldom_wrong_and_seldom_missed(tally: Tally) -> None:
    assert tally.wrong_rollbacks.value <= GOAL
    assert tally.missed_rollbacks.value <= GOAL
    assert tally.within_goal


def test_a_clear_case_is_seldom_left_to_a_person(tally: Tally) -> None:
    assert tally.left_to_a_person.value <= 0.05


@TWICE
def test_what_must_go_is_never_kept(tally: Tally, truth: Truth) -> None:
    assert set(tally.calls[truth]) <= MUST_GO


@TWICE
def test_what_must_go_is_not_kept_once(runbook: Runbook, truth: Truth) -> None:
    assert decide(simulation(runbook).evidence(truth)).recommendation in MUST_GO


def test_the_tally_tells_what_matters_most_first(tally: Tally) -> None:
    lines = list(tally.lines())
    assert [line.split("  ")[0] for line in lines[:3]] == [
        "wrong rollbacks",
        "missed rollbacks",
        "left to a person",
    ]
    assert all(any(line.startswith(truth.name) for line in lines) for truth in TRUTHS)


@pytest.mark.parametrize("truth", LIVING, ids=lambda truth: truth.name)
def test_what_is_simulated_in_time_gets_its_call(tally: Tally, truth: Truth) -> None:
    right = truth.right if truth.should is Should.KEEP else truth.right | {Action.INCONCLUSIVE}
    assert set(tally.calls[truth]) <= right


def test_what_goes_back_is_the_broken_service_to_a_good_deploy(tally: Tally) -> None:
    assert tally.right_ways.value == 1
    assert tally.right_ways.whole >= 8 * 6


@pytest.mark.parametrize(
    ("judge", "seen"),
    [
        ("broken: wrong service", "right_ways"),
        ("broken: bad target", "right_ways"),
        ("broken: migration ignored", "wrong_rollbacks"),
        ("broken: credentials trusted", "wrong_rollbacks"),
        ("broken: not confirmed", "wrong_rollbacks"),
        ("broken: rule removed", "missed_rollbacks"),
    ],
)
def test_a_judge_that_is_broken_on_purpose_is_seen_in_the_table(
    runbook: Runbook, judge: str, seen: str
) -> None:
    well, broken = (
        getattr(calibrate.beside(one, runbook, runs=2, seed=1), seen) for one in (real, BROKEN[judge])
    )
    if seen == "right_ways":
        assert well.value == 1 > broken.value
    else:
        assert well.value == 0 < broken.value


def test_every_broken_judge_is_tried() -> None:
    assert len(BROKEN) == 6


def test_a_share_has_its_exact_interval() -> None:
    assert str(Share(0, 300)) == "0 % [0 %, 1.2 %], 0 of 300"
    assert str(Share(0, 0)) == "none simulated"


def test_the_same_seed_gives_the_same_evidence(runbook: Runbook) -> None:
    drawn = [simulation(runbook).evidence(one("10 % errors")) for _ in range(2)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("impact", [Impact.CORE, Impact.AUTH])
def test_what_is_simulated_as_broken_fails(runbook: Runbook, impact: Impact) -> None:
    evidence = simulation(runbook).evidence(one(f"broken: {impact}"))
    assert evidence.failed(impact)
    assert decide(evidence).recommendation is Action.ROLL_BACK


def test_every_kind_of_truth_is_there() -> None:
    assert {truth.should for truth in TRUTHS} == set(Should)
    assert len({truth.name for truth in TRUTHS}) == len(TRUTHS)
    assert BASELINE >= 100


def test_the_command_prints_and_judges_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate.main(["1", "--seed", "5"]) == 0
    told = capsys.readouterr().out
    count = len(TRUTHS) + len(LIVING)
    assert told.startswith(f"{count} simulated deployments, seed 5, runbook.toml\n\nwrong rollbacks ")
    assert all(name in told for name in (*SIMPLE, *BROKEN))


def test_too_many_wrong_calls_end_in_exit_code_1() -> None:
    tally = Tally()
    for _ in range(10):
        tally.count(one("healthy"), Action.ROLL_BACK)
    assert not tally.within_goal


@pytest.mark.parametrize("arguments", [["0"], ["1", "--runbook", "nowhere.toml"], ["many"]])
def test_what_cannot_be_simulated_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        calibrate.main(arguments)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def commands() -> Iterator[list[str]]:
    """Every simulation that the guide tells the reader to run."""
    for line in re.findall(r"^python -m kamiyo_verify\.calibration\.coverage (.+)$", GUIDE, re.MULTILINE):
        yield shlex.split(line)


def test_the_guide_has_a_simulation_for_each_method() -> None:
    assert {arguments[0] for arguments in commands()} == set(coverage.METHODS)


@pytest.mark.parametrize("arguments", [*commands()], ids=lambda arguments: str(arguments[0]))
def test_the_guides_simulations_keep_their_promise(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert coverage.main([arguments[0], "400"]) == 0
    assert capsys.readouterr().out.count("\n") > 3


def test_a_broken_promise_is_seen() -> None:
    assert coverage.Finding("", Share(60, 1_000)).kept
    assert not coverage.Finding("", Share(80, 1_000)).kept
    assert coverage.Finding("", Share(800, 1_000), promised=False).kept
