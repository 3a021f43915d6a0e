"""The database from the runner's side: what only operators meet, and what the data itself proves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs import EXHAUSTIVE, Ran, brief_environment, ledger_in, variables, verify
from tests.support.hostile_server import Server, closing
from tests.support.pooler_process import pooler
from tests.support.sandbox_process import Sandbox, request, started

QUICK = "postdeploy and not performance"
DIRECT = "postdeploy.database-direct"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5") as sandbox:
        yield sandbox


@pytest.fixture
def fresh(running: Sandbox) -> Sandbox:
    """The running sandbox, healthy again."""
    request("DELETE", f"{running.control}/faults").raise_for_status()
    return running


def run(folder: Path, sandbox: Sandbox, *arguments: str, url: str = "", render: bool = True) -> Ran:
    """One run in a folder of its own, with the ledger of the parent folder."""
    folder.mkdir()
    environment = brief_environment(folder, sandbox)
    if not render:
        text = environment.read_text(encoding="utf-8")
        environment.write_text(
            re.sub(r"\n\[render\]\n.*?(?=\n\[)", "\n", text, flags=re.DOTALL), encoding="utf-8"
        )
    given = {**variables(sandbox), "SANDBOX_LEDGER_URL": ledger_in(folder.parent)}
    if url:
        given["SANDBOX_DATABASE_URL"] = url
    return verify(folder / "r", "-m", QUICK, f"--env={environment}", *arguments, variables=given)


def message(ran: Ran, item: str) -> str:
    return next(str(one["message"]) for one in ran.verdict["items"] if one["id"] == item)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:CaNaRy7Q@dpg-d1a2b3c4e5f6g7h8i9j0-a/kamiyo", "Render's internal name"),
        pytest.param(
            "postgresql://u:CaNaRy7Q@127.0.0.1:1/kamiyo?no_such_option=1",
            '"no_such_option"',
            marks=EXHAUSTIVE,
        ),
        pytest.param("postgresql://u:CaNaRy7Q@db:5432/kamiyo", "without a domain", marks=EXHAUSTIVE),
    ],
)
def test_an_address_that_only_we_cannot_reach_rolls_nothing_back(
    fresh: Sandbox, tmp_path: Path, url: str, told: str
) -> None:
    ran = run(tmp_path / "a", fresh, url=url)

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert ran.leaks == []
    assert told in message(ran, DIRECT)
    assert "SANDBOX_DATABASE_URL" in message(ran, DIRECT)
    assert {ran.statuses[DIRECT], ran.statuses["postdeploy.migrations-applied"]} == {"error"}


def test_a_closed_allow_list_is_named_and_rolls_nothing_back(fresh: Sandbox, tmp_path: Path) -> None:
    with Server(closing) as server:
        ran = run(tmp_path / "a", fresh, url=f"postgresql://u:CaNaRy7Q@127.0.0.1:{server.port}/kamiyo")

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert "allow list" in message(ran, DIRECT)
    assert "the API says that its database is healthy" in message(ran, DIRECT)


def test_behind_a_pooler_all_is_well(fresh: Sandbox, tmp_path: Path) -> None:
    with pooler(fresh.secret("DATABASE_URL")) as address:
        ran = run(tmp_path / "a", fresh, url=f"{address}?pgbouncer=true&connection_limit=1&schema=public")

    assert (ran.call, ran.code) == ("proceed", 0), ran.output


def test_rows_gone_since_the_baseline_are_lost_data(fresh: Sandbox, tmp_path: Path) -> None:
    run(tmp_path / "before", fresh, "--baseline")
    with fresh.fault("rows-gone"):
        ran = run(tmp_path / "after", fresh)
    healthy = run(tmp_path / "healthy", fresh)

    # The baseline is of the same commit: the rows are gone, and code of this commit did not take them.
    assert (ran.call, ran.code) == ("fix_forward", 10), ran.output
    assert "rows are gone since the baseline" in ran.verdict["headline"]
    assert ran.impacts == {"data"}
    assert (healthy.call, healthy.code) == ("proceed", 0), healthy.output


def test_without_the_host_the_baseline_tells_which_migrations_are_new(fresh: Sandbox, tmp_path: Path) -> None:
    with fresh.fault("unapplied-release"):
        run(tmp_path / "before", fresh, "--baseline", render=False)
    with fresh.fault("migration-applied-destructive"), fresh.fault("auth-misconfigured"):
        ran = run(tmp_path / "after", fresh, render=False)

    assert ran.call == "fix_forward", ran.output
    assert "code must not go back" in ran.verdict["headline"]
    assert any("DROP COLUMN" in one["message"] for one in ran.verdict["reasons"])
