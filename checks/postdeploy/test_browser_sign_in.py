"""Step 4, in a browser: people can sign in."""

import pytest


@pytest.mark.item("postdeploy.browser-sign-in-page")
def test_the_sign_in_page_offers_a_way_in(browser, measure):
    """After its scripts have run, the page shows at least one sign-in button."""
    ways = browser.ways_in()

    measure("ways_in", ", ".join(ways))
    assert ways, "the sign-in page shows no way to sign in: nobody can begin to"


@pytest.mark.item("postdeploy.browser-sign-in")
def test_the_test_account_signs_in(browser, environment, measure):
    """By password or stored session, the test account reaches the dashboard and is recognised there."""
    arrival = browser.sign_in()

    measure("signed_in_by", arrival.by)
    assert arrival.recognised, (
        f"signed in by {arrival.by}, {environment.frontend.dashboard_path} leads to {arrival.at} and knows"
        f" nobody. On the page: {arrival.said}"
    )


@pytest.mark.item("postdeploy.browser-signed-out")
def test_a_stranger_is_sent_to_sign_in(browser, environment, measure):
    """A visitor without a session who opens the dashboard is redirected to the sign-in page."""
    wanted = environment.sign_in.page_path
    ended = browser.follow(environment.frontend.dashboard_path, to=wanted)

    measure("ended_on", ended)
    assert ended == wanted, (
        f"a stranger who opens {environment.frontend.dashboard_path} stays on {ended}, not sent to {wanted}"
    )
