"""One PostgreSQL for a team: many writers at once, and a server that hangs never holds a run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from kamiyo_verify.config.ledger_address import encrypted
from kamiyo_verify.ledger.database import Database, LedgerUnavailable
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Ending
from tests.support.ledger_writer import recorded_with
from tests.support.ledgers import new_database
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import recorded
from tests.support.sandbox_process import wait_until
from tests.support.stalling_proxy import Stalling, stalling
from tests.support.stopwatch import Stopwatch
from tests.support.toy_project import ROOT, Toy

pytest_plugins = ["pytester"]

GOOD = """
@pytest.mark.item("postdeploy.health")
def test_health(measure):
    measure("latency", [1.0, 2.5], unit="ms")

@pytest.mark.item("postdeploy.data")
def test_data(): ...
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def stalled(server: str) -> Iterator[tuple[Stalling, str]]:
    """A proxy before a new ledger that exists already, and the ledger's URL through it."""
    url = new_database(server)
    Store(url).close()
    port = urlsplit(url).port
    assert port
    with stalling(port) as proxy:
        yield proxy, url.replace(f":{port}/", f":{proxy.port}/")


def writers(url: str, folder: Path, count: int, runs: int, items: int) -> list[subprocess.Popen[bytes]]:
    module = "tests.support.ledger_writer"
    return [
        subprocess.Popen(
            [sys.executable, "-m", module, url, f"w{n}", str(runs), str(folder / str(n)), str(items)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        for n in range(count)
    ]


def begin(processes: list[subprocess.Popen[bytes]]) -> None:
    """Let all of them write at once, when the last one has its runs in memory."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", process.communicate()[1].decode()
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None


@pytest.mark.exhaustive
def test_twenty_writers_of_ten_thousand_items_lose_nothing(server: str, tmp_path: Path) -> None:
    url, items = new_database(server), 10_000
    processes = writers(url, tmp_path, 20, 1, items)
    begin(processes)
    said = [process.communicate(timeout=500)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 20, "\n".join(said)

    alone = recorded_with(items, tmp_path / "alone", "alone")
    with Store.opened(url) as store:
        found = {one.run.id: one for one in store.recordings()}
    assert found.keys() == {f"w{n}-0" for n in range(20)}
    for one in found.values():
        assert one.run.verdict == alone.run.verdict
        assert one.run.results == alone.run.results
    with psycopg.connect(url) as connection:
        query = "SELECT count(*), count(DISTINCT (run_id, item)) FROM items"
        every = len(alone.run.verdict.items)
        assert every >= items
        assert connection.execute(query).fetchone() == (20 * every, 20 * every)


@pytest.mark.exhaustive
def test_a_writer_that_is_killed_leaves_whole_runs_or_none(server: str, tmp_path: Path) -> None:
    url = new_database(server)
    processes = writers(url, tmp_path, 4, 20, 500)
    begin(processes)
    with Store.opened(url) as store:
        wait_until(lambda: len(store.ids()) >= 6, within_s=60)
        for process in processes[:2]:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.communicate(timeout=120)
        assert [process.returncode for process in processes] == [-9, -9, 0, 0]
        found = [*store.recordings()]
    counts = {run: sum(one.run.id.startswith(f"w{run}-") for one in found) for run in range(4)}
    assert counts[2] == counts[3] == 20
    assert 0 < counts[0] + counts[1] < 40
    for one in found:
        assert one.run.ending is Ending.FINISHED
    with psycopg.connect(url) as connection:
        query = "SELECT DISTINCT count(*) FROM items GROUP BY run_id"
        assert len(connection.execute(query).fetchall()) == 1, "every run has all of its items"
        left = "SELECT count(*) FROM items WHERE run_id NOT IN (SELECT id FROM runs)"
        assert connection.execute(left).fetchone() == (0,)


@pytest.mark.exhaustive
def test_twenty_runs_at_once_come_to_the_call_of_one_alone(
    toy: Toy, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.check("postdeploy/test_a.py", GOOD)
    alone = toy.run("-m", "postdeploy", "--commit", "9c41d07")
    url = new_database(server)
    monkeypatch.setenv("KAMIYO_LEDGER_URL", url)
    processes = [toy.start("-m", "postdeploy", "--commit", "9c41d07") for _ in range(20)]
    for process in processes:
        out = process.communicate(timeout=300)[0].decode()
        assert process.returncode == alone.code
        assert "Ledger       not written" not in out
    with Store.opened(url) as store:
        runs = [one.run for one in store.recordings()]
    assert len({run.id for run in runs}) == len(runs) == 21, "the one alone is a leftover of this ledger"
    for run in runs:
        assert run.verdict.recommendation is alone.verdict.recommendation
        assert run.verdict.headline == alone.verdict.headline
        assert [item.status for item in run.verdict.items] == [item.status for item in alone.verdict.items]


def test_a_server_that_stops_answering_is_given_up(stalled: tuple[Stalling, str], tmp_path: Path) -> None:
    proxy, url = stalled
    database = Database(url, transaction_s=0.5)
    proxy.stalled.set()
    watch = Stopwatch()
    with pytest.raises(LedgerUnavailable, match="did not answer within"), database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert watch.seconds < 5
    database.close()
    assert watch.seconds < 5


def test_a_commit_whose_answer_is_lost_is_no_loss(stalled: tuple[Stalling, str], tmp_path: Path) -> None:
    proxy, url = stalled
    run = recorded(tmp_path)
    with Store.opened(url, transaction_s=1) as store:
        proxy.when_sent = b"COMMIT"
        with pytest.raises(LedgerUnavailable, match="did not answer within"):
            store.add(run)
    proxy.when_sent = b""
    proxy.stalled.clear()
    with Store.opened(url) as store:
        store.add(run)
        assert store.ids() == {run.run.id}


def test_a_server_that_says_nothing_at_all_is_given_up(stalled: tuple[Stalling, str]) -> None:
    proxy, url = stalled
    proxy.stalled.set()
    watch = Stopwatch()
    with pytest.raises(LedgerUnavailable) as caught:
        Database(f"{url}?connect_timeout=2")
    assert watch.seconds < 10
    assert "\n" not in str(caught.value)


@pytest.mark.exhaustive
def test_a_hung_ledger_changes_no_call_and_the_next_run_fills_it(
    toy: Toy, stalled: tuple[Stalling, str]
) -> None:
    proxy, url = stalled
    toy.check("postdeploy/test_a.py", GOOD)
    there = toy.run("-m", "postdeploy", env={"KAMIYO_LEDGER_URL": url})
    proxy.when_sent = b"INSERT INTO runs"
    hung = toy.run("-m", "postdeploy", env={"KAMIYO_LEDGER_URL": url})
    assert (hung.code, hung.verdict.recommendation) == (there.code, there.verdict.recommendation)
    assert "Ledger       not written; the verdict does not change: " in hung.out

    proxy.when_sent = b""
    proxy.stalled.clear()
    toy.run("-m", "postdeploy", env={"KAMIYO_LEDGER_URL": url})
    with Store.opened(url) as store:
        assert len(store.ids()) == 3


def test_a_server_without_tls_is_refused_where_it_is_required(server: str) -> None:
    with pytest.raises(LedgerUnavailable, match="SSL") as caught:
        Database(encrypted(server))
    password = urlsplit(server).password
    assert password
    assert password not in str(caught.value)


def test_a_password_among_the_parameters_is_not_shown() -> None:
    url = "postgresql://127.0.0.1:1/ledger?user=ledger&password=canary&sslpassword=canary"
    with pytest.raises(LedgerUnavailable) as caught:
        Database(url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://h:port/d", "postgresql://ledger@127.0.0.1/d?sslmode=canary"])
def test_a_url_that_is_no_address_is_told_in_one_line(url: str) -> None:
    with pytest.raises(LedgerUnavailable) as caught:
        Database(url)
    assert "\n" not in str(caught.value)
