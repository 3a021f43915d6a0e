"""What is kept of every deployment: how long it took, and whether users noticed."""

import pytest

pytestmark = pytest.mark.needs("render.key")

BLINK_S = 2
"""Seconds: one lost answer at a pace of one a second is shown, and is no downtime."""


@pytest.mark.item("deploy.duration")
def test_the_duration_is_measured(deployment, measure):
    """From the first deploy's beginning to the last one's end, and it has ended."""
    measure("duration", deployment.duration_s, "s")
    for name, moment in deployment.times.items():
        measure(name, moment)

    assert deployment.duration_s is not None, f"not over after {deployment.waited_s:.0f} s: " + ", ".join(
        f"{service} {what}" for service, what in deployment.not_live.items()
    )


@pytest.mark.item("deploy.downtime")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_public_addresses_stay_reachable(service, deployment, measure):
    """Asked every second from before to after, each address is away for no more than 2 s."""
    seen = deployment.downtime(service)

    measure("downtime", seen.seconds, "s")
    measure("missed", seen.missed_s, "s")
    measure("moments", seen.moments)
    measure("outages_began", [outage.began for outage in seen.outages], "s since 1970")
    measure("outages_lasted", [outage.seconds for outage in seen.outages], "s")
    assert seen.seconds <= BLINK_S, f"{service} was away for {seen.seconds:.0f} s: {seen.moments}"
