"""What a CI tells of itself by its process environment: GitHub Actions, and others as far as they do."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plugins.writers.github import Links


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The CI; "" and None where it is none that tells.

    Attributes:
        summary, outputs: the files that GitHub reads after a step.
        server, api: GitHub's addresses, without a slash at their end.
        repository: "owner/name".
        run: the number of the job's run, and of its attempt after a dot.
        commands: workflow commands are understood.
    """

    summary: Path | None
    outputs: Path | None
    server: str
    api: str
    repository: str
    run: str
    job_url: str
    commands: bool

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Surroundings:
        """Those of this process environment."""

        def path(name: str) -> Path | None:
            return Path(variables[name]) if variables.get(name) else None

        server = variables.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
        repository, run = variables.get("GITHUB_REPOSITORY", ""), variables.get("GITHUB_RUN_ID", "")
        job = f"{server}/{repository}/actions/runs/{run}" if repository and run else ""
        return cls(
            summary=path("GITHUB_STEP_SUMMARY"),
            outputs=path("GITHUB_OUTPUT"),
            server=server,
            api=variables.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
            repository=repository,
            run=run or variables.get("CI_PIPELINE_ID", ""),
            job_url=job or variables.get("CI_JOB_URL", ""),
            commands=variables.get("GITHUB_ACTIONS") == "true",
        )

    def links(self, report: str) -> Links:
        """Where more is to be seen."""
        return Links(run=self.job_url, report=report)


def append(path: Path, text: str) -> None:
    """Add to a file that GitHub reads.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def as_outputs(values: Mapping[str, str]) -> str:
    """Outputs in GitHub's form, with an end that no value can hold.

    Source: docs.github.com, "Multiline strings" of workflow commands.
    """
    end = f"end-{secrets.token_hex(16)}"
    return "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in values.items())
