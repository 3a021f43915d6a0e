"""What an exception says of the platform, of the runner, or of nobody; and whether another try tells more."""

from __future__ import annotations

import pytest

from plugins.clients.control import ControlResult
from plugins.clock import OutOfTime
from plugins.model.outcomes import NoAnswer, NoAnswerKind, NotApplicable, Unverified, WrongAnswer
from plugins.model.words import Attribution, Impact, Status
from plugins.outcome import Outcome, outcome_of


def online() -> ControlResult:
    return ControlResult(ok=True, message="https://other.example answers", by_name=True)


def offline() -> ControlResult:
    return ControlResult(ok=False, message="https://other.example does not answer either")


def never_asked() -> ControlResult:
    raise AssertionError("the network was asked without need")


def judged(error: BaseException, impact: Impact = Impact.CORE) -> Outcome:
    return outcome_of(error, impact, never_asked)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            AssertionError("500 where 200 was expected\nassert 500 == 200"),
            Status.FAILED,
            "500 where 200 was expected",
        ),
        (
            AssertionError("assert 500 == 200\n +  where 500 = <Answer>.status"),
            Status.FAILED,
            "assert 500 == 200",
        ),
        (AssertionError(), Status.FAILED, "an assertion without a message failed"),
        (WrongAnswer("no field\n  data"), Status.FAILED, "no field data"),
        (Unverified("no account"), Status.UNVERIFIED, "no account"),
        (NotApplicable("no payments"), Status.NOT_APPLICABLE, "no payments"),
        (OutOfTime("over"), Status.ERROR, "over"),
    ],
)
def test_each_exception_has_its_status(error: BaseException, status: Status, message: str) -> None:
    outcome = judged(error)

    assert (outcome.status, outcome.message) == (status, message)


def test_whatever_else_is_raised_is_our_own_fault_and_is_placed() -> None:
    try:
        dict[str, int]()["key"]
    except KeyError as error:
        outcome = judged(error)

    assert outcome.status is Status.ERROR
    assert outcome.attribution is Attribution.PROBER
    assert outcome.message.startswith("the check itself broke: KeyError: 'key' (test_plugin_outcomes.py:")


def test_pytests_own_outcomes_are_understood() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        pytest.fail("DID NOT RAISE")
    with pytest.raises(pytest.skip.Exception) as skipped:
        pytest.skip("not today")

    assert judged(failed.value).status is Status.FAILED
    assert judged(skipped.value) == Outcome(Status.UNVERIFIED, "not today")


@pytest.mark.parametrize("kind", list(NoAnswerKind))
def test_silence_is_the_platforms_only_where_others_answer(kind: NoAnswerKind) -> None:
    error = NoAnswer(kind, "GET /health: nothing came.", "https://api.example")
    ours = {NoAnswerKind.RATE_LIMITED, NoAnswerKind.CREDENTIAL, NoAnswerKind.BROWSER}
    answered = kind in ours | {NoAnswerKind.UNUSABLE}
    there = outcome_of(error, Impact.CORE, online)
    here = outcome_of(error, Impact.CORE, offline)

    assert here.status is Status.ERROR
    assert there.status is (Status.ERROR if answered else Status.FAILED)
    if not answered:
        assert "https://other.example answers: it is https://api.example that does not" in there.message
        assert "check the network of this machine" in here.message
        assert here.attribution is Attribution.PROBER
        assert there.repeatable
        assert not here.repeatable


def test_the_network_is_asked_only_where_no_answer_came() -> None:
    assert judged(NoAnswer(NoAnswerKind.RATE_LIMITED, "wait")).attribution is Attribution.PROBER


@pytest.mark.parametrize("impact", list(Impact))
def test_a_failure_of_data_or_security_is_final_and_any_other_is_confirmed(impact: Impact) -> None:
    final = impact in {Impact.DATA, Impact.SECURITY}

    assert judged(AssertionError("gone"), impact).repeatable is not final
    assert judged(NoAnswer(NoAnswerKind.UNUSABLE, "502"), impact).repeatable


def test_a_message_is_one_bounded_line() -> None:
    message = judged(AssertionError("line\n" * 1000)).message

    assert "\n" not in message
    assert len(message) <= 600


def test_an_unknown_name_is_ours_where_nobody_had_to_find_another() -> None:
    error = NoAnswer(NoAnswerKind.NAME, "https://api.example cannot be found", "https://api.example")
    found = outcome_of(error, Impact.CORE, lambda: ControlResult(ok=True, message="http://127.0.0.1 answers"))

    assert (found.status, found.attribution) == (Status.ERROR, Attribution.PROBER)
    assert "check the DNS of this machine" in found.message
