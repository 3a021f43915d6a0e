"""The CI job as GitHub runs it: a push of a good and of a bad commit, follow-ups, and words from outside."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.outside.github import REPOSITORY
from tests.e2e.runs import CANARIES, CANARY, EXHAUSTIVE, brief_environment
from tests.support.github_runner import Job, Runner, clean_variables
from tests.support.sandbox_process import HOUSE, Sandbox, request, started

COMMIT = "5a" * 20
WORKFLOW = Path(".github/workflows/verify-deploy.yml")
SECRETS = {
    "KAMIYO_API_KEY": "API_KEY",
    "ADMIN_API_KEY": "ADMIN_KEY",
    "NEXTAUTH_SECRET": "NEXTAUTH_SECRET",
    "TEST_SESSION_TOKEN": "SESSION_TOKEN",
    "TEST_EMAIL": "EMAIL",
    "TEST_PASSWORD": "PASSWORD",
    "STRIPE_WEBHOOK_SECRET": "WEBHOOK_SECRET",
    "DATABASE_URL": "DATABASE_URL",
    "STRIPE_API_KEY": "STRIPE_API_KEY",
    "STATUSPAGE_API_KEY": "STATUSPAGE_API_KEY",
    "RENDER_API_KEY": "RENDER_API_KEY",
    "SENTRY_AUTH_TOKEN": "SENTRY_AUTH_TOKEN",
    "SENTRY_DSN": "SENTRY_DSN",
    "PAGERDUTY_TOKEN": "PAGERDUTY_TOKEN",
}
"""The workflow's secrets, and what the sandbox calls them."""

NUMBERS = itertools.count(9001)


@dataclass
class Shop:
    """A repository that deploys to the sandbox, with its runner."""

    sandbox: Sandbox
    folder: Path
    run_id: str = ""
    """Of the last job; every job of the sandbox has another."""

    def job(self, event: str, **more: Any) -> Job:
        self.run_id = str(next(NUMBERS))
        settings = self.sandbox.launched["settings"]
        github = {
            "event_name": event,
            "event": {"client_payload": more.pop("payload")} if "payload" in more else {},
            "sha": COMMIT,
            "repository": REPOSITORY,
            "run_id": self.run_id,
            "run_attempt": "1",
            "token": self.sandbox.secret("GITHUB_TOKEN"),
        }
        variables = clean_variables(
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_RUN_ID=self.run_id,
            GITHUB_RUN_ATTEMPT="1",
            GITHUB_SERVER_URL=f"file://{self.folder}/git",
            GITHUB_API_URL=settings["github.address"],
            PYTEST_ADDOPTS="-p no:cacheprovider -p no:anyio -k 'not browser'",
        )
        secrets = {name: self.sandbox.secret(ours) for name, ours in SECRETS.items()}
        runner = Runner(
            workspace=self.checkout(),
            store=self.folder / "store",
            github=github,
            variables=variables,
            secrets=secrets,
            vars=more.pop("vars", {"KAMIYO_ENVIRONMENT": "brief"}),
            inputs=more.pop("inputs", {}),
        )
        return runner.run(runner.workspace / WORKFLOW, "verify")

    def checkout(self) -> Path:
        """A fresh one, as every job gets it; the environment is the sandbox that runs already."""
        target = self.folder / f"checkout-{self.run_id}"
        for name in ("plugins", "checks", "environments", ".github"):
            shutil.copytree(HOUSE / name, target / name)
        for name in ("runbook.toml", "conftest.py", "pyproject.toml", "action.yml"):
            shutil.copy2(HOUSE / name, target)
        text = brief_environment(self.folder, self.sandbox).read_text(encoding="utf-8")
        for name, ours in SECRETS.items():
            text = text.replace(f'"SANDBOX_{ours}"', f'"{name}"')
        text = text.replace('"SANDBOX_LEDGER_URL"', '"KAMIYO_LEDGER_URL"')
        # The release is live already, and its maintenance over: nobody can see that it was announced.
        text, times = re.subn(r'own_page_id = ".*"', 'own_page_id = ""', text)
        assert times == 1
        (target / "environments" / "brief.toml").write_text(text, encoding="utf-8")
        return target

    @property
    def comments(self) -> list[dict[str, Any]]:
        """Those of the last job."""
        address = self.sandbox.launched["settings"]["github.address"]
        headers = {"Authorization": f"Bearer {self.sandbox.secret('GITHUB_TOKEN')}"}
        answer = request("GET", f"{address}/repos/{REPOSITORY}/commits/{COMMIT}/comments", headers=headers)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return [one for one in found if f"brief/{self.run_id} -->" in one["body"]]

    def logged(self, path: str = "DEPLOYMENTS.md") -> str:
        bare = self.folder / "git" / REPOSITORY
        done = subprocess.run(
            ["git", "-C", bare, "show", f"deployment-log:{path}"], capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5", "--commit", COMMIT, environment=CANARIES) as sandbox:
        yield sandbox


def opened(sandbox: Sandbox, folder: Path) -> Shop:
    request("DELETE", f"{sandbox.control}/faults").raise_for_status()
    request("POST", f"{sandbox.control}/scenes/postdeploy").raise_for_status()
    subprocess.run(["git", "init", "--quiet", "--bare", folder / "git" / REPOSITORY], check=True)
    return Shop(sandbox, folder)


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    return opened(sandbox, tmp_path)


@pytest.fixture(scope="module")
def bad(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Shop]:
    """A push of a commit that breaks the sign-in."""
    shop = opened(sandbox, tmp_path_factory.mktemp("bad"))
    with sandbox.fault("auth-misconfigured"):
        return shop.job("push"), shop


def leaks(job: Job, shop: Shop) -> list[str]:
    """Where a secret of the sandbox is seen, in anything that leaves the job."""
    texts = {
        "log": job.log,
        "summary": job.summary,
        "outputs": json.dumps(job.outputs),
        "comments": json.dumps(shop.comments),
        "deployment log": shop.logged(),
    }
    for folder in job.artifacts:
        texts |= {path.name: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    return [where for where, text in texts.items() if CANARY.casefold() in text.casefold()]


def test_a_push_of_a_bad_commit_says_roll_back(bad: tuple[Job, Shop]) -> None:
    job, shop = bad
    assert job.conclusion == "failure", job.log
    assert job.outputs["recommendation"] == "roll_back", job.log
    assert job.outputs["exit-code"] == "20"
    assert job.outputs["report"] == f"https://github.com/artifacts/verification-brief-{shop.run_id}-1"
    assert "ROLL BACK · brief, commit 5a5a5a5" in job.summary
    assert "authentication is broken" in job.summary
    assert "| deploy |" in job.summary
    assert "| postdeploy, performance | ROLL BACK |" in job.summary
    first, *others = job.annotations
    assert first.startswith("::error title=ROLL BACK%3A brief%2C commit 5a5a5a5::authentication is broken")
    assert any(
        re.match(r"::error file=runbook\.toml,line=\d+,title=postdeploy\.auth", one) for one in others
    ), others


def test_a_push_of_a_bad_commit_is_written_down(bad: tuple[Job, Shop]) -> None:
    job, shop = bad
    [comment] = shop.comments
    assert comment["body"].startswith(f"<!-- kamiyo-verify brief/{shop.run_id} -->\n## ⛔ ROLL BACK")
    assert f"[The reports](<{job.outputs['report']}>)" in comment["body"]
    row = next(line for line in shop.logged().splitlines() if "5a5a5a5a5a5a" in line)
    assert "| brief | 5a5a5a5a5a5a | deploy, postdeploy | [ROLL BACK](<brief/" in row
    entry = re.search(r"<(brief/[^>]*)/README\.md>", row)
    assert entry
    assert "<html" in shop.logged(f"{entry[1]}/postdeploy-report.html").lower()
    assert "deployment log entry" in shop.logged(f"{entry[1]}/README.md")
    [artifact] = job.artifacts
    assert {"round.json", "deploy", "postdeploy"} <= {path.name for path in artifact.iterdir()}
    saved = [given for action, given in job.used if action.startswith("actions/cache/save")]
    assert [given["key"] for given in saved] == [f"ledger-brief-{shop.run_id}-1"]


def test_nothing_that_leaves_the_job_holds_a_secret(bad: tuple[Job, Shop]) -> None:
    assert leaks(*bad) == []


def test_the_token_that_may_write_reaches_the_comment_and_the_log_alone(bad: tuple[Job, Shop]) -> None:
    job, shop = bad
    token = shop.sandbox.secret("GITHUB_TOKEN")
    holding = {name for name, variables in job.variables.items() if token in variables.values()}
    assert holding == {"Comment on the commit", "Append to the deployment log"}


@EXHAUSTIVE
def test_a_push_of_a_good_commit_says_proceed_and_is_followed_up(shop: Shop) -> None:
    job = shop.job("push")

    assert job.outputs["recommendation"] == "proceed", job.log
    assert job.conclusion == "success"
    assert "## ✅ PROCEED · brief" in job.summary
    assert [one.partition(" ")[0] for one in job.annotations] == ["::notice"]
    assert "[PROCEED](<brief/" in shop.logged()
    assert leaks(job, shop) == []

    # The ledger came back: it knows of the deployment, and nothing is due of it yet.
    soon = shop.job("schedule")
    assert (soon.conclusion, soon.outputs["recommendation"]) == ("success", "none"), soon.log
    assert "nothing is due of 5a5a5a5: +1 h comes next" in soon.log
    assert not soon.artifacts
    assert shop.comments == []


@EXHAUSTIVE
def test_a_follow_up_that_is_due_is_made_once(shop: Shop) -> None:
    request("POST", f"{shop.sandbox.control}/scenes/followup").raise_for_status()
    assert shop.job("workflow_dispatch", inputs={"environment": "brief", "phases": "deploy"}).artifacts
    job = shop.job("schedule")

    assert "+1 h, +24 h, +1 week of 5a5a5a5: due" in job.log
    assert job.outputs["recommendation"] == "proceed", job.log
    assert "| followup | PROCEED |" in job.summary
    assert len(shop.comments) == 1
    assert shop.logged().count("| followup |") == 1
    again = shop.job("schedule")
    assert again.outputs["recommendation"] == "none", again.log


@EXHAUSTIVE
def test_a_build_that_fails_ends_with_the_deploy_and_still_says_so(shop: Shop) -> None:
    request("POST", f"{shop.sandbox.control}/faults/build-failed").raise_for_status()
    request("POST", f"{shop.sandbox.control}/scenes/deploy").raise_for_status()
    job = shop.job("repository_dispatch", payload={"commit": COMMIT, "environment": "brief"})

    assert job.conclusion == "failure", job.log
    assert job.outputs["recommendation"] not in {"proceed", "inconclusive", "roll_back"}, job.log
    assert "not run: the commit did not go live" in job.summary


@pytest.mark.parametrize(
    ("event", "more"),
    [
        pytest.param(
            "repository_dispatch",
            {"payload": {"commit": f"{COMMIT}\n::error::x", "environment": "brief"}},
            id="lines",
        ),
        pytest.param(
            "repository_dispatch",
            {"payload": {"commit": "$(touch pwned)", "environment": "brief"}},
            id="commit",
            marks=EXHAUSTIVE,
        ),
        pytest.param(
            "repository_dispatch",
            {"payload": {"commit": COMMIT, "environment": '"; touch pwned; "'}},
            id="script",
            marks=EXHAUSTIVE,
        ),
        pytest.param(
            "repository_dispatch",
            {"payload": {"commit": COMMIT, "environment": "../secrets"}},
            id="path",
            marks=EXHAUSTIVE,
        ),
        pytest.param(
            "workflow_dispatch",
            {"inputs": {"environment": "brief", "phases": "deploy\n::add-mask::x"}},
            id="phases",
            marks=EXHAUSTIVE,
        ),
    ],
)
def test_words_from_outside_are_words(event: str, more: dict[str, Any], shop: Shop) -> None:
    job = shop.job(event, **more)

    assert (job.conclusion, job.outputs["recommendation"]) == ("failure", "inconclusive")
    assert set(job.variables) == {"asked"}, "nothing else was run"
    assert "INCONCLUSIVE" in job.summary
    assert len(job.annotations) == 1
    assert not [*shop.folder.rglob("pwned")]


@EXHAUSTIVE
def test_an_environment_that_is_none_is_told_and_nothing_is_written_down(shop: Shop) -> None:
    job = shop.job("workflow_dispatch", inputs={"environment": "nowhere"})

    assert (job.conclusion, job.outputs["recommendation"]) == ("failure", "inconclusive")
    assert "INCONCLUSIVE" in job.summary
    assert "left no verdict (exit code 4)" in job.summary
