"""Steps 2 and 3: the host builds the commit on every service that it changes, and each goes live."""

import pytest

pytestmark = pytest.mark.needs("render.key")


@pytest.mark.item("deploy.triggered")
def test_every_service_that_it_changes_deploys_this_commit(deployment, measure_each):
    """The host has a deploy of exactly this commit for each service that the commit changes."""
    measure_each(deployment.ids)

    assert not deployment.missing, (
        f"no deploy of {deployment.commit} on {', '.join(deployment.missing)}:"
        " is it pushed, and is auto-deploy on?"
    )


@pytest.mark.item("deploy.services-live")
def test_every_deploy_goes_live(deployment, measure_each):
    """Each deploy is live within the environment's deploy_timeout_s."""
    measure_each(deployment.statuses)

    failed = ", ".join(f"{service} {what}" for service, what in deployment.not_live.items())
    assert not failed, f"{failed} where live was expected"


@pytest.mark.item("deploy.health-checks-pass")
def test_no_health_check_fails(failed_health_checks, measure):
    """No deploy or server event since the deploy began reports an unhealthy or timed-out instance."""
    measure("failed_health_checks", len(failed_health_checks), "count")
    assert not failed_health_checks, "; ".join(failed_health_checks)


@pytest.mark.item("deploy.no-restarts")
def test_no_instance_is_restarted(restarts, measure):
    """Since the deploy began, no instance failed, ran out of memory or restarted, health checks aside."""
    measure("restarts", len(restarts), "count")
    assert not restarts, f"{len(restarts)} in all, the first: {restarts[0]}"
