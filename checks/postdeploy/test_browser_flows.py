"""Step 4, in a browser: the main user flows work on the page."""

import pytest


@pytest.mark.item("postdeploy.browser-dashboard")
def test_the_dashboard_shows_exploits(browser, measure):
    """A signed-in visitor sees rows, each with a chain and a protocol."""
    rows = browser.dashboard()
    browser.look("the dashboard")

    measure("rows", len(rows), "count")
    bare = [row for row in rows if not (row.chain and row.protocol)]
    assert not bare, f"{len(bare)} of {len(rows)} rows show no chain or no protocol"


@pytest.mark.item("postdeploy.browser-filter-chain")
def test_a_chain_narrows_the_page(browser, measure):
    """Every remaining row is of the chosen chain, which is the rarest on the page."""
    browser.dashboard()
    narrowed = browser.narrow("chain")

    measure("chain", narrowed.value)
    measure("rows", narrowed.after, "count")
    assert not narrowed.others, (
        f"filtered by the chain {narrowed.value}, the page still shows {', '.join(narrowed.others[:5])}"
    )


@pytest.mark.item("postdeploy.browser-filter-protocol")
def test_a_protocol_narrows_the_page(browser, measure):
    """Every remaining row has the chosen protocol in its name, which is the rarest on the page."""
    browser.dashboard()
    narrowed = browser.narrow("protocol")

    measure("protocol", narrowed.value)
    measure("rows", narrowed.after, "count")
    assert not narrowed.others, (
        f"filtered by the protocol {narrowed.value}, the page still shows {', '.join(narrowed.others[:5])}"
    )


@pytest.mark.item("postdeploy.browser-details")
def test_an_exploits_details_open_on_the_page(browser, measure):
    """The first exploit of the list opens, and its details name the same protocol."""
    browser.dashboard()
    opened = browser.open_first()

    measure("protocol", opened.row.protocol)
    assert opened.row.protocol.casefold() in opened.text.casefold(), (
        f'the details of an exploit of {opened.row.protocol} say "{opened.text[:120]}"'
    )


@pytest.mark.item("postdeploy.browser-subscribe")
@pytest.mark.writes("an alert subscription of the test account")
def test_alerts_are_subscribed_to_on_the_page(browser, measure):
    """After a click on the button, the page confirms the subscription."""
    browser.dashboard()
    said = browser.subscribe()

    measure("said", said)
    assert said, "the page confirms no subscription: nobody knows whether alerts will come"
