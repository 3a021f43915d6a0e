"""Section 2: every setting of the services is present and valid, and Stripe is connected to them."""

import pytest


@pytest.mark.item("preflight.environment-validated")
@pytest.mark.timeout(900)
@pytest.mark.needs("project")
def test_the_projects_own_validation_accepts_the_settings(project, measure):
    """The validation script exits with 0, or with 2 for warnings, which are reported and pass."""
    ran = project.validate()

    measure("exit_code", ran.code)
    measure("summary", ran.last_line)
    assert ran.code != 1, f"{ran.command} finds a failure: {ran.last_line}"


@pytest.mark.item("preflight.variables-present")
@pytest.mark.needs("render.key")
def test_every_required_variable_is_set(variables, measure):
    """Each service on Render has every variable that it needs to start."""
    missing = variables.missing()

    measure("required", len(tuple(variables.required())), "count")
    measure("warnings", "; ".join(variables.warnings()))
    assert not missing, f"not set: {', '.join(missing)}"


@pytest.mark.item("preflight.variables-well-formed")
@pytest.mark.needs("render.key")
def test_every_required_variable_has_its_form(variables, measure):
    """Each has the required form and only one value, and is not a placeholder."""
    malformed = variables.malformed()

    measure("malformed", len(malformed), "count")
    assert not malformed, "; ".join(malformed)


@pytest.mark.item("preflight.database-url")
@pytest.mark.needs("render.key")
def test_both_services_use_renders_own_database(variables, database_addresses, measure):
    """DATABASE_URL of both is postgresql://user:password@host:port/name, and points to Render's database."""
    problems = variables.database_problems(database_addresses)

    measure("compared_with_render", bool(database_addresses))
    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.https-origins")
@pytest.mark.needs("render.key")
def test_our_origins_are_allowed_and_all_are_https(variables, measure):
    """ALLOWED_ORIGINS contains all our origins, and none with http, a space, a * or a trailing slash."""
    problems = variables.origin_problems()

    measure("problems", len(problems), "count")
    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.nextauth-secret")
@pytest.mark.needs("render.key")
def test_the_nextauth_secret_is_a_secret(variables):
    """NEXTAUTH_SECRET has 32 characters or more, and is not an example value."""
    problems = variables.nextauth_secret_problems()

    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.nextauth-url")
@pytest.mark.needs("render.key")
def test_nextauth_is_told_the_public_address(variables):
    """NEXTAUTH_URL is exactly the frontend's public address, without a trailing slash."""
    problems = variables.nextauth_url_problems()

    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.stripe-webhook-secret")
@pytest.mark.needs("render.key")
def test_both_services_hold_one_webhook_secret(variables):
    """STRIPE_WEBHOOK_SECRET is whsec_… and the same on both; only a delivery shows that it is Stripe's."""
    problems = variables.webhook_secret_problems()

    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.stripe-keys-mode")
@pytest.mark.needs("render.key")
def test_stripe_keys_are_of_the_right_mode(variables):
    """Live keys in production, test keys everywhere else, on both services."""
    problems = variables.key_mode_problems()

    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.stripe-endpoint")
@pytest.mark.needs("stripe.key")
def test_stripe_delivers_to_one_endpoint_of_ours(stripe_wiring, environment, measure):
    """One enabled endpoint has our address; it has the right mode and gets all events that we handle."""
    measure("endpoints", len(stripe_wiring.enabled), "count")
    measure("disabled", len(stripe_wiring.disabled), "count")

    problems = stripe_wiring.problems(environment.stripe.events, production=environment.production)
    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.stripe-deliveries")
@pytest.mark.needs("stripe.key")
def test_stripes_recent_deliveries_arrived(deliveries, measure):
    """Each event of the last three days that we handle, at least 15 minutes old, was delivered."""
    measure("events", deliveries.events, "count")
    measure("failed", len(deliveries.failed), "count")
    failed = [f"{event.type} of {event.created:%Y-%m-%d %H:%M}" for event in deliveries.failed]
    assert not failed, f"{len(failed)} of {deliveries.events} did not arrive, such as {', '.join(failed[:3])}"


@pytest.mark.item("preflight.blueprint-agrees")
@pytest.mark.needs("render.key")
def test_the_blueprint_says_what_runs(blueprint_differences, measure):
    """Name, type, plan, region, branch, health check path and commands of both services match render.yaml."""
    measure("differences", len(blueprint_differences), "count")
    assert not blueprint_differences, "; ".join(blueprint_differences)
