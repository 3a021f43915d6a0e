"""The Sentry client and the sandbox's Sentry keep to Sentry's own description."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.sentry.deploys import SentryDeploys
from kamiyo_verify.integrations.sentry.settings import Sentry as Table
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.reporting.exports.sentry_deploy import deploy_marker
from sandbox.outside.sentry_data import PROJECTS
from tests.contract.conftest import Register
from tests.contract.validator import Contract, Seen, described
from tests.engine.reporting.exports.verdicts import VERDICTS
from tests.support.listeners import listening
from tests.support.outside import COMMIT, Outside, outside

FAULTS = ("sentry-fatal", "sentry-regression", "error-spike", "dsn-of-another-project", "dsn-inactive")


@pytest.fixture(scope="session")
def contract(register: Register) -> Contract:
    return register("sentry", Contract(described("sentry-openapi.json")))


@pytest.fixture(scope="module", params=[(), FAULTS], ids=["healthy", "faulty"])
def living(request: pytest.FixtureRequest) -> Iterator[Outside]:
    with outside(*request.param) as system:
        yield system


def sent(living: Outside) -> list[Seen]:
    """What went over the wire, without the place at which the sandbox mounts it."""
    return [replace(seen, target=seen.target.removeprefix("/sentry")) for seen in living.wire.seen]


def test_every_call_of_the_client_is_described_and_answered_as_described(
    contract: Contract, living: Outside
) -> None:
    living.wire.seen.clear()
    now, sentry = living.world.now(), living.clients.sentry
    sentry.issues("is:unresolved", since=now - timedelta(hours=1))
    sentry.issues("")
    sentry.new_issues(now - timedelta(minutes=15))
    sentry.regressed(now - timedelta(minutes=15))
    sentry.error_counts(now - timedelta(hours=1), now)
    sentry.release(COMMIT)
    for project in PROJECTS:
        sentry.project(project.slug)
        sentry.dsn_keys(project.slug)

    seen = sent(living)
    for one in seen:
        contract.check(one)
        assert one.status == 200
    templates = {one.target.partition("?")[0].rstrip("/").rpartition("/")[2] for one in seen}
    assert {"issues", "events-timeseries", "keys", COMMIT, "kamiyo-api"} <= templates


def test_the_clients_pages_add_up(
    contract: Contract, living: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By their ids: when an issue was last seen goes with the clock, which may move on between the two.
    whole = [issue.id for issue in living.clients.sentry.issues("")]
    monkeypatch.setattr("kamiyo_verify.integrations.sentry.client._ROWS_A_PAGE", 2)
    living.wire.seen.clear()
    assert [issue.id for issue in living.clients.sentry.issues("")] == whole
    seen = sent(living)
    assert len(seen) == (len(whole) + 1) // 2
    for one in seen:
        contract.check(one)


@pytest.mark.parametrize("name", VERDICTS)
def test_a_deploy_is_marked_once_as_described(contract: Contract, name: str) -> None:
    until = time.monotonic() + 30
    context = ClientContext.unrecorded(Timeouts(), lambda: until - time.monotonic())
    with listening() as found:
        token = Credential(name="SENTRY_AUTH_TOKEN", value=SecretStr("t" * 64))
        table = Table(address=found.origin, token=token, organization="acme", projects=("api", "web"))
        marker = deploy_marker(VERDICTS[name], "production", table.projects, "https://reports.example.com")
        with closing(SentryDeploys(table, context)) as sentry:
            sentry.mark(COMMIT, marker)
            sentry.mark(COMMIT, marker)
        for one in found.wire.seen:
            contract.check(one)
        assert [one.method for one in found.wire.seen] == ["GET", "POST", "GET"]


def test_the_contract_can_fail(contract: Contract) -> None:
    """The validator is no rubber stamp: an unknown parameter, a wrong type and a missing field are found."""
    path = "/api/0/organizations/kamiyo/issues/"
    for target, body in (
        (f"{path}?colour=red", b"[]"),
        (f"{path}?limit=many", b"[]"),
        (path, b'[{"id": "1"}]'),
    ):
        headers = {"content-type": "application/json"}
        assert contract.problems(Seen("GET", target, 200, answer_headers=headers, answer_body=body))
