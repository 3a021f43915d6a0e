"""Step 1: users are told that a deployment begins."""

import pytest


@pytest.mark.item("deploy.status-page-maintenance")
def test_the_status_page_announces_maintenance(told_by_page, measure):
    """Our page is in maintenance, by its API; where we may not ask it, a person says so."""
    told = told_by_page(lambda page: page.in_maintenance)

    measure("by", told.by)
    assert told.holds, "the page shows no maintenance under way: users take the break for an outage"
