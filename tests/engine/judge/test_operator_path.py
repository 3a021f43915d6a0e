"""A database that the runner cannot reach is our own side, as long as the API says that it is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.attribution.operator_path import READINESS_ITEM, corroborated
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Action, Attribution, Status
from tests.support.kamiyo_evidence import KAMIYO, kamiyo_evidence

DIRECT = "postdeploy.database-direct"


def of(item: str, status: Status, attribution: Attribution | None = None, message: str = "") -> Result:
    return Result(item, KAMIYO.item(item).phase, status, message, attribution)  # type: ignore[union-attr]


UNREACHED = of(DIRECT, Status.ERROR, Attribution.PROBER, "postgresql://dpg-x-a:5432 cannot be found")


@pytest.mark.parametrize(
    ("readiness", "attribution", "told"),
    [
        (Status.PASSED, Attribution.PROBER, "the API says that its database is healthy"),
        (Status.FAILED, Attribution.UNKNOWN, "the API does not say that its database is healthy, either"),
        (Status.ERROR, Attribution.UNKNOWN, "either"),
    ],
)
def test_the_api_is_asked_about_a_database_that_we_cannot_reach(
    readiness: Status, attribution: Attribution, told: str
) -> None:
    found = attributed(kamiyo_evidence(UNREACHED, of(READINESS_ITEM, readiness))).result(DIRECT)
    assert found is not None
    assert found.attribution is attribution
    assert told in found.message


def test_without_the_apis_word_it_stays_our_own_side() -> None:
    found = attributed(kamiyo_evidence(UNREACHED)).result(DIRECT)
    assert found is not None
    assert found.attribution is Attribution.PROBER


@pytest.mark.parametrize("item", [DIRECT, "postdeploy.migrations-applied"])
def test_an_unreachable_database_rolls_nothing_back(item: str) -> None:
    verdict = decide(kamiyo_evidence(replace(UNREACHED, item=item), of(READINESS_ITEM, Status.PASSED)))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.exit_code == 30
    assert any("cannot be found" in reason.message for reason in verdict.reasons)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("attribution", [None, *Attribution])
@pytest.mark.parametrize("item", [DIRECT, "postdeploy.api-health"])
@pytest.mark.parametrize("readiness", Status)
def test_only_a_database_that_we_failed_to_reach_is_judged_by_the_api(
    status: Status, attribution: Attribution | None, item: str, readiness: Status
) -> None:
    result = of(item, status, attribution, "no answer")
    ours = (item, status, attribution) == (DIRECT, Status.ERROR, Attribution.PROBER)
    answered = readiness in {Status.PASSED, Status.FAILED, Status.ERROR}
    changed = corroborated(kamiyo_evidence(result, of(READINESS_ITEM, readiness)), result) != result
    assert changed == (ours and answered)
