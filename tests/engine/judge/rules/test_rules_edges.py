"""Which rules speak of a number on each side of its line, and the sentences of the call around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules import measured as rules
from kamiyo_verify.judge.rules.beyond_code import NOT_BY_CODE, beyond_code
from kamiyo_verify.judge.rules.data_loss import COUNTS_ITEM, falls
from kamiyo_verify.judge.rules.effects import Blast, Slowdown, slower
from kamiyo_verify.judge.rules.finding import Finding, about_the_run, reason_about
from kamiyo_verify.judge.rules.held_back import held_back
from kamiyo_verify.judge.rules.not_on_release import not_on_the_release, release_not_shown
from kamiyo_verify.judge.rules.rules import objective_breached
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.model.circumstances import Before, Migrated
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status
from tests.engine.judge.rules.test_measured import (
    NOT_SEEN_AGAIN,
    SEEN_AGAIN,
    confirmed,
    drawn,
    errors,
    response_times,
)
from tests.support.evidence_for import (
    COMMIT,
    DATA,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    at,
    evidence,
    measured,
    result,
)

A = Action
MANY, SLOWER, PERSON = "errors_reach_many", "slower_by_far", "a_persons_call"
UNSEEN, WITHIN = "not_confirmed", "slower_within_objective"
RULES: dict[str, Callable[[Evidence], Finding | None]] = {
    name: getattr(rules, name) for name in (MANY, SLOWER, PERSON, UNSEEN, WITHIN)
}


def speaking(of: Evidence) -> set[str]:
    return {name for name, rule in RULES.items() if rule(attributed(of)) is not None}


def slowed(times: float, size: int, median: float) -> Evidence:
    return response_times(drawn(median * times, size), drawn(median, size, seed=2))


@pytest.mark.parametrize(
    ("of", "names"),
    [
        (errors(16, 80), {MANY}),
        (confirmed(errors(16, 80), ERRORS, SEEN_AGAIN), {MANY}),
        (confirmed(errors(16, 80), ERRORS, NOT_SEEN_AGAIN), {UNSEEN}),
        (errors(5, 80), {PERSON}),
        (confirmed(errors(5, 80), ERRORS, NOT_SEEN_AGAIN), {PERSON}),
        (errors(4, 250), set()),
        (errors(8, 150), {PERSON}),
        (errors(40, 800), set()),
        (errors(0, 250), set()),
        (errors(16, 80, (16, 80), Attribution.PRE_EXISTING), set()),
        (slowed(5.0, 80, 100), {SLOWER}),
        (confirmed(slowed(5.0, 80, 100), LATENCY, NOT_SEEN_AGAIN), {UNSEEN}),
        (slowed(2.0, 300, 124), {PERSON}),
        (slowed(2.0, 600, 80), {WITHIN}),
        (slowed(1.6, 80, 100), {WITHIN}),
        (slowed(1.3, 600, 100), set()),
        (slowed(1.3, 600, 380), set()),
        (slowed(1.0, 80, 100), set()),
        (slowed(0.5, 80, 200), set()),
        (evidence(), set()),
    ],
)
def test_a_number_is_spoken_of_by_the_rule_for_its_side_of_the_line(of: Evidence, names: set[str]) -> None:
    """5 % of 800 requests is on both sides of 5 %, and certainly under 10 %: no person is needed."""
    assert speaking(of) == names


def test_an_objective_without_numbers_hides_no_other() -> None:
    first = Slo(
        id="other", title="Other", kind="ratio", objective=0.01, item=HEALTH, measurement="bad", total="all"
    )
    tail = Slo(
        id="else",
        title="Else",
        kind="quantile",
        objective=500,
        unit="ms",
        item=HEALTH,
        measurement="x",
        quantile=0.5,
    )
    book = RUNBOOK.model_copy(update={"slos": (first, tail, *RUNBOOK.slos)})
    assert speaking(replace(errors(16, 80), runbook=book)) == {MANY}
    assert speaking(replace(slowed(5.0, 80, 100), runbook=book)) == {SLOWER}


def test_a_tail_that_is_slower_speaks_where_the_median_is_not() -> None:
    after = [70.0 if place % 8 else 4_000.0 for place in range(300)]
    of = response_times(after, drawn(80, 300, sigma=0.1))
    assert speaking(of) == {SLOWER}
    [reason] = rules.slower_by_far(attributed(of)).reasons  # type: ignore[union-attr]
    assert reason.message.startswith("p95 is ")


def test_an_effect_that_is_compared_with_before_has_no_unknown_past() -> None:
    [compared] = rules.slower_by_far(attributed(slowed(5.0, 80, 100))).reasons  # type: ignore[union-attr]
    assert compared.attribution is None
    [alone] = rules.errors_reach_many(attributed(errors(16, 80))).reasons  # type: ignore[union-attr]
    assert alone.attribution is Attribution.UNKNOWN
    older = errors(160, 800, (1, 80), Attribution.PRE_EXISTING)
    [more] = rules.errors_reach_many(attributed(older)).reasons  # type: ignore[union-attr]
    assert more.attribution is Attribution.PRE_EXISTING


def test_three_endpoints_are_named() -> None:
    sent = tuple(
        Exchange("GET", f"http://api/{path}", 500 if place < 4 else 200, 1.0)
        for path in "abcd"
        for place in range(20)
    )
    [reason] = rules.errors_reach_many(attributed(errors(16, 80, exchanges=sent))).reasons  # type: ignore[union-attr]
    assert reason.message.endswith("; by endpoint: GET /a 4 of 20, GET /b 4 of 20, GET /c 4 of 20")


@pytest.mark.parametrize(
    ("blast", "text"),
    [
        (Blast(2, 80, (0.005, 0.08)), "2 of 80 requests failed, which is 0.5 % to 8 % of all"),
        (
            Blast(1_200, 8_000, (-0.01, 0.02), (1, 80)),
            "1,200 of 8,000 requests failed, 1 of 80 before the deployment: 0 % to 2 % more of all",
        ),
    ],
)
def test_a_share_of_failing_requests_in_words(blast: Blast, text: str) -> None:
    assert str(blast) == text


@pytest.mark.parametrize(
    ("quantile", "interval", "shown", "text"),
    [
        (0.5, (1.0, 2.0), False, "the median is 1.50 times what it was before the deployment (1.00 to 2.00)"),
        (0.95, (1.01, None), True, "p95 is 1.50 times what it was before the deployment (1.01 to anything)"),
        (
            0.999,
            (None, 2.0),
            False,
            "p99.9 is 1.50 times what it was before the deployment (anything to 2.00)",
        ),
    ],
)
def test_a_slowdown_in_words(
    quantile: float, interval: tuple[float | None, float | None], text: str, *, shown: bool
) -> None:
    one = Slowdown(quantile, 1.5, 0.0, interval)
    assert (str(one), one.shown) == (text, shown)


def test_the_median_alone_has_no_tail_and_the_added_time_is_from_the_lower_end() -> None:
    after, before = [300.0] * 300, [100.0] * 300
    [only] = slower(0.5, after, before, 0.95, (EXACT, EXACT))
    assert only.ratio == pytest.approx(3.0, rel=1e-3)
    assert only.added == pytest.approx(100.0 * ((only.interval[0] or 0.0) - 1))
    median, tail = slower(0.95, after, before, 0.95, (EXACT, EXACT))
    assert (median, tail.ratio, tail.quantile) == (only, 3.0, 0.95)
    assert tail.added == pytest.approx(200.0)
    _, unknown = slower(0.95, [300.0] * 20, before, 0.95, (EXACT, EXACT))
    assert unknown.added == pytest.approx(200.0)
    _, nothing = slower(0.95, after, [0.0] * 300, 0.95, (EXACT, EXACT))
    assert (nothing.ratio, nothing.added, nothing.interval) == (float("inf"), 0.0, (None, None))


# Findings and sentences


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (result(HEALTH, attempts=(Attempt(PASSED, "note", at(0), 0.1),)), "passed"),
        (
            result(
                HEALTH,
                attempts=(
                    Attempt(PASSED, "note", at(0), 0.1),
                    Attempt(FAILED, "", at(1), 0.1),
                    Attempt(FAILED, "no rows", at(2), 0.1),
                    Attempt(FAILED, "no answer", at(3), 0.1),
                ),
            ),
            "passed, after a try that failed: no rows",
        ),
        (Result(HEALTH, RUNBOOK.items[2].phase, Status.UNVERIFIED), "unverified, with no reason given"),
    ],
)
def test_an_item_without_a_message_says_what_it_showed(one: Result, message: str) -> None:
    assert reason_about(evidence(one), one).message == message


def test_one_breached_objective_of_one_run_is_named_so() -> None:
    found = objective_breached(attributed(errors(4, 250)))
    assert found is not None
    assert (found.action, found.headline) == (A.FIX_FORWARD, "1 objective of this run breached")
    assert found.reasons[0].clause == "few users"
    both = evidence(measured(ERRORS, errors=40, requests=80), measured(LATENCY, response_times=(900.0,) * 80))
    found = objective_breached(attributed(both))
    assert found is not None
    assert found.headline == "2 objectives of this run breached"
    assert [one.clause for one in found.reasons] == ["", ""]
    assert objective_breached(attributed(evidence())) is None


def test_the_items_that_have_to_pass_are_those_of_the_policy_that_have_a_check() -> None:
    """Health, data, sign-in, payments and the hole; Sentry has no check."""
    assert decide(evidence()).confidence.startswith("high: 5 of 5 required items passed; ")


def back(*items: str) -> tuple[Finding, ...]:
    reasons = tuple(Reason(item, None, None, "", item) for item in items)
    return (Finding(A.ROLL_BACK, "it is broken", reasons), Finding(A.ROLL_BACK, "more", ()))


def test_a_schema_that_forbids_a_rollback_says_why_this_version_is_kept() -> None:
    grave = held_back(evidence(migrated=Migrated(grave=("a: DROP", "b: DROP"))), back(HEALTH))
    [found] = grave
    assert (found.action, found.kept) == (
        A.FIX_FORWARD,
        "the code that would come back cannot work on the schema as it is now",
    )
    assert found.headline == "it is broken; more; code must not go back: the schema was migrated since"
    assert [one.message for one in found.reasons] == [HEALTH, f"{found.kept}: a: DROP; b: DROP"]
    [unread] = held_back(evidence(migrated=Migrated(unread=("c",))), back(HEALTH))
    assert (unread.action, unread.kept) == (A.INCONCLUSIVE, "")
    assert "; a person's call: the schema was migrated since" in unread.headline
    fine = back(HEALTH)
    assert held_back(evidence(migrated=Migrated(safe=("d",))), fine) is fine
    forward = (Finding(A.FIX_FORWARD, "x", ()), *fine)
    assert held_back(evidence(migrated=Migrated(grave=("a",))), forward) is forward
    assert held_back(evidence(migrated=Migrated(grave=("a",))), ()) == ()


EXPIRED = "the certificate is not trusted: certificate has expired"


def test_a_rollback_is_replaced_only_where_every_ground_lies_before_the_service() -> None:
    problem = decide(evidence()).headline  # no problem at all
    assert problem
    sent = Exchange("GET", "https://api.example/health", None, 1.0, problem=EXPIRED)
    mine = result(HEALTH, FAILED, EXPIRED, failure=FailureKind.NO_ANSWER, exchanges=(sent,))
    of = evidence(mine, result(SIGN_IN, FAILED))
    both = back(HEALTH, SIGN_IN)
    assert beyond_code(of, both) is both
    named = back(HEALTH, "no item")
    assert beyond_code(of, named) is named
    other = (Finding(A.FIX_FORWARD, "x", ()), *back(HEALTH))
    assert beyond_code(of, other) is other
    assert beyond_code(of, ()) == ()
    assert NOT_BY_CODE


# Rows that are gone


@pytest.mark.parametrize(
    ("was", "now", "least"),
    [
        (100, 80, None),
        (100, 79, 80),
        (10, 8, None),
        (10, 7, 8),
        (1, 0, 1),
        (0, 0, None),
        (7, 5, 6),
        (7, 6, None),
    ],
)
def test_a_count_may_fall_by_a_fifth(was: int, now: int, least: int | None) -> None:
    """The policy's limit is 20 %: of 7 rows, 5.6 have to be left, so 6."""
    known = Before(
        run="r1", baseline=True, commit="", finished_at="", age_s=1.0, statuses={COUNTS_ITEM: PASSED}
    )
    of = evidence(
        result(DATA, measurements=(Measurement("health", now), Measurement("readiness", True))),
        before=known,
        baseline={DATA: (Measurement("health", was), Measurement("readiness", 9))},
    )
    assert [(one.measurement, one.was, one.now, one.least) for one in falls(of)] == (
        [] if least is None else [("health", was, now, least)]
    )
    if least:
        share = f"{1 - now / was:.0%}"
        assert str(falls(of)[0]) == f"health counts {now} where the baseline has {was} ({share} gone)"
    failed = replace(of, before=replace(known, statuses={COUNTS_ITEM: FAILED}))
    assert falls(failed) == ()
    assert falls(replace(of, before=None)) == ()


# Services that do not run the release

NEW, OLD = "9c41d07a2b8e" + "0" * 28, "3b0cca2a2b8e" + "1" * 28


@pytest.mark.parametrize(
    ("taken", "text"),
    [
        ({"frontend_commit": OLD}, f"kamiyo-frontend runs {OLD[:12]} where {NEW[:12]} was expected"),
        (
            {"frontend_commit": OLD, "frontend_expected": "77aa77a" + "2" * 33},
            f"kamiyo-frontend runs {OLD[:12]} where 77aa77a22222 was expected",
        ),
        (
            {"frontend_commit": OLD, "frontend_expected": OLD, "frontend_switching": "dep-2 is building"},
            f"kamiyo-frontend still runs {OLD[:12]}: dep-2 is building",
        ),
        ({"frontend_switching": "dep-2 is building"}, "kamiyo-frontend runs nothing yet: dep-2 is building"),
        ({"frontend_unread": "no header"}, "kamiyo-frontend does not tell which commit it runs: no header"),
    ],
)
def test_what_a_service_runs_in_place_of_the_release(taken: dict[str, Any], text: str) -> None:
    values = {"api_commit": NEW, **taken}
    one = result(
        COMMIT, FAILED, measurements=tuple(Measurement(name, value) for name, value in values.items())
    )
    found = not_on_the_release(attributed(evidence(one, commit=NEW)))
    assert found is not None
    assert [reason.message for reason in found.reasons] == [text]
    switching = "switching" in text or "building" in text
    assert found.headline == (
        "kamiyo-frontend has not switched to this deploy yet"
        if switching
        else "nothing was verified about this deploy on kamiyo-frontend"
    )


def test_an_error_is_no_failure_that_a_clause_forbids_to_take_back() -> None:
    one = result(HEALTH, ERROR, "502")
    assert reason_about(evidence(one), one).clause == ""
    assert about_the_run("a", "b").action is A.INCONCLUSIVE


def test_a_commit_that_nothing_shows_is_named_with_twelve_characters() -> None:
    items = tuple(one for one in RUNBOOK.items if one.id != COMMIT)
    whole = evidence(commit=NEW)
    of = replace(
        whole,
        runbook=RUNBOOK.model_copy(update={"items": items}),
        results=tuple(one for one in whole.results if one.item != COMMIT),
        expected=tuple(one for one in whole.expected if one != COMMIT),
    )
    found = release_not_shown(of)
    assert found is not None
    assert found.headline == "nothing shows that the commit of --commit answers"
    assert [one.message for one in found.reasons] == [
        f"no item that passed has read that a service runs {NEW[:12]}"
    ]
    shown = result(HEALTH, measurements=(Measurement("api_commit", NEW[:9]),))
    assert release_not_shown(replace(of, results=(shown,))) is None
    other = result(HEALTH, measurements=(Measurement("api_commit", OLD), Measurement("other", NEW)))
    assert release_not_shown(replace(of, results=(other,))) is not None
    assert release_not_shown(replace(of, commit="")) is None
    assert release_not_shown(replace(of, records_baseline=True)) is None
    assert release_not_shown(whole) is None
