"""Step 3: the logs show every sign of a good start, and no warning sign."""

import pytest

pytestmark = pytest.mark.needs("render.key")


@pytest.mark.item("deploy.build-logs")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_build_misses_no_module(service, deployment, signs, measure):
    """The build ends, and its log names no missing module."""
    found = signs(service, "build")
    status = deployment.deploy(service).status

    measure("lines", found.lines, "count")
    measure("status", status.value)
    assert not found.one("module-missing").seen, f"{service}: {found.one('module-missing')}"
    assert status != "build_failed", f"the build of {service} failed: read its log in Render's dashboard"


@pytest.mark.item("deploy.api-started")
def test_the_api_starts_well(start_signs, measure):
    """Every good sign of runbook.toml is in the API's log since its deploy began."""
    found = start_signs("api")

    for sign in found.good:
        measure(sign.pattern.id.replace("-", "_"), sign.line)
    assert not found.lacking, f"in {found.lines} lines {'; '.join(map(str, found.lacking))}"


@pytest.mark.item("deploy.api-imports")
def test_the_api_imports_all_that_it_needs(signs, measure):
    """No line of the API's log is an import error."""
    sign = signs("api", "app").one("module-missing")

    measure("line", sign.line)
    assert not sign.seen, str(sign)


@pytest.mark.item("deploy.frontend-started")
def test_the_frontend_starts_well(start_signs, measure):
    """Every good sign of runbook.toml is in the frontend's log since its deploy began."""
    found = start_signs("frontend")

    for sign in found.good:
        measure(sign.pattern.id.replace("-", "_"), sign.line)
    assert not found.lacking, f"in {found.lines} lines {'; '.join(map(str, found.lacking))}"


@pytest.mark.item("deploy.migrations-ran")
def test_the_migrations_end_well(migrated, measure):
    """The log of the frontend, which migrates while it is built, says that the migrations are complete."""
    sign = migrated

    measure("line", sign.line)
    assert sign.seen, str(sign)


@pytest.mark.item("deploy.no-warning-signs")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_no_warning_sign_is_logged(service, signs, measure):
    """None of the bad signs of runbook.toml is in the log, but for those that are optional."""
    found = signs(service)

    measure("lines", found.lines, "count")
    measure("warning_signs", len(found.bad), "count")
    assert not found.bad, f"{service}: {'; '.join(map(str, found.bad))}"
