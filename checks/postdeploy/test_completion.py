"""Step 7: users are informed that the deployment is over."""

import pytest


@pytest.mark.item("postdeploy.status-page-operational")
def test_the_status_page_says_that_all_is_operational(status_page_or_attestation, measure):
    """Our page shows no maintenance and no outage; without API access, a person attests it."""
    answer = status_page_or_attestation(lambda page: not page.in_maintenance and not page.not_operational)

    measure("by", answer.by)
    assert answer.holds, "the page still shows a maintenance, or a part that is not operational"
