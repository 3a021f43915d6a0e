"""Section 2: the services will find every setting, in its right form, and Stripe is wired to them."""

import pytest


@pytest.mark.item("preflight.environment-validated")
@pytest.mark.timeout(900)
@pytest.mark.needs("project")
def test_the_projects_own_validation_accepts_the_settings(project, measure):
    """The validation script ends with 0, or with 2: warnings, which are shown and do not fail it."""
    ran = project.validate()

    measure("exit_code", ran.code)
    measure("summary", ran.last_line)
    assert ran.code != 1, f"{ran.command} finds a failure: {ran.last_line}"


@pytest.mark.item("preflight.variables-present")
@pytest.mark.needs("render.key")
def test_every_required_variable_is_set(variables, measure):
    """Each service on Render has every variable that it cannot start without."""
    missing = variables.missing()

    measure("required", len(tuple(variables.required())), "count")
    measure("warnings", "; ".join(variables.warnings()))
    assert not missing, f"not set: {', '.join(missing)}"


@pytest.mark.item("preflight.variables-well-formed")
@pytest.mark.needs("render.key")
def test_every_required_variable_has_its_form(variables, measure):
    """Each is of the agreed form, no placeholder, and has one value only."""
    malformed = variables.malformed()

    measure("malformed", len(malformed), "count")
    assert not malformed, "; ".join(malformed)


@pytest.mark.item("preflight.database-url")
@pytest.mark.needs("render.key")
def test_both_services_use_renders_own_database(variables, database_addresses, measure):
    """DATABASE_URL of both is postgresql://user:password@host:port/name, and Render's own."""
    problems = variables.database_problems(database_addresses)

    measure("compared_with_render", bool(database_addresses))
    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.https-origins")
@pytest.mark.needs("render.key")
def test_our_origins_are_allowed_and_all_are_https(variables, measure):
    """ALLOWED_ORIGINS holds each origin of ours, and none with http, a space, a * or a slash at its end."""
    problems = variables.origin_problems()

    measure("problems", len(problems), "count")
    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.nextauth-secret")
@pytest.mark.needs("render.key")
def test_the_nextauth_secret_is_a_secret(variables):
    """NEXTAUTH_SECRET has 32 characters or more, and is nobody's example."""
    problems = variables.nextauth_secret_problems()

    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.nextauth-url")
@pytest.mark.needs("render.key")
def test_nextauth_is_told_the_public_address(variables):
    """NEXTAUTH_URL is the frontend's public address to the letter, without a slash at its end."""
    problems = variables.nextauth_url_problems()

    assert not problems, "; ".join(problems)


@pytest.mark.item("preflight.stripe-webhook-secret")
@pytest.mark.needs("render.key")
def test_both_services_hold_one_webhook_secret(variables):
    """STRIPE_WEBHOOK_SECRET is whsec_… and the same on both; only a delivery proves it to be Stripe's."""
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
def test_stripe_delivers_to_one_endpoint_of_ours(stripe_account, environment, measure):
    """One endpoint has our address; it is enabled, of the right mode, and sent all events we handle."""
    ours = [one for one in stripe_account.webhook_endpoints() if one.url == environment.webhook_url]

    measure("endpoints", len(ours), "count")
    assert len(ours) == 1, (
        f"{len(ours)} endpoints deliver to {environment.webhook_url}, where one was expected"
    )
    [endpoint] = ours
    lacking = endpoint.lacks(environment.stripe.events)
    assert endpoint.enabled, f"{endpoint.id} is {endpoint.status}: no payment is reported to us"
    assert not lacking, f"{endpoint.id} is not sent {', '.join(lacking)}"
    assert endpoint.livemode == environment.production, f"{endpoint.id} is of the other mode"


@pytest.mark.item("preflight.stripe-deliveries")
@pytest.mark.needs("stripe.key")
def test_stripes_recent_deliveries_arrived(deliveries, measure):
    """Of the last three days' events that we handle, older than a quarter of an hour, each one arrived."""
    measure("events", deliveries.events, "count")
    measure("failed", len(deliveries.failed), "count")
    failed = [f"{event.type} of {event.created:%Y-%m-%d %H:%M}" for event in deliveries.failed]
    assert not failed, f"{len(failed)} of {deliveries.events} did not arrive, such as {', '.join(failed[:3])}"


@pytest.mark.item("preflight.blueprint-agrees")
@pytest.mark.needs("render.key")
def test_the_blueprint_says_what_runs(blueprint_differences, measure):
    """Name, type, plan, region, branch, health check path and commands of both services are render.yaml's."""
    measure("differences", len(blueprint_differences), "count")
    assert not blueprint_differences, "; ".join(blueprint_differences)
