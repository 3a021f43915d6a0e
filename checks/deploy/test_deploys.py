"""Steps 2 and 3: Render builds the commit on both services, and both go live."""

import pytest

pytestmark = pytest.mark.needs("render.key")


@pytest.mark.item("deploy.triggered")
def test_both_services_deploy_this_commit(deployment, measure):
    """Render has a deploy of exactly this commit for each service."""
    for service, deploy in deployment.deploys.items():
        measure(f"{service}_deploy", deploy and deploy.id)

    assert not deployment.missing, (
        f"no deploy of {deployment.commit} on {', '.join(deployment.missing)}:"
        " is it pushed, and is auto-deploy on?"
    )


@pytest.mark.item("deploy.services-live")
def test_both_deploys_go_live(deployment, measure):
    """Each deploy is live within the environment's deploy_timeout_s."""
    for service, deploy in deployment.deploys.items():
        measure(f"{service}_status", deploy and deploy.status.value)

    failed = ", ".join(f"{service} {what}" for service, what in deployment.not_live.items())
    assert not failed, f"{failed} where live was expected"


@pytest.mark.item("deploy.health-checks-pass")
def test_no_health_check_fails(deploy_events, measure):
    """Of all that ended or failed since the deploy began, nothing was unhealthy or timed out."""
    happened = deploy_events("deploy_ended", "server_failed")
    unwell = [
        f"{service}: {event.failure} at {event.timestamp:%H:%M:%S}"
        for service, events in happened.items()
        for event in events
        if event.failure
        and (event.failure.unhealthy is not None or event.failure.timed_out_seconds is not None)
    ]

    measure("failed_health_checks", len(unwell), "count")
    assert not unwell, "; ".join(unwell)


@pytest.mark.item("deploy.no-restarts")
def test_no_instance_is_restarted(deploy_events, measure):
    """Since the deploy began no instance failed, ran out of memory or was restarted, but for its health."""
    happened = deploy_events("server_failed", "server_restarted", "server_hardware_failure")
    restarts = [
        f"{service}: {event.type} at {event.timestamp:%H:%M:%S}, {event.failure or 'without a reason'}"
        for service, events in happened.items()
        for event in events
        if not (event.failure and event.failure.of_health)
    ]

    measure("restarts", len(restarts), "count")
    assert not restarts, f"{len(restarts)} in all, the first: {restarts[0]}"
