"""Step 1: users are informed that a deployment begins."""

import pytest


@pytest.mark.item("deploy.status-page-maintenance")
def test_the_status_page_announces_maintenance(status_page_or_attestation, measure):
    """Our page shows maintenance, by its API; without API access, a person attests it."""
    answer = status_page_or_attestation(lambda page: page.in_maintenance)

    measure("by", answer.by)
    assert answer.holds, "the page shows no maintenance under way: users take the break for an outage"
