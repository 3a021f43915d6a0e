"""Measurements of every deployment: its duration, and its downtime for users."""

import pytest

pytestmark = pytest.mark.needs("render.key")

BLINK_S = 2
"""Seconds: at one request a second, one lost answer is reported, but does not count as downtime."""


@pytest.mark.item("deploy.duration")
def test_the_duration_is_measured(deployment, measure, measure_each):
    """The deployment has ended; its duration is from the first deploy's start to the last one's end."""
    measure("duration", deployment.duration_s, "s")
    measure_each(deployment.times)

    assert deployment.duration_s is not None, f"not over after {deployment.waited_s:.0f} s: " + ", ".join(
        f"{service} {what}" for service, what in deployment.not_live.items()
    )


@pytest.mark.item("deploy.downtime")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_public_addresses_stay_reachable(service, deployment, measure):
    """Probed every second during the deployment, each address is unavailable for at most 2 s."""
    seen = deployment.downtime(service)

    measure("downtime", seen.seconds, "s")
    measure("missed", seen.missed_s, "s")
    measure("moments", seen.moments)
    measure("outages_began", [outage.began for outage in seen.outages], "s since 1970")
    measure("outages_lasted", [outage.seconds for outage in seen.outages], "s")
    assert seen.seconds <= BLINK_S, f"{service} was away for {seen.seconds:.0f} s: {seen.moments}"
