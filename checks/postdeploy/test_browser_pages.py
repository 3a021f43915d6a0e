"""Step 4, in a browser: nothing goes wrong on the pages unseen."""

import pytest


@pytest.mark.item("postdeploy.browser-scripts")
def test_no_page_ends_in_a_script_error(tour, measure):
    """No script of ours throws an error that nobody catches, on any page. Third parties' do not count."""
    measure("pages", ", ".join(tour.pages))
    measure("script_errors", len(tour.script_errors), "count")

    assert not tour.script_errors, f"uncaught on our pages: {'; '.join(tour.script_errors[:3])}"


@pytest.mark.item("postdeploy.browser-requests")
def test_no_page_asks_for_something_that_fails(tour, measure):
    """No request to an address of ours fails, on any page. Third parties' do not count."""
    measure("pages", ", ".join(tour.pages))
    measure("failed_requests", len(tour.failed), "count")

    assert not tour.failed, f"failed, while our pages asked for it: {'; '.join(tour.failed[:3])}"
