"""An hour, a day and a week later: real users' requests, as Render and Sentry counted them."""

import pytest

A_FIFTH = 1.2
"""The allowed ratio: even without a deployment, one hour differs from the next by some percent."""


@pytest.mark.item("followup.error-rate-first-hour")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_first_hours_requests_succeeded(service, release_after, traffic, objective, confidence, measure):
    """No more of the first hour's real requests failed than the objective allows."""
    found = traffic(service, *release_after(hours=1).first(hours=1))

    measure("requests", found.requests, "count")
    measure("failed", found.failed, "count")
    assert not found.fails_more_than(objective("error-rate"), confidence), found.description


@pytest.mark.item("followup.performance-impact")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_release_is_no_slower(service, release_after, traffic, measure):
    """The first hour's p95 is at most 20 % above that of the hour before the deploy."""
    release = release_after(hours=1)
    before, after = traffic(service, *release.hour_before), traffic(service, *release.first(hours=1))

    measure("before", before.typical_p95_ms, "ms")
    measure("after", after.typical_p95_ms, "ms")
    assert after.typical_p95_ms <= before.typical_p95_ms * A_FIFTH, (
        f"{service} takes {after.typical_p95_ms:.0f} ms where it took {before.typical_p95_ms:.0f} ms before"
    )


@pytest.mark.item("followup.sentry-rate")
@pytest.mark.needs("sentry.token", "render.key")
def test_the_first_hours_errors_are_no_more(release_after, error_rates, confidence, measure):
    """Errors a minute in the first hour are at most 1.5 times those of the hour before, within chance."""
    release = release_after(hours=1)
    rates = error_rates(release.began_at, release.first(hours=1)[1])

    measure("before", rates.before_per_minute, "per minute")
    measure("after", rates.after_per_minute, "per minute")
    assert not rates.grew(1.5, confidence), rates.description


@pytest.mark.item("followup.response-times")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_first_hours_requests_were_answered_in_time(
    service, release_after, traffic, objective, confidence, measure
):
    """The p95 of a typical minute in the first hour is within the objective."""
    found = traffic(service, *release_after(hours=1).first(hours=1))

    measure("p95", found.typical_p95_ms, "ms")
    agreed = objective(f"{service}-p95")
    late = found.slower_than(agreed, confidence)
    assert not late, f"{found.typical_p95_ms:.0f} ms where under {agreed:.0f} was agreed"


@pytest.mark.item("followup.metrics-against-slos")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_first_day_met_the_objectives(service, release_after, traffic, objective, confidence, measure):
    """The first day's error rate, and the p95 of a typical minute, are within the objectives."""
    found = traffic(service, *release_after(hours=24).first(hours=24))

    measure("requests", found.requests, "count")
    measure("failed", found.failed, "count")
    measure("p95", found.typical_p95_ms, "ms")
    assert not found.fails_more_than(objective("error-rate"), confidence), found.description
    agreed = objective(f"{service}-p95")
    late = found.slower_than(agreed, confidence)
    assert not late, f"{found.typical_p95_ms:.0f} ms where under {agreed:.0f} was agreed"


@pytest.mark.item("followup.slow-endpoints")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("path", ["/exploits", "/chains", "/stats", "/health"])
def test_no_address_of_the_api_is_slow(path, release_after, latency_of_path, objective, measure):
    """A week later: the p95 of each API path over the last day is within the objective."""
    release = release_after(hours=24 * 7)
    p95 = latency_of_path(path, *release.last(hours=24))

    measure("p95", p95, "ms")
    agreed = objective("api-p95")
    assert p95 < agreed, f"{path} takes {p95:.0f} ms where under {agreed:.0f} was agreed"
