"""Step 4: both services answer, and say that they are well."""

import pytest

from plugins.model.commits import same_commit


@pytest.mark.item("postdeploy.api-health")
def test_the_api_says_that_it_is_healthy(api, measure):
    """`GET /health` is 200, says "healthy", and at least one source is feeding data."""
    health = api.health()

    measure("exploits", health.database_exploits, "count")
    measure("active_sources", health.active_sources, "count")
    assert health.status == "healthy", f'/health says "{health.status}" where "healthy" was expected'
    assert health.active_sources > 0, (
        f"none of {health.total_sources} sources is active: no new exploit arrives"
    )


@pytest.mark.item("postdeploy.api-readiness")
def test_the_api_says_that_it_is_ready(api, measure):
    """`GET /ready` is 200 and its database is healthy. A degraded cache is no failure: Redis is optional."""
    readiness = api.readiness()

    measure("cache", readiness.cache)
    assert readiness.status == "ready", f'/ready says "{readiness.status}" where "ready" was expected'
    assert readiness.database == "healthy", f'/ready says that the database is "{readiness.database}"'


@pytest.mark.item("postdeploy.frontend-loads")
def test_the_home_page_loads(frontend, environment, measure):
    """`GET /` is 200 and an HTML page with our title: an empty page is a broken site."""
    page = frontend.page("/")

    measure("page_size", len(page.body), "bytes")
    title = page.title
    assert environment.frontend.title in title, (
        f'the home page is titled "{title}" where "{environment.frontend.title}" was expected'
        f" ({len(page.body)} bytes): visitors see no site"
    )


@pytest.mark.item("postdeploy.frontend-health-proxy")
def test_the_frontend_reaches_the_api(frontend):
    """`GET /api/health` is 200. The status comes first: a 503 carries a body full of plausible numbers."""
    answer = frontend.get("/api/health")

    assert answer.status == 200, answer.told("200: the frontend does not reach the API")


@pytest.mark.item("postdeploy.commit-answering")
def test_the_deployed_commit_is_the_one_that_answers(deployed_commits, commit_asked, measure):
    """Every service names the same commit, and it is the one under verification where one is given."""
    for service, commit in deployed_commits.items():
        measure(f"{service}_commit", commit)

    wanted = commit_asked or next(iter(deployed_commits.values()))
    others = [
        f"{name} runs {commit}"
        for name, commit in deployed_commits.items()
        if not same_commit(commit, wanted)
    ]
    assert not others, f"{', '.join(others)} where {wanted} was expected"
