"""Records of every deployment, and of all deployments together."""

import pytest


@pytest.mark.item("followup.rollbacks")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_release_stands(service, history, rollbacks_since, measure):
    """No deploy since the release went live is a rollback."""
    found = rollbacks_since(service)

    measure("deploys_known", len(history[service]), "count")
    measure("rollbacks", len(found), "count")
    assert not found, f"{service} was rolled back at {found[0].created_at:%Y-%m-%d %H:%M} UTC"


@pytest.mark.item("followup.success-rate")
@pytest.mark.needs("render.key")
def test_deployments_succeed(release_after, deploys_ended, objective, measure):
    """A week later: the success rate of the deploys that ended in the last 30 days is over the objective."""
    release_after(hours=24 * 7)
    succeeded, failed = deploys_ended(30)

    measure("succeeded", succeeded, "count")
    measure("failed", failed, "count")
    assert succeeded / (succeeded + failed) > objective("deployment-success"), (
        f"{failed} of {succeeded + failed} deploys failed in 30 days"
        f" where more than {objective('deployment-success'):.0%} success was agreed"
    )
