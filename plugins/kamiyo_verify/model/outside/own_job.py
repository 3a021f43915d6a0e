"""The CI job that this run is part of, from the variables that each CI sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_BUILD_URLS = ("CI_JOB_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL", "BUILD_URL", "TRAVIS_JOB_WEB_URL")
"""The variables with the URL that statuses of GitLab, CircleCI, Buildkite, Jenkins and Travis link to."""


@dataclass(frozen=True, slots=True)
class OwnJob:
    """The CI's data on its job, which does not count among the checks of the commit; "" and () outside CI.

    Attributes:
        run_id: id of the workflow run on GitHub Actions.
        job: the job's key in the workflow file, which can differ from its name.
        urls: URLs of the job in another CI.
    """

    run_id: str = ""
    job: str = ""
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> OwnJob:
        """Read the job from these environment variables."""
        found = (variables.get(name, "").rstrip("/") for name in _BUILD_URLS)
        return cls(
            run_id=variables.get("GITHUB_RUN_ID", ""),
            job=variables.get("GITHUB_JOB", ""),
            urls=tuple(url for url in found if url),
        )


def run_url(variables: Mapping[str, str]) -> str:
    """Return the URL of this CI run; "" outside CI."""
    repository, run = variables.get("GITHUB_REPOSITORY", ""), variables.get("GITHUB_RUN_ID", "")
    if repository and run:
        return f"{github_url(variables)}/{repository}/actions/runs/{run}"
    return next((url for name in _BUILD_URLS if (url := variables.get(name, ""))), "")


def github_url(variables: Mapping[str, str]) -> str:
    """Return the URL of the GitHub server, without a trailing slash."""
    return (variables.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/")


def started_by(variables: Mapping[str, str]) -> str:
    """Return the user who started this CI run; "" outside CI."""
    return variables.get("GITHUB_ACTOR") or variables.get("GITLAB_USER_LOGIN") or ""
