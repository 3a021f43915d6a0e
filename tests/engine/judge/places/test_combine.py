"""One call from several places, as a release engineer would make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.judge.places.requirements import CannotCombine
from kamiyo_verify.model.history.history import Deployed
from kamiyo_verify.model.policy import PlacesQuorum, Policy
from kamiyo_verify.model.verdict import Entry, Rollback, RollbackStep, Verdict
from kamiyo_verify.model.words import Action, FailureKind
from tests.support.evidence_for import ERROR, FAILED, HEALTH, LOOKS, SIGN_IN, WEBHOOK, evidence, result

ENDED = datetime(2026, 11, 23, 14, 11, 2, tzinfo=UTC)
NOW = ENDED + timedelta(minutes=5)
COMMIT = "9c41d07aa"
NAMES = "abcdefgh"
UNSEEN = Entry(Deployed(commit=""))

BACK, FIX, HOLD = Action.ROLL_BACK, Action.FIX_FORWARD, Action.HOLD
GO, UNKNOWN = Action.PROCEED, Action.INCONCLUSIVE

RESULTS = {
    "well": (),
    "broken": (result(SIGN_IN, FAILED, "sign-in answers 500"),),
    "other": (result(WEBHOOK, FAILED, "charges are refused"),),
    "ui": (result(LOOKS, FAILED, "the logo is gone"),),
    "unknown": (result(HEALTH, ERROR, "the check itself broke"),),
    "offline": (result(HEALTH, ERROR, "nothing came", failure=FailureKind.NO_ANSWER),),
}
OWN = {"well": GO, "broken": BACK, "other": BACK, "ui": FIX, "unknown": UNKNOWN, "offline": UNKNOWN}


def run(kind: str, place: str, **more: object) -> Verdict:
    ended = ENDED.isoformat()
    known = evidence(*RESULTS[kind], place=place, commit=COMMIT, finished_at=ended)
    return replace(decide(known), **more)  # type: ignore[arg-type]


def runs(kinds: str) -> list[Verdict]:
    return [run(kind, NAMES[number]) for number, kind in enumerate(kinds.split())]


def combined(verdicts: Sequence[Verdict], quorum: PlacesQuorum = "majority") -> Verdict:
    return combine(verdicts, Policy(places_quorum=quorum), NOW)


@pytest.mark.parametrize("kind", RESULTS)
def test_the_stories_begin_with_the_calls_that_they_name(kind: str) -> None:
    assert run(kind, "a").recommendation is OWN[kind]


STORIES: tuple[tuple[str, Action, str], ...] = (
    ("well well well", GO, "well at all 3 places (a, b, c)"),
    ("broken broken broken", BACK, "the platform, not a region"),
    ("broken broken well", BACK, "at 2 of 3 places (a, b)"),
    ("well broken well", FIX, "regional: it fails at 1 of 3 places (b)"),
    ("broken well", UNKNOWN, "1 of 2 places call for a rollback (a): no quorum, and no minority"),
    ("broken broken", BACK, "at 2 of 2 places"),
    ("broken broken well well", UNKNOWN, "2 of 4 places call for a rollback"),
    ("broken well well well", FIX, "regional"),
    ("broken other well", UNKNOWN, "each for something else"),
    ("broken broken other", BACK, "the platform"),
    ("ui well well", FIX, "regional: something fails at 1 of 3 places (a)"),
    ("ui ui ui", FIX, "something fails at 3 of 3 places"),
    ("broken ui well", FIX, "regional"),
    ("broken broken unknown", BACK, "at 2 of 3 places"),
    ("broken unknown well", UNKNOWN, "no quorum"),
    ("broken unknown well well well", FIX, "regional"),
    ("unknown well well", UNKNOWN, "1 of 3 places could not decide (a)"),
    ("unknown ui well", FIX, "regional"),
    ("unknown unknown ui", UNKNOWN, "2 of 3 places could not decide"),
    ("unknown unknown unknown", UNKNOWN, "could not decide"),
    ("offline well well", GO, "well at all 2 places (b, c); a left out"),
    ("offline broken broken", BACK, "at 2 of 2 places (b, c); a left out"),
    ("offline broken well", UNKNOWN, "no quorum, and no minority; a left out"),
    (
        "offline offline broken",
        UNKNOWN,
        "1 place left, and no call is made on fewer than 2; a and b left out",
    ),
    ("offline offline well", UNKNOWN, "1 place left"),
    ("offline offline offline", UNKNOWN, "0 places left"),
    ("offline well", UNKNOWN, "1 place left"),
)


@pytest.mark.parametrize(("kinds", "call", "says"), STORIES, ids=[story[0] for story in STORIES])
def test_stories(kinds: str, call: Action, says: str) -> None:
    verdict = combined(runs(kinds))

    assert (verdict.recommendation, verdict.exit_code) == (call, call.exit_code), verdict.headline
    assert says in verdict.headline
    assert [one.place for one in verdict.places] == list(NAMES[: len(kinds.split())])
    assert bool(verdict.rollback.services) <= (call is BACK)


@pytest.mark.parametrize(
    ("quorum", "kinds", "call"),
    [
        ("all", "broken broken broken", BACK),
        ("all", "broken broken well", UNKNOWN),
        ("all", "broken well well", FIX),
        (2, "broken broken well well well", BACK),
        (3, "broken broken well", UNKNOWN),
        (3, "well well", UNKNOWN),
        (3, "well", UNKNOWN),
        (3, "broken", UNKNOWN),
    ],
)
def test_the_policy_sets_the_quorum(quorum: PlacesQuorum, kinds: str, call: Action) -> None:
    assert combined(runs(kinds), quorum).recommendation is call


@pytest.mark.parametrize("kind", RESULTS)
def test_one_place_alone_gives_its_own_verdict(kind: str) -> None:
    own = run(kind, "a")
    assert replace(combined([own]), places=()) == own


KINDS = st.lists(st.sampled_from(sorted(RESULTS)), min_size=1, max_size=6)
ALL_RUNS = {(kind, place): run(kind, place) for kind in RESULTS for place in NAMES}


def of(kinds: Sequence[str]) -> list[Verdict]:
    return [ALL_RUNS[kind, NAMES[number]] for number, kind in enumerate(kinds)]


@given(KINDS, st.randoms(use_true_random=False))
def test_the_order_of_runs_never_matters(kinds: list[str], chance: object) -> None:
    given_runs = of(kinds)
    mixed = list(given_runs)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert combined(mixed) == combined(given_runs)


def test_every_order_of_three_is_one_verdict() -> None:
    assert len({str(combined(order).as_json()) for order in permutations(runs("broken ui offline"))}) == 1


@given(KINDS)
def test_a_place_that_agrees_never_changes_the_call(kinds: list[str]) -> None:
    before = combined(of(kinds)).recommendation
    for kind in sorted({one for one in kinds if OWN[one] is before and one != "offline"}):
        lead = kinds.count(kind) >= max(kinds.count("broken"), kinds.count("other"))
        if before is not BACK or lead:
            assert combined(of([*kinds, kind])).recommendation is before


@given(KINDS)
def test_no_rollback_stands_on_one_place_of_several(kinds: list[str]) -> None:
    if len(kinds) > 1 and combined(of(kinds)).recommendation is BACK:
        assert max(kinds.count("broken"), kinds.count("other")) >= 2


@given(KINDS)
def test_nothing_fails_open(kinds: list[str]) -> None:
    if combined(of(kinds)).recommendation is GO:
        assert {*kinds} <= {"well", "offline"}
        assert len(kinds) == 1 or kinds.count("well") >= 2


@given(KINDS)
def test_another_well_place_never_calls_for_a_rollback(kinds: list[str]) -> None:
    if combined(of(kinds)).recommendation is not BACK:
        assert combined(of([*kinds, "well"])).recommendation is not BACK


def step(service: str, to: str) -> Rollback:
    return Rollback((RollbackStep(service=service, current="dep-9", to=to, how="by dashboard"),))


def test_only_what_the_quorum_names_goes_back() -> None:
    places = [run("broken", name, rollback=step("web", "dep-1")) for name in "ab"]
    odd = run("broken", "c", rollback=step("api", "dep-7"))
    verdict = combined([*places, odd])

    assert [(one.service, one.to) for one in verdict.rollback.services] == [("web", "dep-1")]
    assert verdict.rollback.stays == ("api",)


def test_places_that_would_go_back_to_different_deploys_leave_it_to_a_person() -> None:
    verdict = combined([run("broken", name, rollback=step("web", f"dep-{name}")) for name in "abc"])

    assert verdict.recommendation is UNKNOWN
    assert verdict.rollback == Rollback()


def test_a_run_whose_exit_code_is_not_its_calls_has_made_no_call() -> None:
    cut = run("well", "c", exit_code=2)
    assert combined([*runs("well well"), cut]).recommendation is UNKNOWN


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "another commit": ({"commit": "1111111"}, "runs of different commits"),
    "another environment": ({"environment": "staging2"}, "runs of different environments"),
    "other phases": ({"phase": "preflight"}, "runs of different phases"),
    "another project": ({"project": "Other"}, "runs of different projects"),
    "too old": ({"finished_at": (NOW - timedelta(hours=2)).isoformat()}, "c: it ended 2 h"),
    "the future": ({"finished_at": (NOW + timedelta(hours=2)).isoformat()}, "it ended in the future"),
    "no time": ({"finished_at": ""}, "when it ended is not known"),
    "no zone": ({"finished_at": "2026-11-23T14:11:02"}, "when it ended is not known"),
    "no commit": (
        {"commit": "", "deployment": UNSEEN},
        "the commit is not known at c",
    ),
    "no name": ({"place": ""}, "start each with --place NAME"),
    "twice": ({"place": "a"}, "a: more than one run"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_runs_that_are_not_of_one_deployment_are_refused(name: str) -> None:
    changed, says = REFUSED[name]
    with pytest.raises(CannotCombine, match=says):
        combined([*runs("broken broken"), replace(run("broken", "c"), **changed)])  # type: ignore[arg-type]


def test_a_combination_is_not_combined_again() -> None:
    with pytest.raises(CannotCombine, match="a combination already"):
        combined([combined(runs("well well")), run("well", "z")])


def test_a_short_commit_is_the_same_commit() -> None:
    assert combined([run("well", "a", commit=COMMIT[:7]), run("well", "b")]).recommendation is GO


def test_a_place_without_network_needs_no_commit() -> None:
    assert (
        combined([*runs("well well"), run("offline", "c", commit="", deployment=UNSEEN)]).recommendation is GO
    )
