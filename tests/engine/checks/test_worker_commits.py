"""A worker without the commit under verification is measured by the names that the judge reads."""

from __future__ import annotations

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus
from kamiyo_verify.model.outcomes import WrongAnswer
from tests.engine.checks.test_library import Measured
from tests.engine.checks.test_workers import NEW, OLD, deploy, host


@pytest.mark.parametrize(
    ("deploys", "names"),
    [
        ((deploy(commit=OLD),), {"host", "deploy", "expected", "deployed"}),
        (
            (deploy(DeployStatus.BUILD_IN_PROGRESS), deploy(commit=OLD)),
            {"host", "deploy", "expected", "deployed", "switching"},
        ),
        ((deploy(DeployStatus.BUILD_IN_PROGRESS),), {"host", "switching"}),
        ((deploy(DeployStatus.DEACTIVATED, commit=OLD),), {"host", "unread"}),
        ((deploy(DeployStatus.BUILD_FAILED),), {"host"}),
    ],
)
def test_a_worker_without_the_commit_is_measured_for_the_judge(
    deploys: tuple[Deploy, ...], names: set[str]
) -> None:
    measured = Measured()
    with pytest.raises(WrongAnswer):
        library.worker_runs(host(deploys=deploys), "indexer", measured, commit=NEW)
    assert set(measured) == names
