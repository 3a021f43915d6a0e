"""What an exception says of the platform, of the runner, or of nobody; and whether another try tells more."""

from __future__ import annotations

import pytest

from kamiyo_verify.hooks.clock import OutOfTime
from kamiyo_verify.hooks.outcome import Outcome, failure_seen, outcome_of
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.outcomes import (
    NoAnswer,
    NoAnswerKind,
    NotApplicable,
    Refused,
    ServerBroke,
    Unverified,
    WrongAnswer,
    WrongFormat,
    WrongStatus,
)
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.words import Attribution, FailureKind, Status
from tests.support.toy_project import FIXTURES, Toy

pytest_plugins = ["pytester"]


def online() -> ControlResult:
    return ControlResult(ok=True, message="https://other.example answers", by_name=True)


def offline() -> ControlResult:
    return ControlResult(ok=False, message="https://other.example does not answer either")


def unused_control() -> ControlResult:
    raise AssertionError("the network was asked without need")


def judged(error: BaseException, *, proven_at_once: bool = False) -> Outcome:
    return outcome_of(error, unused_control, proven_at_once=proven_at_once)


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
        (
            AssertionError(f"{ {'health': 0, 'ready': 12} } differ\nassert False"),
            Status.FAILED,
            "health: 0, ready: 12 differ",
        ),
        (WrongAnswer(f"the rows are {['a', 'b']}"), Status.FAILED, "the rows are a, b"),
        (Unverified("not set: {}"), Status.UNVERIFIED, "not set: nothing"),
        (
            WrongAnswer('answered 500: {"detail": "it broke"}'),
            Status.FAILED,
            'answered 500: {"detail": "it broke"}',
        ),
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
    assert outcome.message.startswith("the check itself broke: KeyError: 'key' (test_outcomes.py:")


def test_pytests_own_outcomes_are_understood() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        pytest.fail("DID NOT RAISE")
    with pytest.raises(pytest.skip.Exception) as skipped:
        pytest.skip("not today")

    assert judged(failed.value).status is Status.FAILED
    assert judged(skipped.value) == Outcome(Status.UNVERIFIED, "not today")


LACKS = {
    NoAnswerKind.NAME: "whose name cannot be resolved",
    NoAnswerKind.TLS: "to which no connection over TLS can be made",
    NoAnswerKind.CUT: "that gives no whole answer",
}


@pytest.mark.parametrize("kind", list(NoAnswerKind))
def test_silence_is_the_platforms_only_where_others_answer(kind: NoAnswerKind) -> None:
    error = NoAnswer(kind, "GET /health: nothing came.", "https://api.example")
    ours = {*(NoAnswerKind.RATE_LIMITED, NoAnswerKind.CHALLENGED, NoAnswerKind.CREDENTIAL)}
    ours |= {NoAnswerKind.LOCAL, NoAnswerKind.BROWSER, NoAnswerKind.COMMAND}
    answered = kind in ours | {NoAnswerKind.UNUSABLE}
    there = outcome_of(error, online)
    here = outcome_of(error, offline)

    assert here.status is Status.ERROR
    assert there.status is (Status.ERROR if answered else Status.FAILED)
    if not answered:
        assert "https://other.example answers: it is https://api.example " in there.message
        assert there.message.endswith(LACKS.get(kind, "that does not answer"))
        assert "not known whether it is the network of this machine" in here.message
        assert here.attribution is Attribution.UNKNOWN
        assert there.repeatable
        assert here.repeatable


def test_the_network_is_asked_only_where_no_answer_came() -> None:
    assert judged(NoAnswer(NoAnswerKind.RATE_LIMITED, "wait")).attribution is Attribution.PROBER


@pytest.mark.parametrize("at_once", [True, False])
def test_what_content_proves_is_final_and_any_other_failure_is_confirmed(*, at_once: bool) -> None:
    assert judged(AssertionError("gone"), proven_at_once=at_once).repeatable is not at_once
    assert judged(ServerBroke("500"), proven_at_once=at_once).repeatable
    assert judged(NoAnswer(NoAnswerKind.UNUSABLE, "502"), proven_at_once=at_once).repeatable


def test_a_message_is_one_bounded_line() -> None:
    message = judged(AssertionError("line\n" * 1000)).message

    assert "\n" not in message
    assert len(message) <= 600


def test_an_unknown_name_is_nobodys_where_no_other_name_was_resolved() -> None:
    error = NoAnswer(NoAnswerKind.NAME, "https://api.example cannot be found", "https://api.example")
    found = outcome_of(error, lambda: ControlResult(ok=True, message="http://127.0.0.1 answers"))

    assert (found.status, found.attribution) == (Status.ERROR, Attribution.UNKNOWN)
    assert "not known whether names are resolved on this machine" in found.message


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ServerBroke("500"), FailureKind.SERVER_ERROR),
        (WrongFormat("HTML"), FailureKind.WRONG_FORMAT),
        (WrongStatus("404"), FailureKind.WRONG_STATUS),
        (Refused("401", "KEY", RefusalKind.UNAUTHORIZED), FailureKind.CREDENTIAL_REFUSED),
        (WrongAnswer("0 rows"), None),
        (AssertionError("0 rows"), None),
    ],
)
def test_a_wrong_answer_says_how_it_is_wrong(error: BaseException, failure: FailureKind | None) -> None:
    outcome = judged(error)

    assert (outcome.status, outcome.failure) == (Status.FAILED, failure)


def test_a_refused_credential_is_named_by_its_variable() -> None:
    refusal = Refusal("RENDER_API_KEY", RefusalKind.UNAUTHORIZED)

    assert judged(Refused("401", "RENDER_API_KEY", RefusalKind.UNAUTHORIZED)).refusal == refusal
    silent = judged(NoAnswer(NoAnswerKind.CREDENTIAL, "401", refusal=refusal))
    assert (silent.refusal, silent.attribution) == (refusal, Attribution.PROBER)


@pytest.mark.parametrize(
    ("last", "failure"),
    [
        (None, FailureKind.WRONG_CONTENT),
        (Exchange("GET", "http://x/", 200, 1.0), FailureKind.WRONG_CONTENT),
        (Exchange("GET", "http://x/", 503, 1.0), FailureKind.SERVER_ERROR),
        (Exchange("GET", "http://x/", None, 1.0, problem="refused"), FailureKind.NO_ANSWER),
        (Exchange("SQL", "db:5432", None, 1.0), FailureKind.WRONG_CONTENT),
    ],
)
def test_a_plain_assertion_fails_as_its_last_exchange_does(
    last: Exchange | None, failure: FailureKind
) -> None:
    assert failure_seen(judged(AssertionError("wrong")), last) is failure


NOT_OF_THE_CHECK = {
    "a fixture of the check's own file": (
        "@pytest.fixture\ndef rows():\n    assert 1 == 2, 'gone'\n",
        "rows",
        "...",
    ),
    "a fixture of a plugin": ("", "broken_fixture", "..."),
    "a function of a plugin": ("", "broken_function", "broken_function()"),
    "a library": ("import unittest.mock\n", "", "unittest.mock.Mock().assert_called()"),
    "a clean-up": ("@pytest.fixture\ndef rows():\n    yield\n    assert 1 == 2, 'left'\n", "rows", "..."),
}


@pytest.mark.parametrize("where", NOT_OF_THE_CHECK)
def test_an_assertion_that_is_not_the_checks_own_is_our_error(toy: Toy, where: str) -> None:
    before, fixture, body = NOT_OF_THE_CHECK[where]
    toy.items({"postdeploy.data": "data"})
    more = (
        "\n\n@pytest.fixture\ndef broken_fixture():\n    assert 1 == 2, 'ours'\n"
        "\n\n@pytest.fixture\ndef broken_function():\n    def call():\n        assert 1 == 2, 'ours'\n"
        "    return call\n"
    )
    toy.write("toy_fixtures.py", FIXTURES + more)
    toy.check(
        "postdeploy/test_a.py",
        f'{before}\n@pytest.mark.item("postdeploy.data")\ndef test_data({fixture}): {body}',
    )
    ran = toy.run("-m", "postdeploy")

    assert (ran.code, ran.statuses) == (30, {"postdeploy.data": "error"}), ran.out
    assert "the check itself broke: AssertionError" in ran.message("postdeploy.data")


@pytest.mark.parametrize("body", ["assert 1 == 2", "pytest.fail('gone')", "helper()"])
def test_an_assertion_of_the_check_is_a_failure(toy: Toy, body: str) -> None:
    toy.items({"postdeploy.data": "data"})
    toy.check(
        "postdeploy/test_a.py",
        "def helper():\n    raise AssertionError('gone')\n"
        f'@pytest.mark.item("postdeploy.data")\ndef test_data(): {body}',
    )

    assert toy.run("-m", "postdeploy").statuses == {"postdeploy.data": "failed"}
