"""Step 6: no error came with the release, as Sentry, the logs and real users' requests tell."""

import pytest


@pytest.mark.item("postdeploy.sentry-quiet")
@pytest.mark.needs("sentry.token", "render.key")
def test_sentry_has_no_new_critical_issue(sentry, release, measure):
    """No unresolved error or fatal issue was first seen since the deploy began."""
    new = sentry.new_issues(release.began_at)

    measure("new_issues", len(new), "count")
    assert not new, "; ".join(issue.told for issue in new[:5])


@pytest.mark.item("postdeploy.sentry-no-spike")
@pytest.mark.needs("sentry.token", "render.key")
def test_errors_come_no_faster_than_before(error_rates, release, environment, confidence, measure):
    """Errors a minute since the deploy began are under [sentry] spike_ratio times those of an hour before."""
    rates = error_rates(release.began_at, release.now)

    measure("before", rates.before_per_minute, "per minute")
    measure("after", rates.after_per_minute, "per minute")
    assert not rates.grew(environment.sentry.spike_ratio, confidence), rates.told


@pytest.mark.item("postdeploy.sentry-no-regression")
@pytest.mark.needs("sentry.token", "render.key")
def test_no_closed_issue_has_come_back(sentry, release, measure):
    """No issue that was resolved has been seen again since the deploy began."""
    regressed = sentry.regressed(release.began_at)

    measure("regressed", len(regressed), "count")
    assert not regressed, "; ".join(issue.told for issue in regressed[:5])


@pytest.mark.item("postdeploy.api-log-quiet")
@pytest.mark.needs("render.key")
def test_the_apis_log_is_quiet(error_lines, told_in_groups, release, environment, measure):
    """Error lines a minute since the deploy began stay within [render] log_errors_per_minute."""
    lines = error_lines("api")
    per_minute = len(lines) / release.minutes

    measure("error_lines", len(lines), "count")
    measure("rate", per_minute, "per minute")
    usual = environment.render.log_errors_per_minute
    assert per_minute <= usual, f"{per_minute:.1f} a minute: {told_in_groups(lines)}"


@pytest.mark.item("postdeploy.frontend-log-quiet")
@pytest.mark.needs("render.key")
def test_the_frontends_log_is_quiet(error_lines, told_in_groups, release, environment, measure):
    """Error lines a minute since the deploy began stay within [render] log_errors_per_minute."""
    lines = error_lines("frontend")
    per_minute = len(lines) / release.minutes

    measure("error_lines", len(lines), "count")
    measure("rate", per_minute, "per minute")
    usual = environment.render.log_errors_per_minute
    assert per_minute <= usual, f"{per_minute:.1f} a minute: {told_in_groups(lines)}"


@pytest.mark.item("postdeploy.real-traffic")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_real_requests_succeed_in_time(service, traffic, release, objective, confidence, measure):
    """Of real requests since it went live no more fail than agreed, and a usual minute's p95 is in time."""
    found = traffic(service, release.live_at, release.now)

    measure(f"{service}_requests", found.requests, "count")
    measure(f"{service}_failed", found.failed, "count")
    measure(f"{service}_p95", found.typical_p95_ms, "ms")
    measure(f"{service}_p95_by_minute", found.p95_ms, "ms")
    measure(f"{service}_since", f"{release.live_at:%H:%M} UTC")
    assert not found.fails_more_than(objective("error-rate"), confidence), found.told
    agreed = objective(f"{service}-p95")
    assert found.typical_p95_ms < agreed, f"{found.typical_p95_ms:.0f} ms where under {agreed:.0f} was agreed"
