"""The CI's variables, as each CI sets them."""

from __future__ import annotations

import pytest

from kamiyo_verify.model.outside.own_job import run_url, started_by

ON_GITHUB = {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "o/r", "GITHUB_ACTOR": "ann"}


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, ""),
        (ON_GITHUB, "https://github.com/o/r/actions/runs/7"),
        (ON_GITHUB | {"GITHUB_SERVER_URL": "https://git.example/"}, "https://git.example/o/r/actions/runs/7"),
        ({"GITHUB_RUN_ID": "7"}, ""),  # half an address leads nowhere
        ({"CI_JOB_URL": "https://gitlab.com/o/r/-/jobs/7"}, "https://gitlab.com/o/r/-/jobs/7"),
        ({"BUILD_URL": "https://jenkins.example/job/r/7/"}, "https://jenkins.example/job/r/7/"),
    ],
)
def test_the_address_of_the_run(variables: dict[str, str], url: str) -> None:
    assert run_url(variables) == url


@pytest.mark.parametrize(
    ("variables", "user"), [({}, ""), (ON_GITHUB, "ann"), ({"GITLAB_USER_LOGIN": "bob"}, "bob")]
)
def test_the_user_who_started_the_run(variables: dict[str, str], user: str) -> None:
    assert started_by(variables) == user
