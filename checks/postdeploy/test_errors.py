"""Step 6: the release caused no errors, by Sentry, the logs and real users' requests."""

import pytest


@pytest.mark.item("postdeploy.sentry-quiet")
@pytest.mark.needs("sentry.token", "render.key")
def test_sentry_has_no_new_critical_issue(sentry, release, measure):
    """No unresolved error or fatal issue first appeared since the deploy began."""
    new = sentry.new_issues(release.began_at)

    measure("new_issues", len(new), "count")
    assert not new, "; ".join(issue.description for issue in new[:5])


@pytest.mark.item("postdeploy.sentry-no-spike")
@pytest.mark.needs("sentry.token", "render.key")
def test_errors_come_no_faster_than_before(error_rates, release, environment, confidence, measure):
    """Errors a minute since the deploy began are under [sentry] spike_ratio times those of an hour before."""
    rates = error_rates(release.began_at, release.now)

    measure("before", rates.before_per_minute, "per minute")
    measure("after", rates.after_per_minute, "per minute")
    assert not rates.grew(environment.sentry.spike_ratio, confidence), rates.description


@pytest.mark.item("postdeploy.sentry-no-regression")
@pytest.mark.needs("sentry.token", "render.key")
def test_no_closed_issue_has_come_back(sentry, release, measure):
    """No resolved issue has appeared again since the deploy began."""
    regressed = sentry.regressed(release.began_at)

    measure("regressed", len(regressed), "count")
    assert not regressed, "; ".join(issue.description for issue in regressed[:5])


@pytest.mark.needs("render.key")
@pytest.mark.parametrize(
    "service",
    [
        pytest.param("api", marks=pytest.mark.item("postdeploy.api-log-quiet")),
        pytest.param("frontend", marks=pytest.mark.item("postdeploy.frontend-log-quiet")),
    ],
)
def test_the_log_of_the_service_is_quiet(
    service, error_lines, most_frequent_messages, release, environment, measure
):
    """Error lines a minute since the deploy began stay within [render] log_errors_per_minute."""
    lines = error_lines(service)
    per_minute = len(lines) / release.minutes

    measure("error_lines", len(lines), "count")
    measure("rate", per_minute, "per minute")
    usual = environment.render.log_errors_per_minute
    assert per_minute <= usual, f"{per_minute:.1f} a minute: {most_frequent_messages(lines)}"


@pytest.mark.item("postdeploy.real-traffic")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_real_requests_succeed_in_time(service, traffic, release, objective, confidence, measure):
    """Since it went live, the error rate and a typical minute's p95 are within the objectives."""
    found = traffic(service, release.live_at, release.now)

    measure(f"{service}_requests", found.requests, "count")
    measure(f"{service}_failed", found.failed, "count")
    measure(f"{service}_requests_by_minute", found.requests_by_minute, "count")
    measure(f"{service}_failed_by_minute", found.failed_by_minute, "count")
    measure(f"{service}_p95", found.typical_p95_ms, "ms")
    measure(f"{service}_p95_by_minute", found.p95_ms, "ms")
    measure(f"{service}_since", f"{release.live_at:%H:%M} UTC")
    assert not found.fails_more_than(objective("error-rate"), confidence), found.description
    agreed = objective(f"{service}-p95")
    late = found.slower_than(agreed, confidence)
    assert not late, f"{found.typical_p95_ms:.0f} ms where under {agreed:.0f} was agreed"
