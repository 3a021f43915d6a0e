"""The sandbox's services together: the website lives on the same API, database and faults."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from sandbox.faults import FAULTS
from tests.support.sandbox_process import Sandbox, request, started


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started() as running:
        yield running


def website(sandbox: Sandbox, path: str) -> httpx2.Response:
    cookies = {"next-auth.session-token": sandbox.secret("SESSION_TOKEN")}
    return request("GET", sandbox.frontend + path, cookies=cookies)


def test_the_home_page_is_served(sandbox: Sandbox) -> None:
    assert "KAMIYO" in website(sandbox, "/").text


def test_the_seeded_session_is_that_of_the_test_account(sandbox: Sandbox) -> None:
    assert website(sandbox, "/api/auth/session").json()["user"]["email"] == sandbox.secret("EMAIL")


def test_the_website_passes_the_health_of_the_api_on(sandbox: Sandbox) -> None:
    told, passed_on = sandbox.get("/health").json(), website(sandbox, "/api/health").json()
    assert passed_on["database_exploits"] == told["database_exploits"]


def test_without_the_database_nobody_is_signed_in(sandbox: Sandbox) -> None:
    with sandbox.fault("database-down"):
        assert website(sandbox, "/api/auth/session").json() == {}
        assert website(sandbox, "/api/health").status_code == 503
    assert website(sandbox, "/api/health").status_code == 200
    assert website(sandbox, "/api/auth/session").json()["user"]["email"] == sandbox.secret("EMAIL")


def test_both_services_name_the_same_commit(sandbox: Sandbox) -> None:
    def commits() -> set[str]:
        return {sandbox.get("/health").headers["X-Commit"], website(sandbox, "/").headers["X-Commit"]}

    [right] = commits()
    with sandbox.fault("wrong-commit"):
        [wrong] = commits()
    assert right != wrong


def test_every_fault_can_be_on_at_once_and_leaves_no_trace(sandbox: Sandbox) -> None:
    for name in FAULTS:
        request("POST", f"{sandbox.control}/faults/{name}").raise_for_status()
    assert request("GET", f"{sandbox.control}/faults").json()["on"] == sorted(FAULTS)
    request("DELETE", f"{sandbox.control}/faults").raise_for_status()
    assert sandbox.get("/health").json()["status"] == "healthy"
    assert website(sandbox, "/api/auth/session").json()["user"]["email"] == sandbox.secret("EMAIL")
