"""Old runs are removed whole, only those that were shown, and do not come back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kamiyo_verify.cli.ledger.command import main
from kamiyo_verify.evidence.recording import run_id
from kamiyo_verify.hooks.session_end.ledger import readable
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.ledger.leftovers import import_leftovers
from kamiyo_verify.ledger.report_locations import ReportLocations
from kamiyo_verify.ledger.schema import ITEMS, METADATA, RUNBOOKS
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from tests.support.ledgers import engine_of, new_database
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import EPOCH, moment, recorded, written

ROOT = Path(__file__).parents[3]
LATELY = (datetime.now(UTC) - EPOCH).total_seconds() / 60
DAY = 24 * 60.0
ENVIRONMENT = """
[services.api]
url = "http://127.0.0.1:9"

[ledger]
keep_days = 60
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return new_database(request.getfixturevalue("server"))


def counts(url: str) -> dict[str, int]:
    with engine_of(url) as engine, engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
        }


def test_what_belongs_to_a_removed_run_goes_with_it(url: str, tmp_path: Path) -> None:
    with Store.opened(url) as store:
        store.add(recorded(tmp_path, run="stays"))
        before = counts(url)
        store.add(recorded(tmp_path, run="goes", minute=1, commit="9c41d07"))
        store.remove({"goes", "never-was"}, at=moment(9))
        assert store.ids() == {"stays"}
        assert store.known() == {"stays", "goes"}
    assert counts(url) == before | {"removed": 1}


def test_a_runbook_goes_with_the_last_run_that_used_it(url: str, tmp_path: Path) -> None:
    with Store.opened(url) as store:
        store.add(recorded(tmp_path, run="one"))
        store.remove({"one"}, at=moment(9))
        assert counts(url)[RUNBOOKS.name] == counts(url)[ITEMS.name] == 0
        assert store.add(recorded(tmp_path, run="two"))


def test_thousands_are_removed_at_once(url: str) -> None:
    with Store.opened(url) as store:
        store.remove({f"run-{n}" for n in range(40_000)}, at=moment(9))


def test_a_decision_that_comes_meanwhile_keeps_everything(url: str, tmp_path: Path) -> None:
    with Store.opened(url) as store:
        for name in ("one", "two"):
            store.add(recorded(tmp_path, run=name))
        before = counts(url)
        store.decide(Decision(run="two", deed=DecisionKind.KEPT, who="Ada", at=moment(5)))
        with pytest.raises(LedgerUnavailable):
            store.remove({"one", "two"}, at=moment(9))
    assert counts(url) == before | {"decisions": 1}


def test_a_removed_run_does_not_come_back_from_its_report(url: str, tmp_path: Path) -> None:
    where = ReportLocations(tmp_path, "staging")
    written(tmp_path / "staging" / "1", run="old")
    with Store.opened(url) as store:
        assert import_leftovers(store, where, identify=run_id, read=readable) == 1
        store.remove({"old"}, at=moment(9))
        assert import_leftovers(store, where, identify=run_id, read=readable) == 0
        assert store.ids() == frozenset()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project whose ledger has four old runs, one of them decided about, and a hundred younger ones."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("KAMIYO_LEDGER_URL", url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "shop.toml").write_text(ENVIRONMENT)
    (tmp_path / "runbook.toml").write_text((ROOT / "runbook.toml").read_text())
    with Store.opened(url) as store:
        for n in range(104):
            age = n * 0.4 if n < 100 else 100 + n
            minute, commit = LATELY - age * DAY - 2, f"{n:07x}" + "c" * 33
            store.add(
                recorded(tmp_path / "runs", run=f"r{n}", minute=minute, commit=commit, environment="shop")
            )
        store.decide(Decision(run="r102", deed=DecisionKind.KEPT, who="Ada", at=moment(0)))
    return url


def ids(url: str) -> frozenset[str]:
    with Store.opened(url) as store:
        return store.ids()


def test_what_goes_is_shown_and_asked_for(
    project: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["--env", "shop", "prune"]) == 0
    out = capsys.readouterr().out
    assert "shop: 100 runs within the limits" in out
    assert "1 older run kept: people recorded a decision about it" in out
    assert "3 runs to remove" in out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("  ")] == ["r103", "r101", "r100"]
    assert "Remove 3 runs from the ledger, for good? Type yes: " in out
    assert "removed 3 runs from " in out
    assert ids(project) == {f"r{n}" for n in range(100)} | {"r102"}


@pytest.mark.parametrize("answer", ["", "no\n", "y\n", "YES\n"])
def test_any_other_answer_removes_nothing(
    project: str, answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["--env", "shop", "prune"]) == 1
    assert capsys.readouterr().err == "nothing was removed\n"
    assert len(ids(project)) == 104


def test_a_job_need_not_be_asked_and_twice_is_as_once(
    project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--env", "shop", "prune", "--yes"]) == 0
    capsys.readouterr()
    assert main(["--env", "shop", "prune", "--yes"]) == 0
    assert "0 runs to remove" in capsys.readouterr().out
    assert len(ids(project)) == 101


@pytest.mark.usefixtures("project")
def test_without_limits_or_an_environment_nothing_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", "--yes"]) == 2
    assert "name an environment" in capsys.readouterr().err
    Path("environments/shop.toml").write_text(ENVIRONMENT.replace("keep_days = 60", ""))
    assert main(["--env", "shop", "prune", "--yes"]) == 2
    assert "set keep_days or keep_runs in [ledger] of environments/shop.toml" in capsys.readouterr().err
    Path("environments/shop.toml").write_text(ENVIRONMENT.replace("60", "-1"))
    assert main(["--env", "shop", "prune", "--yes"]) == 2
    assert "keep_days" in capsys.readouterr().err
