"""Step 3: the logs show every expected start message, and no warning sign."""

import pytest

pytestmark = pytest.mark.needs("render.key")


@pytest.mark.item("deploy.build-logs")
def test_the_build_misses_no_module(hosted_service, deployment, signs, measure):
    """The build of each service succeeds, and its log reports no missing module."""
    found = signs(hosted_service, "build")
    status = deployment.deploy(hosted_service).status

    measure("lines", found.lines, "count")
    measure("status", status.value)
    assert not found.one("module-missing").seen, f"{hosted_service}: {found.one('module-missing')}"
    assert status != "build_failed", f"the build of {hosted_service} failed: read its log at the host"


@pytest.mark.parametrize(
    "service",
    [
        pytest.param("api", marks=pytest.mark.item("deploy.api-started")),
        pytest.param("frontend", marks=pytest.mark.item("deploy.frontend-started")),
    ],
)
def test_the_service_starts_well(service, start_signs, measure_each):
    """The service's log since its deploy began contains every good sign of runbook.toml."""
    found = start_signs(service)

    measure_each(found.good_lines)
    assert not found.lacking, f"in {found.lines} lines {'; '.join(map(str, found.lacking))}"


@pytest.mark.item("deploy.api-imports")
def test_the_api_imports_all_that_it_needs(signs, measure):
    """No line of the API's log is an import error."""
    sign = signs("api", "app").one("module-missing")

    measure("line", sign.line)
    assert not sign.seen, str(sign)


@pytest.mark.item("deploy.migrations-ran")
def test_the_migrations_end_well(migrated, measure):
    """The log of the frontend, whose build runs the migrations, reports that they are complete."""
    sign = migrated

    measure("line", sign.line)
    assert sign.seen, str(sign)


@pytest.mark.item("deploy.no-warning-signs")
def test_no_warning_sign_is_logged(hosted_service, signs, measure):
    """No service's log contains a bad sign of runbook.toml, except for the optional ones."""
    found = signs(hosted_service)

    measure("lines", found.lines, "count")
    measure("warning_signs", len(found.bad), "count")
    assert not found.bad, f"{hosted_service}: {'; '.join(map(str, found.bad))}"
