"""Step 4: the main user flows: list exploits, filter them, open one."""

import pytest

pytestmark = pytest.mark.asks


@pytest.mark.item("postdeploy.dashboard-loads")
def test_the_dashboard_loads(frontend, environment, measure):
    """The dashboard is 200 and an HTML page for everyone; a browser redirects visitors to sign in."""
    page = frontend.page(environment.frontend.dashboard_path)

    measure("page_size", len(page.body), "bytes")
    assert page.body.strip(), "the dashboard is an empty page"


@pytest.mark.item("postdeploy.exploits-listed")
def test_the_dashboards_list_has_rows(api, measure):
    """At least one page of exploits has rows; delayed data may leave a visitor's first pages empty."""
    page = api.page_with_rows()

    measure("rows", len(page.data), "count")
    assert page.data, f"of {page.total} exploits none is listed: the dashboard is empty"


@pytest.mark.item("postdeploy.filter-by-chain")
def test_a_chain_narrows_the_list(api, measure):
    """Every row of a filtered page is of the requested chain, the rarest of the unfiltered page."""
    chain = api.page_with_rows().rarest("chain")
    found = {row.chain for row in api.page_with_rows(chain=chain).data}

    measure("chain", chain)
    assert {name.casefold() for name in found} == {chain.casefold()}, (
        f"asked for {chain}, got {', '.join(sorted(found)) or 'no rows'}"
    )


@pytest.mark.item("postdeploy.filter-by-protocol")
def test_a_protocol_narrows_the_list(api, measure):
    """Every row of a filtered page has the requested protocol in its name (the filter matches partially)."""
    protocol = api.page_with_rows().rarest("protocol")
    found = {row.protocol for row in api.page_with_rows(protocol=protocol).data}
    others = {name for name in found if protocol.casefold() not in name.casefold()}

    measure("protocol", protocol)
    assert found, f"asked for {protocol}, which is listed, and got no rows"
    assert not others, f"asked for {protocol}, got {', '.join(sorted(others)[:5])} besides"


@pytest.mark.item("postdeploy.exploit-details")
def test_an_exploits_details_open(api, measure):
    """`GET /exploits/{tx_hash}` returns the exploit that the list contains."""
    listed = api.page_with_rows().first
    details = api.exploit(listed.tx_hash)

    measure("tx_hash", details.tx_hash)
    assert details.tx_hash == listed.tx_hash, f"asked for {listed.tx_hash}, got {details.tx_hash}"
