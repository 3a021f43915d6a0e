"""Step 4, in a browser: no hidden errors on the pages."""

import pytest


@pytest.mark.item("postdeploy.browser-scripts")
def test_no_page_ends_in_a_script_error(page_scan, measure):
    """None of our scripts throws an uncaught error on any page. Third-party scripts do not count."""
    measure("pages", ", ".join(page_scan.pages))
    measure("script_errors", len(page_scan.script_errors), "count")

    assert not page_scan.script_errors, f"uncaught on our pages: {'; '.join(page_scan.script_errors[:3])}"


@pytest.mark.item("postdeploy.browser-requests")
def test_no_page_asks_for_something_that_fails(page_scan, measure):
    """No request to our own addresses fails on any page. Third-party requests do not count."""
    measure("pages", ", ".join(page_scan.pages))
    measure("failed_requests", len(page_scan.failed), "count")

    assert not page_scan.failed, f"failed, while our pages asked for it: {'; '.join(page_scan.failed[:3])}"
