"""What is broken, in the words of the report's first line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.failures import failure_by, unanswered, whole_service_silent
from kamiyo_verify.judge.causes import cause_title, causes
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.chart_data import picture
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Exchange, Result
from kamiyo_verify.model.words import FailureKind
from kamiyo_verify.reporting import html, words
from tests.support.evidence_for import (
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    LEAK,
    PASSED,
    SIGN_IN,
    at,
    evidence,
    looks,
    result,
    share,
)

API = "https://api.example"
K = FailureKind


def sent(status: int | None, path: str = "/health", **more: Any) -> Exchange:
    return Exchange("GET", f"{API}{path}", status, 5.0, problem="" if status else "refused", **more)


def tries(pattern: str) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(FAILED if one == "F" else PASSED, "it broke", at(number), 0.1)
        for number, one in enumerate(pattern)
    )


def failed(kind: FailureKind, *exchanges: Exchange, **more: Any) -> Result:
    return result(
        HEALTH, FAILED, "it broke: see the log; then more", failure=kind, exchanges=exchanges, **more
    )


def sampled(pattern: str) -> Confirmation:
    return Confirmation(at(0), share=share(pattern))


@pytest.mark.parametrize(
    ("one", "title"),
    [
        (failed(K.NO_ANSWER, sent(None)), f"{API} does not answer"),
        (failed(K.SERVER_ERROR, sent(200), sent(503)), "GET /health answers 503"),
        (failed(K.WRONG_STATUS, sent(404)), "GET /health answers 404"),
        (failed(K.WRONG_STATUS, sent(404, "")), "GET / answers 404"),
        (failed(K.WRONG_FORMAT, sent(200)), "GET /health answers in a format that cannot be read"),
        (failed(K.SERVER_ERROR, sent(500), attempts=tries("FFF")), "GET /health answers 500 in every try"),
        (failed(K.SERVER_ERROR, sent(500), attempts=tries("FPF")), "GET /health answers 500"),
        (failed(K.SERVER_ERROR, sent(500), attempts=tries("F")), "GET /health answers 500"),
        (
            failed(
                K.SERVER_ERROR, sent(500), attempts=tries("F"), confirmation=Confirmation(at(0), looks("F"))
            ),
            "GET /health answers 500 in every try",
        ),
        (
            failed(
                K.SERVER_ERROR, sent(500), attempts=tries("FF"), confirmation=Confirmation(at(0), looks("P"))
            ),
            "GET /health answers 500",
        ),
        (
            failed(K.SERVER_ERROR, sent(500), attempts=tries("FFF"), confirmation=sampled("SSSS")),
            "GET /health answers 500",
        ),
        (
            failed(K.WRONG_FORMAT, sent(200), attempts=tries("FFF"), confirmation=sampled("SSSS")),
            "GET /health answers in a format that cannot be read",
        ),
        (
            failed(K.SERVER_ERROR, sent(500), attempts=tries("FFF"), confirmation=sampled("FFFF")),
            "GET /health answers 500 in every try",
        ),
        (
            failed(K.SERVER_ERROR, sent(500), confirmation=sampled("FSSF")),
            "GET /api/auth/csrf fails in 2 of 4 requests",
        ),
        (
            failed(K.SERVER_ERROR, sent(500), confirmation=sampled("FSSS")),
            "GET /api/auth/csrf fails in 1 of 4 requests",
        ),
        (failed(K.SERVER_ERROR, sent(500), confirmation=sampled("FFFF")), "GET /health answers 500"),
        (failed(K.SERVER_ERROR, sent(500), confirmation=sampled("SSSS")), "GET /health answers 500"),
        (failed(K.CREDENTIAL_REFUSED, refusal=Refusal("KEY", RefusalKind.PASSWORD)), "KEY is refused"),
        (replace(failed(K.WRONG_CONTENT, sent(200)), message="no rows\x1b in it"), "no rows in it"),
    ],
)
def test_a_cause_says_what_is_broken_and_how_often(one: Result, title: str) -> None:
    assert cause_title(evidence(one), one) == title


def test_the_status_of_a_try_that_passed_is_not_that_of_the_failure() -> None:
    one = failed(K.SERVER_ERROR, sent(401), attempts=tries("FP"), confirmation=sampled("FSSF"))
    assert causes(evidence(one), (Reason(HEALTH, None, None, "", ""),))[0].status is None


STATE = "./deployctl state --json"


def ran(problem: str) -> Exchange:
    return Exchange("RUN", STATE, None, 340.0, problem=problem, at=at(2))


@pytest.mark.parametrize(
    ("problem", "ending"),
    [
        ("exit 1", "ended with exit code 1"),
        ("exit -9", "ended with exit code -9"),
        ("ended with exit code 137", "ended with exit code 137"),
        ("was ended by SIGKILL", "was ended by SIGKILL"),
    ],
)
@pytest.mark.parametrize("item", [HEALTH, DATA, SIGN_IN, LEAK])
def test_a_command_that_failed_reads_as_a_command_everywhere(problem: str, ending: str, item: str) -> None:
    """Neither a cause, nor an exchange, nor a count of them speaks of it as of a request."""
    one = result(item, FAILED, exchanges=(ran(problem), ran("")), failure=failure_by(ran(problem)))
    of = evidence(one)
    verdict = decide(of)

    assert one.failure is K.COMMAND_FAILED
    assert verdict.causes[0].title == f"`{STATE}` {ending}"
    sent_of = picture(of, verdict).sent[item]
    assert words.exchange(sent_of.shown[0]) == f"`{STATE}` {ending} in 340 ms"
    assert words.requests(sent_of) == "2 commands: 1 × failed, 1 × done"
    page = "".join(html.fragments(verdict, picture(of, verdict)))
    for text in (page, verdict.headline, *(cause.title for cause in verdict.causes)):
        assert "does not answer" not in text
        assert "no answer" not in text
        assert "RUN ./deployctl" not in text


def test_what_was_not_asked_any_more_is_told_by_its_service_or_its_path() -> None:
    hung = f"{API}/orders did not answer in 3 s, twice; it was not asked again"
    path = replace(failed(K.NO_ANSWER), message=hung)
    others = result(DATA, exchanges=(sent(200, "/x"),))
    assert cause_title(evidence(path), path) == f"{API} does not answer"
    assert cause_title(evidence(path, others), path) == f"{API}/orders did not answer in 3 s, twice"


def test_an_endpoint_without_an_answer_is_no_silent_service() -> None:
    cut = failed(K.NO_ANSWER, sent(None), attempts=tries("FFF"))
    others = result(DATA, exchanges=(sent(200, "/orders"),))
    assert cause_title(evidence(cut, others), cut) == "GET /health gets no whole answer in any try"
    some = replace(cut, attempts=tries("FPF"))
    assert cause_title(evidence(some, others), some) == "GET /health gets no whole answer"


def test_what_did_not_answer_is_a_request_and_never_a_command_beside_it() -> None:
    silent = failed(K.NO_ANSWER, ran(""), sent(None), ran("exit 1"))
    assert cause_title(evidence(silent), silent) == f"{API} does not answer"
    only = replace(failed(K.NO_ANSWER, ran("exit 1")), message="it told nothing")
    assert cause_title(evidence(only), only) == "it told nothing"


def test_a_command_proves_no_damaged_data_and_no_outage_of_a_service() -> None:
    one = failed(K.COMMAND_FAILED, ran("exit 1"))
    assert not whole_service_silent(evidence(one), one)
    assert not unanswered(ran("exit 1"))
    data = result(DATA, FAILED, failure=K.COMMAND_FAILED, exchanges=(ran("exit 1"),), attempts=tries("FFF"))
    assert "data is" not in decide(evidence(data)).headline


def test_the_exchanges_of_several_kinds_are_counted_as_calls() -> None:
    sql = Exchange("SQL", "select 1", None, 3.0, problem="the table is not there")
    of = evidence(result(HEALTH, exchanges=(ran(""), sent(200), sql)))
    told = words.requests(picture(of, decide(of)).sent[HEALTH])
    assert told == "3 calls: 1 × done, 1 × 200, 1 × failed"


def test_a_cause_ends_where_its_first_clause_does() -> None:
    told = cause_title(evidence(), failed(K.WRONG_CONTENT, sent(200)))
    assert told
    assert "then more" not in told


def test_a_long_cause_is_cut_and_an_empty_one_is_the_items_title() -> None:
    long = replace(failed(K.WRONG_CONTENT), message="word " * 80)
    assert cause_title(evidence(), long).endswith(" …")
    blank = replace(failed(K.WRONG_CONTENT), message="\x00")
    assert cause_title(evidence(), blank) == f"{HEALTH} is well"


def test_items_of_one_cause_stand_together_and_the_calls_reasons_first() -> None:
    down: dict[str, Any] = {"failure": K.NO_ANSWER, "exchanges": (sent(None, at=at(3), request_id="r1"),)}
    of = evidence(
        result(HEALTH, FAILED, **down),
        result(DATA, ERROR, **down),
        result(SIGN_IN, FAILED, "wrong page", started_at=at(9)),
        result(LEAK, ERROR, "not looked at"),
    )
    reasons = (
        Reason(SIGN_IN, None, None, "", ""),
        Reason(HEALTH, None, None, "", ""),
        Reason(DATA, None, None, "", ""),
    )
    first, second = causes(of, reasons)
    assert (first.title, first.items, first.status, first.at) == ("wrong page", (SIGN_IN,), None, at(9))
    assert (second.items, second.request_id, second.at) == ((HEALTH, DATA), "r1", at(3))


def test_an_item_that_was_not_measured_is_a_cause_only_where_it_is_a_reason() -> None:
    of = evidence(result(HEALTH, ERROR, "timed out"), result(SIGN_IN, FAILED, "wrong page"))
    assert [one.items for one in causes(of, ())] == [(SIGN_IN,)]
    assert {one.title for one in decide(of).causes} == {"wrong page"}


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("answered without a key: /admin/slow-queries", 200),
        ("answered without a key: GET /admin/slow-queries, 3 rows", 200),
        ("/admin/slow-queries-of-old and /v1/admin/slow-queries are others", 404),
        ("answered without a key", 404),
    ],
)
def test_the_exchange_of_a_cause_is_the_one_that_its_message_names(message: str, status: int) -> None:
    """A check may send others after it, such as one to a path that cannot exist, to compare."""
    found = result(
        LEAK,
        FAILED,
        message,
        failure=K.WRONG_CONTENT,
        exchanges=(sent(200, "/"), sent(200, "/admin/slow-queries"), sent(404, "/no-such-path")),
    )
    (cause,) = causes(evidence(found), ())
    assert cause.status == status
