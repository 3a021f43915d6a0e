"""Each service is judged against the commit that it should run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rollback.serving import Expected, Serves, expected_commit, serving
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.words import Action
from tests.support.evidence_for import (
    COMMIT,
    DATA,
    FAILED,
    HEALTH,
    LIVE,
    PASSED,
    SIGN_IN,
    evidence,
    result,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
NEW, OLD, OTHER = "9c41d07" + "0" * 33, "3b0cca2" + "1" * 33, "77aa77a" + "2" * 33
S = DeployStatus


def state(*rows: tuple[str, DeployStatus], service: str = "frontend") -> ServiceState:
    deploys = tuple(
        Deploy(
            id=f"dep-{service}-{len(rows) - hours}",
            commit=DeployedCommit(id=commit),
            status=status,
            created_at=NOW - timedelta(hours=hours),
        )
        for hours, (commit, status) in enumerate(rows)
    )
    return ServiceState(
        service=service,
        id=f"srv-{service}",
        name=f"kamiyo-{service}",
        dashboard="https://dashboard.example",
        api="https://api.example",
        auto_deploy=True,
        suspended=False,
        deploys=deploys,
    )


IGNORED = "stays as it is: the host ignored this commit"


@pytest.mark.parametrize(
    ("release", "of", "stays", "expected"),
    [
        (NEW, None, "", Expected(NEW)),
        (NEW, state((NEW, S.LIVE), (OLD, S.DEACTIVATED)), "", Expected(NEW)),
        (NEW, state((OLD, S.LIVE)), "", Expected(NEW)),
        (NEW, state((OLD, S.LIVE)), IGNORED, Expected(OLD, stays=IGNORED)),
        (
            NEW,
            state((NEW, S.BUILD_IN_PROGRESS), (OLD, S.LIVE)),
            "",
            Expected(OLD, switching="dep-frontend-2 is build in progress"),
        ),
        (NEW, state((NEW, S.BUILD_FAILED), (OLD, S.LIVE)), "", Expected(NEW)),
        (NEW, state((OTHER, S.LIVE), (NEW, S.DEACTIVATED)), "", Expected(NEW)),
        (NEW, state((NEW, S.UPDATE_IN_PROGRESS), (NEW, S.LIVE)), "", Expected(NEW)),
        (NEW[:7], state((NEW, S.LIVE)), "", Expected(NEW[:7])),
        ("", state((OLD, S.LIVE)), "", Expected(OLD)),
        ("", state(), "", Expected("")),
    ],
)
def test_the_commit_that_a_service_should_run(
    release: str, of: ServiceState | None, stays: str, expected: Expected
) -> None:
    assert expected_commit(release, of, stays) == expected


def compared(status: object = FAILED, **values: str) -> Result:
    """The item that compares commits, with these measurements."""
    assert status in {PASSED, FAILED}
    taken = tuple(Measurement(name, value) for name, value in values.items())
    return result(COMMIT, PASSED if status is PASSED else FAILED, measurements=taken)


@pytest.mark.parametrize(
    ("release", "values", "serves"),
    [
        (NEW, {"web_commit": NEW}, Serves.RELEASE),
        (NEW[:7], {"web_commit": NEW}, Serves.RELEASE),
        (NEW, {"web_commit": OLD}, Serves.ANOTHER),
        (NEW, {"web_commit": OLD, "web_expected": NEW}, Serves.ANOTHER),
        (NEW, {"web_commit": OLD, "web_expected": OLD, "web_stays": IGNORED}, Serves.STAYS),
        (NEW, {"web_commit": OTHER, "web_expected": OLD, "web_stays": IGNORED}, Serves.ANOTHER),
        (NEW, {"web_commit": OLD, "web_expected": OLD, "web_switching": "dep-1"}, Serves.SWITCHING),
        (NEW, {"web_commit": NEW, "web_expected": OLD, "web_switching": "dep-1"}, Serves.RELEASE),
        (NEW, {"web_unread": "no header"}, Serves.UNREAD),
        (NEW, {"web_silent": "no answer"}, Serves.RELEASE),
        ("", {"web_commit": OLD, "web_expected": OLD}, Serves.RELEASE),
        ("", {"web_commit": OLD, "web_expected": NEW}, Serves.ANOTHER),
        ("", {"web_commit": OLD}, Serves.RELEASE),
    ],
)
def test_what_a_service_runs_is_read_from_what_was_measured(
    release: str, values: dict[str, str], serves: Serves
) -> None:
    assert serving(compared(**values), release) == {"web": serves}


API_NEW = {"api_commit": NEW, "api_expected": NEW}
API_OLD = {"api_commit": OLD, "api_expected": NEW}
STAYS = {"frontend_commit": OLD, "frontend_expected": OLD, "frontend_stays": IGNORED}
SWITCHING = {"frontend_commit": OLD, "frontend_expected": OLD, "frontend_switching": "dep-1 is building"}
ANOTHER = {"frontend_commit": OTHER, "frontend_expected": NEW}
UNREAD = {"frontend_unread": "the header X-Commit says nothing"}

ROLL_BACK, FIX_FORWARD = Action.ROLL_BACK, Action.FIX_FORWARD
PROCEED, INCONCLUSIVE = Action.PROCEED, Action.INCONCLUSIVE

STORIES: dict[str, tuple[dict[str, str], object, tuple[str, ...], Action, list[str]]] = {
    "the commit touches the API alone, all well": (STAYS, PASSED, (), PROCEED, []),
    "… and the API is broken": (STAYS, PASSED, (HEALTH,), ROLL_BACK, ["kamiyo-api"]),
    "… and the frontend fails by it": (STAYS, PASSED, (SIGN_IN,), ROLL_BACK, ["kamiyo-api"]),
    "… and a lesser thing fails": (STAYS, PASSED, (LIVE,), FIX_FORWARD, []),
    "the frontend has not switched yet, all well": (SWITCHING, PASSED, (), INCONCLUSIVE, []),
    "… and the new API is broken": (SWITCHING, PASSED, (HEALTH,), ROLL_BACK, ["kamiyo-api"]),
    "… and the old frontend fails": (SWITCHING, PASSED, (SIGN_IN,), INCONCLUSIVE, []),
    "the frontend has not switched, and a lesser thing fails": (SWITCHING, PASSED, (LIVE,), INCONCLUSIVE, []),
    "the frontend runs another commit, all else well": (ANOTHER, FAILED, (), INCONCLUSIVE, []),
    "… and the new API is broken, too": (ANOTHER, FAILED, (HEALTH,), ROLL_BACK, ["kamiyo-api"]),
    "… and the frontend is broken": (ANOTHER, FAILED, (SIGN_IN,), INCONCLUSIVE, []),
    "… and the data is damaged": (ANOTHER, FAILED, (DATA,), ROLL_BACK, ["kamiyo-api"]),
    "nothing tells the frontend's commit": (UNREAD, FAILED, (), INCONCLUSIVE, []),
    "… and the API is broken as well": (UNREAD, FAILED, (HEALTH,), ROLL_BACK, ["kamiyo-api"]),
}


@pytest.mark.parametrize(("number", "case"), list(enumerate(STORIES)))
def test_each_service_is_judged_by_itself(number: int, case: str) -> None:
    values, status, failed, action, back = list(STORIES.values())[number]
    hosted = (
        state((NEW, S.LIVE), (OLD, S.DEACTIVATED), service="api"),
        state((OLD, S.LIVE), (OTHER, S.DEACTIVATED)),
    )
    verdict = decide(
        evidence(
            compared(status, **API_NEW, **values),
            *(result(item, FAILED) for item in failed),
            commit=NEW,
            hosted=hosted,
        )
    )
    assert verdict.recommendation is action, case
    assert [step.service for step in verdict.rollback.services] == back


def test_where_no_service_runs_the_release_nothing_is_said_of_it() -> None:
    of = evidence(compared(**API_OLD, **ANOTHER), result(HEALTH, FAILED), commit=NEW)
    verdict = decide(of)
    assert verdict.recommendation is INCONCLUSIVE
    assert verdict.headline == "nothing was verified about this deploy"


def test_the_service_that_is_not_on_the_release_is_named() -> None:
    for values, told in (
        (ANOTHER, "nothing was verified about this deploy on kamiyo-frontend"),
        (SWITCHING, "kamiyo-frontend has not switched to this deploy yet"),
    ):
        status = PASSED if values is SWITCHING else FAILED
        verdict = decide(evidence(compared(status, **API_NEW, **values), commit=NEW))
        assert told in verdict.headline


def test_what_failed_on_a_service_of_another_commit_is_told() -> None:
    of = evidence(compared(**API_NEW, **ANOTHER), result(SIGN_IN, FAILED), result(HEALTH, FAILED), commit=NEW)
    verdict = decide(of)
    assert [reason.item for reason in verdict.reasons] == [HEALTH]
    assert any(SIGN_IN in warning for warning in verdict.rollback.warnings)
