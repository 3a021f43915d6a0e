"""Step 7: users are told that it is over."""

import pytest


@pytest.mark.item("postdeploy.status-page-operational")
def test_the_status_page_says_that_all_is_operational(told_by_page, measure):
    """Our page has no maintenance and nothing out of order; where we may not ask it, a person says so."""
    told = told_by_page(lambda page: not page.in_maintenance and not page.not_operational)

    measure("by", told.by)
    assert told.holds, "the page still shows a maintenance, or a part that is not operational"
