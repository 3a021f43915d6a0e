"""Places that gave no run: they are named, they are no failure, and too few that are left make no call."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.model.places.places import PlaceReport
from kamiyo_verify.model.policy import PlacesQuorum, Policy
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action
from tests.engine.judge.places.test_combine import BACK, FIX, GO, NOW, UNKNOWN, runs

WHY = "it cannot be reached: Connection refused"


def absent(*names: str) -> list[PlaceReport]:
    return [
        PlaceReport(
            place=name,
            recommendation=Action.INCONCLUSIVE,
            headline="no run",
            finished_at=NOW.isoformat(),
            left_out=WHY,
        )
        for name in names
    ]


def combined(kinds: str, *missing: str, quorum: PlacesQuorum = "majority") -> Verdict:
    return combine(runs(kinds), Policy(places_quorum=quorum), NOW, absent=absent(*missing))


STORIES: tuple[tuple[str, tuple[str, ...], PlacesQuorum, Action, str], ...] = (
    ("well well", ("x",), "majority", GO, "well at all 2 places (a, b); x left out"),
    ("broken broken", ("x",), "majority", BACK, "at 2 of 2 places (a, b)"),
    ("ui ui", ("x",), "majority", FIX, "x left out"),
    ("well", ("x", "y"), "majority", UNKNOWN, "1 place left"),
    ("broken", ("x",), "majority", UNKNOWN, "1 place left"),
    ("well well", ("x", "y", "z"), "majority", UNKNOWN, "2 of 5 places gave a run that counts, and 3 must"),
    ("broken broken", ("x", "y", "z"), "majority", UNKNOWN, "x, y and z left out"),
    ("broken broken broken", ("x", "y"), "majority", BACK, "at 3 of 3 places"),
    ("well well", ("x",), "all", UNKNOWN, "2 of 3 places gave a run that counts, and 3 must"),
    ("well well", ("x",), 3, UNKNOWN, "2 of 3 places"),
    ("well well", ("x",), 2, GO, "well at all 2 places"),
    ("well well offline", ("x",), "majority", UNKNOWN, "2 of 4 places gave a run that counts, and 3 must"),
)


@pytest.mark.parametrize(("kinds", "missing", "quorum", "call", "words"), STORIES)
def test_a_place_without_a_run_is_left_out_and_the_quorum_is_of_all(
    kinds: str, missing: tuple[str, ...], quorum: PlacesQuorum, call: Action, words: str
) -> None:
    verdict = combined(kinds, *missing, quorum=quorum)

    assert (verdict.recommendation, verdict.exit_code) == (call, call.exit_code), verdict.headline
    assert words in verdict.headline
    assert [one.place for one in verdict.places if one.left_out == WHY] == [*missing]
    assert [one.place for one in verdict.places] == sorted(one.place for one in verdict.places)


def test_more_absent_places_never_make_a_call_that_fewer_did_not() -> None:
    names = "uvwxyz"
    for kinds in ("well well", "broken broken", "broken well well", "ui ui ui"):
        calls = [combined(kinds, *names[:count]).recommendation for count in range(1, len(names) + 1)]
        first = calls[0]
        assert all(call in {first, UNKNOWN} for call in calls), (kinds, calls)
        assert calls == sorted(calls, key=lambda call: call is UNKNOWN), (kinds, calls)
