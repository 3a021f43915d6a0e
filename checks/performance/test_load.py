"""Step 5, only with --load: the platform serves the load that it has to, with room to spare."""

import pytest

from kamiyo_verify.model.words import Stopping


@pytest.mark.item("performance.load-throughput")
def test_the_load_is_served(load, measure_steps):
    """At least 95 % of the requests per second of [load] are answered well."""
    measure_steps()
    full = load.served()

    assert load.is_held, (
        f"{full.throughput_per_s:.0f} requests a second were answered well where {full.users} users asked for"
        f" {full.offered_per_s:.0f}"
    )


@pytest.mark.item("performance.load-p95")
def test_answers_under_load_come_in_time(load, measure, objective, p95_reaches, environment):
    """The 95th percentile at the highest load does not reach the service's objective, chance considered."""
    full = load.served()
    wanted = objective(f"{environment.load.service}-p95")
    measure("p95", load.p95_ms, "ms")

    assert not p95_reaches(full.durations_ms, wanted, Stopping.FIXED), (
        f"p95 is {load.p95_ms:.0f} ms at {full.offered_per_s:.0f} requests a second, not under {wanted:.0f}"
    )


@pytest.mark.item("performance.load-errors")
def test_requests_under_load_do_not_fail(load, measure, objective):
    """No more requests fail than the objective allows (0.1 %) and chance explains; 429 is no failure."""
    measure("requests", load.total, "count")
    measure("errors", load.failed, "count")

    assert not load.fails_more_than(objective("error-rate")), (
        f"{load.failed} of {load.total} requests failed under load: {load.failures}"
    )
    load.served()


@pytest.mark.item("performance.load-knee")
def test_the_platform_is_not_saturated(load, measure):
    """Throughput still grows with the load of [load], or latency does not rise."""
    load.served()
    knee = load.knee
    measure("knee", knee.throughput_per_s if knee else None, "per second")

    assert knee is None, (
        f"saturated beyond {knee.offered_per_s:.0f} requests a second: {knee.throughput_per_s:.0f} are"
        f" answered, and p95 rises from {knee.p95_ms:.0f} to {knee.beyond_p95_ms:.0f} ms"
    )
