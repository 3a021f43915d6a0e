"""Step 4: the project's own status script for the running platform."""

import pytest


@pytest.mark.item("postdeploy.status-script")
@pytest.mark.needs("project")
def test_the_projects_own_status_script_agrees(project, environment, measure):
    """The status script of the checkout, called with both addresses, exits with 0."""
    ran = project.check_status(environment.api_url, environment.frontend_url)

    measure("exit_code", ran.code)
    measure("summary", ran.last_line)
    assert ran.code == 0, f"{ran.command} ended with {ran.code}, not 0: {ran.last_line}"
