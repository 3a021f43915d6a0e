"""CI context from environment variables: GitHub Actions, and other CIs as far as they set them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.model.outside.own_job import github_url, run_url
from kamiyo_verify.reporting.github import Links


@dataclass(frozen=True, slots=True)
class CiContext:
    """The CI context; values that the CI does not set are "" or None.

    Attributes:
        summary, outputs: the files that GitHub reads after a step.
        server, api: GitHub's URLs, without a trailing slash.
        repository: "owner/name".
        run: the run's number.
        job_url: the URL of the job's log.
        commands: the CI supports workflow commands.
        workspace: the folder of the checkout on the runner.
    """

    summary: Path | None
    outputs: Path | None
    server: str
    api: str
    repository: str
    run: str
    job_url: str
    commands: bool
    workspace: Path | None

    @property
    def masks(self) -> bool:
        """Whether the output is the log of a job of GitHub, which replaces the values that it is told."""
        return self.commands and self.outputs is not None and bool(self.run)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> CiContext:
        """Read the context from environment variables."""

        def path(name: str) -> Path | None:
            return Path(variables[name]) if variables.get(name) else None

        return cls(
            summary=path("GITHUB_STEP_SUMMARY"),
            outputs=path("GITHUB_OUTPUT"),
            server=github_url(variables),
            api=variables.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
            repository=variables.get("GITHUB_REPOSITORY", ""),
            run=variables.get("GITHUB_RUN_ID") or variables.get("CI_PIPELINE_ID", ""),
            job_url=run_url(variables),
            commands=variables.get("GITHUB_ACTIONS") == "true",
            workspace=path("GITHUB_WORKSPACE"),
        )

    def links(self, report: str) -> Links:
        """Return links to the job and to the report."""
        return Links(run=self.job_url, report=report)


def append(path: Path, text: str) -> None:
    """Append to a file that GitHub reads.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def as_outputs(values: Mapping[str, str]) -> str:
    """Format outputs for GITHUB_OUTPUT, with a random delimiter that no value can contain.

    Source: docs.github.com, "Multiline strings" of workflow commands.
    """
    end = f"end-{secrets.token_hex(16)}"
    return "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in values.items())
