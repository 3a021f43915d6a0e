"""What a combined verdict says of items, objectives and reasons, and which runs cannot be combined."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.judge.places.requirements import CannotCombine, left_out, require_alike
from kamiyo_verify.judge.places.texts import headline
from kamiyo_verify.judge.places.votes import Votes, call, needed, too_few
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, SloVerdict, Status
from tests.support.evidence_for import (
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LOOKS,
    NOT_APPLICABLE,
    SIGN_IN,
    WEBHOOK,
    evidence,
    measured,
    result,
)

ENDED = datetime(2026, 11, 23, 14, 11, 2, tzinfo=UTC)
NOW = ENDED + timedelta(minutes=5)
HOUR = timedelta(hours=1)
A = Action


def run(place: str, *results: Result, commit: str = "9c41d07aa") -> Verdict:
    return decide(evidence(*results, place=place, commit=commit, finished_at=ENDED.isoformat()))


def combined(*runs: Verdict) -> Verdict:
    return combine(list(runs), Policy(places_quorum="majority"), NOW)


def test_an_item_is_told_by_its_worst_place() -> None:
    verdict = combined(
        run("a", result(LOOKS, FAILED, "the logo is gone"), result(WEBHOOK, NOT_APPLICABLE)),
        run("b", result(WEBHOOK, NOT_APPLICABLE)),
        run("c", result(LOOKS, FAILED, "the logo is blue"), result(WEBHOOK, NOT_APPLICABLE)),
    )
    items = {one.id: one for one in verdict.items}
    assert items[LOOKS].status is Status.FAILED
    assert items[LOOKS].message == "at a, c of 3 places: the logo is gone"
    assert items[HEALTH].message == ""
    assert items[WEBHOOK].status is Status.NOT_APPLICABLE


def test_an_objective_is_told_by_its_worst_place() -> None:
    verdict = combined(
        run("a", measured(ERRORS, errors=0, requests=5_000)),
        run("b", measured(ERRORS, errors=24, requests=1_200)),
        run("c"),
    )
    report = next(one for one in verdict.slos if one.id == "error-rate")
    assert report.verdict is SloVerdict.BREACHED
    assert report.message.startswith("at b: 24 errors in 1,200 requests")


def test_reasons_are_told_once_with_their_places_the_commonest_first() -> None:
    verdict = combined(
        run("a", result(LOOKS, FAILED, "the logo is gone")),
        run("b", result(SIGN_IN, FAILED, "500"), result(LOOKS, FAILED, "the logo is gone")),
        run("c", result(SIGN_IN, FAILED, "500")),
        run("d", result(SIGN_IN, FAILED, "500")),
    )
    assert verdict.recommendation is A.ROLL_BACK
    assert [one.item for one in verdict.reasons] == ["", SIGN_IN]
    assert verdict.reasons[-1].message == "500 (at b, c, d)"
    lesser = combined(
        run("a", result(LOOKS, FAILED, "the logo is gone")), run("b"), run("c", result(LOOKS, FAILED, "blue"))
    )
    assert [(one.item, one.message) for one in lesser.reasons] == [
        ("", "something fails at 2 of 3 places (a, c)"),
        (LOOKS, "the logo is gone (at a, c)"),
    ]
    assert [one.message for one in combined(run("a"), run("b")).reasons] == ["well at all 2 places (a, b)"]


def test_the_next_step_names_the_places_that_are_not_well() -> None:
    broken = result(SIGN_IN, FAILED, "500")
    regional = combined(run("a"), run("b", broken), run("c"))
    assert regional.next_step == (
        "keep this version: look at the network and region that serve b, then run it there again"
    )
    split = combined(run("a"), run("b", broken))
    assert split.next_step == (
        "a person decides: read the reports of b, run them again, and combine all places again"
    )
    assert combined(run("a"), run("b")).next_step == run("a").next_step


def test_a_place_without_network_names_what_it_could_not_ask() -> None:
    assert left_out(run("a")) == ""
    doubt = replace(run("a"), network_in_doubt=(HEALTH,))
    assert left_out(doubt) == (
        f"its own network is in doubt: {HEALTH} got no answer, and neither did a control address"
    )
    assert f"{HEALTH} and 2 more got" in left_out(replace(doubt, network_in_doubt=(HEALTH, SIGN_IN, LOOKS)))
    assert f"{HEALTH} and 1 more got" in left_out(replace(doubt, network_in_doubt=(HEALTH, SIGN_IN)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"place": ""}, "a run has no place"),
        ({"place": "b"}, "b: more than one run; name one run of each place"),
        (
            {"project": "Other"},
            "runs of different projects say nothing about each other: a: Other; b: Kamiyo",
        ),
        ({"environment": "prod"}, "runs of different environments"),
        ({"phase": "preflight"}, "runs of different phases"),
        (
            {"commit": "77aa77aaa"},
            "runs of different commits say nothing about each other: a: 77aa77aaa; b: 9c",
        ),
        ({"finished_at": "yesterday"}, "a: when it ended is not known"),
        (
            {"finished_at": "2026-11-23T13:16:01+00:00"},
            "a: it ended 1 h ago, and at most 1 h count: run it again",
        ),
        ({"finished_at": "2026-11-23T14:21:03+00:00"}, "a: it ended in the future"),
    ],
)
def test_runs_that_say_nothing_about_one_deployment_are_refused(change: dict[str, str], why: str) -> None:
    with pytest.raises(CannotCombine) as refused:
        require_alike([replace(run("a"), **change), run("b")], NOW, HOUR)  # type: ignore[arg-type]
    assert why in str(refused.value)


def test_a_place_that_knows_no_commit_is_refused_unless_it_is_left_out() -> None:
    unknown = run("a", commit="")
    with pytest.raises(CannotCombine, match="the commit is not known at a: start each run with --commit SHA"):
        require_alike([unknown, run("b")], NOW, HOUR)
    require_alike([replace(unknown, network_in_doubt=(HEALTH,)), run("b")], NOW, HOUR)


@pytest.mark.parametrize("ended", ["2026-11-23T13:16:02+00:00", "2026-11-23T14:21:02+00:00"])
def test_runs_at_the_edge_of_their_time_count(ended: str) -> None:
    require_alike([replace(run("a"), finished_at=ended), run("b")], NOW, HOUR)


def test_one_run_alone_needs_no_place_and_no_commit() -> None:
    require_alike([replace(run("a"), place="", commit="")], NOW, HOUR)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (Votes(roll_back=2, proceed=1), A.ROLL_BACK),
        (Votes(roll_back=2, proceed=2), A.INCONCLUSIVE),
        (Votes(roll_back=2, proceed=3), A.FIX_FORWARD),
        (Votes(roll_back=1, proceed=1), A.INCONCLUSIVE),
        (Votes(hold=1, proceed=2), A.HOLD),
        (Votes(fix_forward=1, proceed=2), A.FIX_FORWARD),
        (Votes(proceed=3), A.PROCEED),
        (Votes(proceed=1), A.INCONCLUSIVE),
        (Votes(), A.INCONCLUSIVE),
        (Votes(roll_back=3, undecided=1), A.ROLL_BACK),
        (Votes(roll_back=2, undecided=1, proceed=1), A.INCONCLUSIVE),
        (Votes(fix_forward=2, undecided=1), A.FIX_FORWARD),
        (Votes(hold=2, undecided=1), A.HOLD),
        (Votes(proceed=2, undecided=1), A.INCONCLUSIVE),
    ],
)
def test_a_call_is_made_where_it_stands_whatever_the_undecided_would_say(
    votes: Votes, expected: Action
) -> None:
    assert call(votes, "majority") is expected


def test_where_a_run_may_hold_an_undecided_place_may_too() -> None:
    votes = Votes(fix_forward=2, undecided=1)
    assert call(votes, "majority") is A.FIX_FORWARD
    assert call(votes, "majority", may_hold=True) is A.INCONCLUSIVE


def test_the_quorum_is_two_at_least() -> None:
    assert [needed("majority", places) for places in (0, 1, 2, 3, 4, 5)] == [2, 2, 2, 2, 3, 3]
    assert [needed("all", places) for places in (0, 1, 2, 3)] == [2, 2, 2, 3]
    assert needed(4, 3) == 4
    assert too_few(4, 3)
    assert not too_few(3, 3)


def test_an_error_at_one_place_is_worse_than_a_pass_at_another() -> None:
    verdict = combined(run("a", result(HEALTH, ERROR, "broke")), run("b"), run("c"))
    assert next(one for one in verdict.items if one.id == HEALTH).message == "at a of 3 places: broke"


@pytest.mark.parametrize(
    ("fix", "hold", "proceed", "sentence"),
    [
        (1, 0, 1, "something fails at 1 of 2 places"),
        (1, 0, 2, "regional: something fails at 1 of 3 places"),
        (0, 1, 2, "regional: something fails at 1 of 3 places"),
        (1, 1, 1, "something fails at 2 of 3 places"),
        (1, 1, 2, "something fails at 2 of 4 places"),
        (1, 1, 3, "regional: something fails at 2 of 5 places"),
        (0, 3, 0, "something fails at 3 of 3 places"),
    ],
)
def test_a_failure_at_fewer_than_half_of_the_places_is_regional(
    fix: int, hold: int, proceed: int, sentence: str
) -> None:
    votes = Votes(fix_forward=fix, hold=hold, proceed=proceed)
    for action in (Action.FIX_FORWARD, Action.HOLD):
        assert headline(action, votes, (), (), disagree=False) == f"{sentence} ()"
