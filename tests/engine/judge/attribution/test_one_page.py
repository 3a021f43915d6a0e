"""One page for every path, such as one of maintenance: no code of the release answered."""

from __future__ import annotations

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.outcomes import ONE_PAGE, ServerBroke, WrongAnswer, WrongFormat
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Action, FailureKind, Status
from tests.engine.checks.test_library import PAGE, Call, Measured, opened
from tests.engine.checks.test_past_cache import TITLE, cache_before, never
from tests.support.evidence_for import DATA, HEALTH, evidence, result

BACK_SOON = (200, PAGE, "<title>Back soon</title>")
NO_SUCH = (404, PAGE, "<title>Notes</title>")
CHECKS: dict[str, Call] = {
    "answers": lambda service, measure: library.answers(service, "/up", measure, no_page=True),
    "title": lambda service, measure: library.shows_title(service, "/up", "Notes", measure),
    "keys": lambda service, measure: library.has_keys(service, "/up", ("version",), measure),
    "rows": lambda service, measure: library.has_rows(service, "/up", measure),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_page_that_any_path_shows_is_named_as_such(check: str) -> None:
    with (
        cache_before(BACK_SOON, {}, never) as origin,
        pytest.raises(WrongAnswer, match="a path that does not exist shows as well"),
    ):
        CHECKS[check](opened(origin), Measured())


@pytest.mark.parametrize("others", [NO_SUCH, TITLE, (200, {}, "{}"), (503, PAGE, "<title>Back soon</title>")])
def test_a_page_of_one_path_is_that_path_s(others: tuple[int, dict[str, str], str]) -> None:
    stored = {"/up": BACK_SOON}
    with cache_before(others, stored, never, marks={}) as origin, pytest.raises(WrongFormat) as caught:
        CHECKS["answers"](opened(origin), Measured())
    assert ONE_PAGE not in str(caught.value)


def test_a_server_error_on_every_path_stays_one() -> None:
    with cache_before((503, PAGE, "<title>Back soon</title>"), {}, never) as origin:
        for check in CHECKS.values():
            with pytest.raises(ServerBroke):
                check(opened(origin), Measured())


def shown(item: str, message: str = f"an HTML page, {ONE_PAGE}", status: Status = Status.FAILED) -> Result:
    kind = FailureKind.WRONG_FORMAT if status is Status.FAILED else None
    sent = (Exchange("GET", "https://api.example.com/up", 200, 1.0),)
    return result(item, status, message, failure=kind, exchanges=sent)


def test_one_page_for_every_path_takes_no_release_back() -> None:
    verdict = decide(evidence(shown(HEALTH), shown(DATA)))

    assert verdict.recommendation is Action.INCONCLUSIVE
    assert "https://api.example.com shows one page for every path" in verdict.headline
    assert "see who shows that page" in verdict.next_step


@pytest.mark.parametrize("sign", [shown(DATA, "", Status.PASSED), shown(DATA, "GET /up lacks version")])
def test_a_service_that_shows_itself_anywhere_is_judged_by_its_pages(sign: Result) -> None:
    assert decide(evidence(shown(HEALTH), sign)).recommendation is Action.ROLL_BACK
