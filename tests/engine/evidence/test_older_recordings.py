"""What an earlier version wrote down is judged again as it was."""

from __future__ import annotations

from typing import Any

import pytest

from kamiyo_verify.evidence.older_recordings import current_evidence, current_runbook
from kamiyo_verify.evidence.recording import evidence_data, evidence_from
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.runbook import Runbook
from tests.support.evidence_for import FAILED, HEALTH, RUNBOOK, evidence, result

NEW, OLD = "9c41d07" + "0" * 33, "3b0cca2" + "1" * 33


def version(name: str, commit: str, began: str) -> dict[str, Any]:
    return {"deploy": name, "commit": commit, "began_at": began, "live_at": ""}


def hosted(service: str, **changes: Any) -> dict[str, Any]:
    found = {
        "service": service,
        "name": f"kamiyo-{service}",
        "dashboard": f"https://dashboard.example/{service}",
        "api": f"https://api.example/services/srv-{service}",
        "auto_deploy": True,
        "current": version(f"dep-{service}-new", NEW, "2026-11-23T14:00:00+00:00"),
        "last_good": version(f"dep-{service}-old", OLD, "2026-11-20T14:00:00+00:00"),
    }
    return {**found, **changes}


def recorded(*rows: dict[str, Any]) -> dict[str, Any]:
    data = evidence_data(evidence(result(HEALTH, FAILED), commit=NEW))
    return {**data, "hosted": list(rows)}


def test_the_deploys_of_an_earlier_version_are_read() -> None:
    found = evidence_from(recorded(hosted("api"), hosted("frontend")), RUNBOOK)
    [step] = decide(found).rollback.services

    assert (step.current, step.to, step.current_commit, step.to_commit) == (
        "dep-api-new",
        "dep-api-old",
        NEW,
        OLD,
    )
    assert step.calls == (
        'PATCH https://api.example/services/srv-api {"autoDeploy": "no"}',
        'POST https://api.example/services/srv-api/rollback {"deployId": "dep-api-old"}',
    )


def test_nothing_live_stays_so() -> None:
    found = evidence_from(recorded(hosted("api", current=None, last_good=None)), RUNBOOK)

    assert found.hosted[0].live is None


def test_the_names_of_services_of_an_earlier_version_are_read() -> None:
    data = RUNBOOK.model_dump(mode="json")
    data["services"] = {"api": "shop-api", "frontend": "shop-web", "manual": "by hand: {service}"}
    found = Runbook.model_validate(current_runbook(data))

    assert found.services.name("frontend") == "shop-web"
    assert found.services.manual == "by hand: {service}"


@pytest.mark.parametrize("data", [RUNBOOK.model_dump(mode="json"), {"title": "x"}, {"services": {}}])
def test_a_runbook_of_this_version_is_left_as_it_is(data: dict[str, Any]) -> None:
    assert current_runbook(data) == data


def test_evidence_of_this_version_is_left_as_it_is() -> None:
    data = evidence_data(evidence())
    assert current_evidence(data) == data
