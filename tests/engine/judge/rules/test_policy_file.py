"""The call follows the lists of the policy as runbook.toml has them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.policy import Clause
from kamiyo_verify.model.result import Attempt, Exchange, Result
from kamiyo_verify.model.runbook import Item, Runbook
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Impact, Phase, Status
from tests.support.evidence_for import at
from tests.support.kamiyo_evidence import KAMIYO, kamiyo_evidence

TEXT = (Path(__file__).parents[4] / "runbook.toml").read_text(encoding="utf-8")
BACK, FORWARD = "[[policy.roll_back]]", "[[policy.do_not_roll_back]]"
CHECKED = {
    item.impact: item
    for item in KAMIYO.items
    if item.phase in {Phase.POSTDEPLOY, Phase.PERFORMANCE} and not item.manual
}
# The clause of "performance" has a limit, and is judged by measurements.
REASONS = [one for one in KAMIYO.policy.roll_back if one.impact in CHECKED]
EXCUSES = [one for one in KAMIYO.policy.do_not_roll_back if one.impact in CHECKED and one.limit is None]


def moved(clause: Clause, source: str, target: str, folder: Path) -> Runbook:
    """Read the runbook after one clause was moved from a list to the other."""
    heading = f'{source}\nid = "{clause.id}"'
    assert TEXT.count(heading) == 1
    text = TEXT.replace(heading, heading.replace(source, target))
    if target == FORWARD:  # an impact that no clause rolls back for cannot be required
        text, count = re.subn(rf'(required_impacts = .*)"{clause.impact}"(?:, )?', r"\1", text)
        assert count == 1
    path = folder / "runbook.toml"
    path.write_text(text, encoding="utf-8")
    return load_runbook(path)


def call(runbook: Runbook, impact: Impact | None) -> Action:
    """The call after one item of the impact got a wrong answer at every try, and all else passed."""
    assert impact
    item = CHECKED[impact]
    tries = tuple(Attempt(Status.FAILED, "wrong", at(number), 0.1) for number in range(3))
    failed = Result(
        item.id,
        item.phase,
        Status.FAILED,
        "wrong",
        attempts=tries,
        attribution=Attribution.INTRODUCED,
        failure=FailureKind.WRONG_CONTENT,
        exchanges=(Exchange("GET", "https://api.example/x", 200, 5.0),),
    )
    return decide(replace(kamiyo_evidence(failed), runbook=runbook)).recommendation


@pytest.mark.parametrize("clause", REASONS, ids=lambda clause: clause.id)
def test_an_impact_moved_out_of_the_reasons_no_longer_rolls_back(clause: Clause, tmp_path: Path) -> None:
    assert call(KAMIYO, clause.impact) is Action.ROLL_BACK
    assert call(moved(clause, BACK, FORWARD, tmp_path), clause.impact) is Action.FIX_FORWARD


@pytest.mark.parametrize("clause", EXCUSES, ids=lambda clause: clause.id)
def test_an_impact_moved_into_the_reasons_rolls_back(clause: Clause, tmp_path: Path) -> None:
    assert call(KAMIYO, clause.impact) is Action.FIX_FORWARD
    assert call(moved(clause, FORWARD, BACK, tmp_path), clause.impact) is Action.ROLL_BACK


def test_the_lists_have_impacts_to_move() -> None:
    assert {one.impact for one in REASONS} == set(KAMIYO.policy.required_impacts)
    assert {one.impact for one in EXCUSES} == {Impact.FEATURE, Impact.PROCESS}


def test_an_impact_that_no_clause_has_is_refused(tmp_path: Path) -> None:
    clause = '[[policy.do_not_roll_back]]\nid = "minor-feature"'
    start = TEXT.index(clause)
    path = tmp_path / "runbook.toml"
    path.write_text(TEXT[:start] + TEXT[TEXT.index("[[", start + 2) :], encoding="utf-8")

    with pytest.raises(ConfigurationError, match="feature"):
        load_runbook(path)


@pytest.mark.parametrize("item", [one for one in KAMIYO.items if one.services], ids=lambda item: item.id)
def test_no_item_of_one_request_claims_that_a_whole_service_is_gone(item: Item) -> None:
    """One endpoint may fail, or health be degraded, while all else of the service answers."""
    assert not re.fullmatch(r"the (API|website|platform) (does not work|is gone|is down)", item.user_impact)
