"""Step 4: both services answer and report that they are healthy."""

import pytest

from kamiyo_verify.checks import library

pytestmark = pytest.mark.asks


@pytest.mark.item("postdeploy.api-health")
def test_the_api_says_that_it_is_healthy(api, measure):
    """`GET /health` is 200 with status "healthy", and at least one source is active."""
    health = api.health()

    measure("exploits", health.database_exploits, "count")
    measure("active_sources", health.active_sources, "count")
    assert health.status == "healthy", f'/health says "{health.status}" where "healthy" was expected'
    assert health.active_sources > 0, (
        f"none of {health.total_sources} sources is active: no new exploit arrives"
    )


@pytest.mark.item("postdeploy.api-readiness")
def test_the_api_says_that_it_is_ready(api, measure):
    """`GET /ready` is 200 and its database is healthy. A degraded cache passes: Redis is optional."""
    readiness = api.readiness()

    measure("cache", readiness.cache)
    assert readiness.status == "ready", f'/ready says "{readiness.status}" where "ready" was expected'
    assert readiness.database == "healthy", f'/ready says that the database is "{readiness.database}"'


@pytest.mark.item("postdeploy.frontend-loads")
def test_the_home_page_loads(http, environment, measure):
    """`GET /` is 200 and an HTML page with our title: an empty page is a broken site."""
    library.shows_title(http("frontend", None), "/", environment.frontend.title, measure)


@pytest.mark.item("postdeploy.frontend-health-proxy")
def test_the_frontend_reaches_the_api(frontend):
    """`GET /api/health` is 200. The status is checked first: a 503 has a body with plausible numbers."""
    answer = frontend.get("/api/health")

    assert answer.status == 200, answer.mismatch("200: the frontend does not reach the API")


@pytest.mark.item("postdeploy.commit-answering")
def test_each_service_runs_the_commit_that_it_should(service_commits, measure_each):
    """Each service runs the commit under verification, or its own if the commit does not affect it."""
    measure_each(service_commits.measurements)
    service_commits.raise_problem()
    assert not service_commits.wrong, ", ".join(service_commits.wrong)
