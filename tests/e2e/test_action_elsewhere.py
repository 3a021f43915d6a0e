"""The action in a repository that is not ours, by the workflow of docs/ci.md: a good and a bad deployment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kamiyo_verify.cli.init.command import main as init
from tests.support.documents import ROOT
from tests.support.github_runner import Job, Runner, clean_variables
from tests.support.strange_server import PASSWORD, locked, strange_server

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(600)]

QUICK = "\n[confirmation]\nspacing_s = 0.1\nfinal_after_s = 0.5\nper_minute = 6000\nat_most_s = 10\n"
SECRETS = {"WEB_PASSWORD": PASSWORD, "UNUSED_TOKEN": "a-secret-of-the-repository"}


def documented(*, advisory: bool) -> str:
    """The workflow that docs/ci.md tells its readers to copy."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    [block] = [one for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "advisory: true" in one]
    return str(block) if advisory else block.replace("advisory: true", "advisory: false")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Strangers:
    """A repository of other people, whose application runs, with what `init` wrote into it."""

    repository: Path
    database: Path
    commit: str
    store: Path

    def deployed(self, *, advisory: bool = False, breaks: bool = False, **options: Any) -> Job:
        """The host has told GitHub that the commit is deployed; the workflow runs."""
        name = options.pop("workflow", "verify-deploy.yml")
        workflow = self.repository / ".github" / "workflows" / name
        text = documented(advisory=advisory)
        for old, new in options.pop("edits", {}).items():
            assert old in text
            text = text.replace(old, new)
        if not workflow.exists():
            workflow.write_text(text, encoding="utf-8")
        runner = Runner(
            workspace=self.repository,
            store=self.store,
            github={
                "event": {"deployment_status": {"state": "success"}, "deployment": {"sha": self.commit}},
                "event_name": "deployment_status",
                "repository": "strangers/notes",
                "run_id": "7",
                "run_attempt": "1",
            },
            variables=clean_variables(
                GITHUB_REPOSITORY="strangers/notes",
                GITHUB_RUN_ID="7",
                GITHUB_RUN_ATTEMPT="1",
                PATH=f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}",
            ),
            secrets=SECRETS,
            action=ROOT,
            **options,
        )
        with locked(self.database) if breaks else nullcontext():
            return runner.run(workflow, "verify")


def written(folder: Path, origin: str, repository: Path) -> None:
    arguments = ["--url", origin, "--sign-in", "json", "--user", "ann", "--no-plan", "--folder", str(folder)]
    assert init(arguments) == 0
    with (folder / "environments" / "prod.toml").open("a") as file:
        file.write(QUICK)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Verify each deployment")


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[Strangers]:
    repository = tmp_path / "notes"
    repository.mkdir()
    (repository / "README.md").write_text("# Notes\n")
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "The application")
    commit = git(repository, "rev-parse", "HEAD")
    with strange_server(tmp_path / "notes.sqlite", commit=commit) as origin:
        written(repository, origin, repository)
        yield Strangers(repository, tmp_path / "notes.sqlite", commit, tmp_path / "store")


def leaks(job: Job) -> list[str]:
    texts = {"log": job.log, "summary": job.summary, "outputs": json.dumps([job.outputs, job.used])}
    for folder in job.artifacts:
        texts |= {path.name: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    return [where for where, text in texts.items() if any(secret in text for secret in SECRETS.values())]


def test_a_good_deployment_is_proceed(strangers: Strangers) -> None:
    job = strangers.deployed()

    assert (job.conclusion, job.codes["End as the call says"]) == ("success", 0), job.log
    assert f"## ✅ PROCEED · prod, commit {strangers.commit[:7]}" in job.summary
    assert leaks(job) == []
    assert PASSWORD in job.masks
    ours = [name for name in job.codes if name != "asked"]
    assert ours[0] == "mask", "nothing of ours prints before the credentials are masked"


def test_reports_and_ledger_stay_in_the_callers_workspace(strangers: Strangers) -> None:
    job = strangers.deployed()

    [artifact] = job.artifacts
    assert (artifact / "postdeploy" / "verdict.json").is_file()
    assert [*(strangers.repository / "reports").glob("job-7-*/postdeploy/report.html")]
    [saved] = [given for action, given in job.used if action.startswith("actions/cache/save")]
    assert Path(saved["path"]).parent.resolve() == strangers.repository / "reports"
    assert [*(strangers.store / "cache" / "ledger-prod-7-1").glob("ledger.db*")]


def test_a_bad_deployment_fails_the_job_with_20(strangers: Strangers) -> None:
    job = strangers.deployed(breaks=True)

    assert (job.conclusion, job.codes["End as the call says"]) == ("failure", 20), job.log
    assert "ROLL BACK" in job.summary
    assert leaks(job) == []


def test_an_advisory_job_says_roll_back_and_succeeds(strangers: Strangers) -> None:
    job = strangers.deployed(advisory=True, breaks=True)

    assert (job.conclusion, job.codes["End as the call says"]) == ("success", 0), job.log
    assert "## ⛔ ROLL BACK" in job.summary
    assert "> Advisory: the job succeeds whatever the call is." in job.summary
    [artifact] = job.artifacts
    verdict = json.loads((artifact / "postdeploy" / "verdict.json").read_text())
    assert (verdict["recommendation"], verdict["exit_code"]) == ("roll_back", 20)
    assert leaks(job) == []


def test_a_project_in_a_folder_is_annotated_by_its_path_in_the_repository(
    tmp_path: Path, strangers: Strangers
) -> None:
    origin = re.findall(r'url = "(.*)"', (strangers.repository / "environments" / "prod.toml").read_text())[0]
    for name in ("runbook.toml", "environments", "checks", "conftest.py", "pyproject.toml"):
        git(strangers.repository, "rm", "-rq", name)
    folder = strangers.repository / "ops" / "verify"
    folder.mkdir(parents=True)
    written(folder, origin, strangers.repository)
    given = {"environment: prod": "environment: prod\n          project: ops/verify"}
    job = strangers.deployed(breaks=True, edits=given)

    assert job.codes["End as the call says"] == 20, job.log
    assert any(one.startswith("::error file=ops/verify/runbook.toml,line=") for one in job.annotations)
    assert [*folder.glob("reports/job-7-*/postdeploy/report.html")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("project: elsewhere", "project elsewhere has no runbook.toml: run actions/checkout before"),
        ("project: ../notes", "project is no folder within the workspace"),
        ("project: /etc", "project is no folder within the workspace"),
        ("requirements: ../../x", "requirements is no file within the project"),
    ],
)
def test_a_wrong_input_is_one_clear_error(strangers: Strangers, given: str, told: str) -> None:
    edits = {"environment: prod": f"environment: prod\n          {given}"}
    job = strangers.deployed(edits=edits)

    assert job.conclusion == "failure"
    assert set(job.codes) == {"asked"}, "nothing else was run"
    assert f"INCONCLUSIVE: {told}" in job.summary


def test_advisory_is_true_or_false(strangers: Strangers) -> None:
    job = strangers.deployed(edits={"advisory: false": "advisory: yes please"})
    assert "INCONCLUSIVE: advisory is neither true nor false" in job.summary
    assert job.conclusion == "failure"


def test_the_package_is_installed_from_the_action_and_nothing_else_of_it_is_needed(
    strangers: Strangers, tmp_path: Path
) -> None:
    """The install step runs for real, and a requirements file of the project is installed with it."""
    (strangers.repository / "verify-requirements.txt").write_text("tomli-w\n")
    test = strangers.repository / "checks" / "postdeploy" / "test_generic.py"
    test.write_text(f"import tomli_w  # noqa: F401\n{test.read_text()}")
    given = {"environment: prod": "environment: prod\n          requirements: verify-requirements.txt"}
    job = strangers.deployed(edits=given, installs=True)

    assert job.conclusion == "success", job.log
    assert job.codes["install"] == 0
    assert "PROCEED" in job.summary


@pytest.mark.parametrize(("breaks", "code", "call"), [(False, 0, "PROCEED"), (True, 20, "ROLL BACK")])
def test_the_workflow_that_init_writes_says_the_same(
    strangers: Strangers,
    breaks: bool,  # noqa: FBT001
    code: int,
    call: str,
) -> None:
    job = strangers.deployed(breaks=breaks, workflow="verify.yml")

    [script] = job.codes.values()
    assert script == code, job.log
    assert call in job.summary
    assert leaks(job) == []
    assert PASSWORD in job.masks


def test_the_documented_workflow_asks_for_no_more_than_to_read() -> None:
    workflow = yaml.safe_load(documented(advisory=True))
    [job] = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
