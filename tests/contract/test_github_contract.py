"""What the client writes to GitHub keeps to GitHub's own description, and so does what it is answered.

github-statuses.json is an excerpt of that description as the npm package `@octokit/openapi` 23.0.2 has
it (MIT License, Copyright (c) 2020 Octokit contributors): the four operations that are used, without prose.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.github.settings import GitHub
from kamiyo_verify.integrations.github.statuses import GitHubStatuses
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.reporting.exports.github_status import commit_status, deployment_status
from tests.contract.conftest import Register
from tests.contract.validator import Contract, Seen
from tests.engine.reporting.exports.verdicts import VERDICTS
from tests.support.listeners import COMMIT, REPOSITORY, Listeners, listening

REPORT = "https://reports.example.com/prod/report.html"


@pytest.fixture(scope="session")
def contract(register: Register) -> Contract:
    text = (Path(__file__).parent / "github-statuses.json").read_text(encoding="utf-8")
    return register("github", Contract(json.loads(text)))


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    with listening() as found:
        yield found


@pytest.fixture
def statuses(listeners: Listeners) -> Iterator[GitHubStatuses]:
    token = Credential(name="GITHUB_TOKEN", value=SecretStr("ghs_" + "t" * 36))
    table = GitHub(address=listeners.origin, token=token, repository=REPOSITORY)
    until = time.monotonic() + 30
    context = ClientContext.unrecorded(Timeouts(), lambda: until - time.monotonic())
    with closing(GitHubStatuses(table, context)) as found:
        yield found


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("commit", [COMMIT, COMMIT[:7]])
def test_every_status_is_described_and_answered_as_described(
    contract: Contract, listeners: Listeners, statuses: GitHubStatuses, name: str, commit: str
) -> None:
    statuses.of_commit(commit, commit_status(VERDICTS[name], "kamiyo-verify", REPORT))
    statuses.of_deployment(commit, "production", deployment_status(VERDICTS[name], REPORT))
    for seen in listeners.wire.seen:
        contract.check(seen)
    (of_commit, _), (of_deployment, _) = listeners.received("POST")
    assert of_commit == f"/repos/{REPOSITORY}/statuses/{COMMIT}"
    assert of_deployment == f"/repos/{REPOSITORY}/deployments/7/statuses"
    assert all(one.request_headers["authorization"].startswith("Bearer ghs_") for one in listeners.wire.seen)


def test_a_commit_that_was_not_deployed_there_is_said_and_nothing_is_created(
    listeners: Listeners, statuses: GitHubStatuses
) -> None:
    with pytest.raises(NoAnswer, match="acme/platform has no deployment of 9c41d07 to 'staging'"):
        statuses.of_deployment(COMMIT, "staging", {"state": "failure"})
    assert listeners.received("POST") == []


def test_a_commit_that_github_does_not_know_is_named(statuses: GitHubStatuses) -> None:
    with pytest.raises(NoAnswer, match="has no commit abcdef1"):
        statuses.of_commit("abcdef1", {"state": "failure"})


def test_the_contract_can_fail(contract: Contract) -> None:
    body = b'{"state": "great"}'
    sent = Seen(
        "POST",
        f"/repos/{REPOSITORY}/statuses/{COMMIT}",
        201,
        request_headers={"content-type": "application/json"},
        request_body=body,
        answer_headers={"content-type": "application/json"},
        answer_body=body,
    )
    assert any("great" in problem for problem in contract.problems(sent))
