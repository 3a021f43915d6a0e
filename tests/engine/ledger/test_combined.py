"""The call of several places is one call of one deployment, whatever each place saw alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kamiyo_verify.cli.combine import main
from kamiyo_verify.evidence.recording import read_recording
from kamiyo_verify.judge.history.deployments import deployments
from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.judge.rollback.targets import bad_commits
from kamiyo_verify.ledger.combined import identity
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Status
from tests.support.evidence_for import SIGN_IN, result
from tests.support.ledgers import new_database
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import EPOCH, moment, recorded, written

BROKEN = result(SIGN_IN, Status.FAILED, "sign-in answers 500")
PLACES = ("frankfurt", "tokyo", "virginia")
ENVIRONMENT = '[services.api]\nurl = "http://127.0.0.1:9"\n'
LATELY = (datetime.now(UTC) - EPOCH).total_seconds() / 60 - 10


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("server"))
    with Store.opened(url) as store:
        yield store


def seen(
    store: Store, folder: Path, broken: int, *, record: bool = True, faults: tuple[str, ...] = ()
) -> Verdict:
    """The combined verdict of three places, of which so many see a broken sign-in."""
    verdicts = []
    for number, place in enumerate(PLACES):
        results: tuple[Result, ...] = (BROKEN,) if number < broken else ()
        run = recorded(
            folder, *results, run=f"at-{place}", minute=number, commit="9c41d07", place=place, faults=faults
        )
        if record:
            store.add(run)
        verdicts.append(run.run.verdict)
    return combine(verdicts, Policy(), datetime.fromisoformat(moment(10)))


def test_one_bad_place_condemns_no_commit(store: Store, tmp_path: Path) -> None:
    verdict = seen(store, tmp_path, 1)
    assert verdict.recommendation is Action.FIX_FORWARD
    calls = [run.recommendation for run in store.past("staging")]
    assert calls == [Action.ROLL_BACK, Action.PROCEED, Action.PROCEED]
    assert store.combine(verdict)

    past = store.past("staging")
    assert len(past) == 4
    assert {run.recommendation for run in past} == {Action.FIX_FORWARD}
    [record] = deployments(past)
    assert len(record.runs) == 4
    assert bad_commits([record], past) == ()


def test_all_places_bad_is_a_bad_deployment(store: Store, tmp_path: Path) -> None:
    store.combine(seen(store, tmp_path, 3))
    past = store.past("staging")
    [record] = deployments(past)
    assert record.succeeded is False
    assert bad_commits([record], past) == ("9c41d07",)


def test_the_same_runs_are_combined_once(store: Store, tmp_path: Path) -> None:
    verdict = seen(store, tmp_path, 1)
    assert [store.combine(verdict), store.combine(verdict)] == [True, False]
    [shown] = [run for run in store.outlines("staging") if run.id == identity(verdict)]
    assert (shown.headline, shown.folder, shown.drill) == (verdict.headline, "", False)
    assert store.outlines("prod") == ()


def test_a_call_whose_runs_are_in_other_ledgers_counts_by_itself(store: Store, tmp_path: Path) -> None:
    verdict = seen(store, tmp_path, 3, record=False)
    store.combine(verdict)
    [run] = store.past("staging")
    assert (run.id, run.recommendation, run.blamed) == (identity(verdict), Action.ROLL_BACK, True)
    assert run.deployed.commit == "9c41d07"


def test_a_call_of_drills_does_not_count(store: Store, tmp_path: Path) -> None:
    verdict = seen(store, tmp_path, 3, faults=("slow",))
    store.combine(verdict)
    assert store.past("staging") == ()
    assert [run.drill for run in store.outlines("staging")] == [True] * 4


def test_it_is_removed_with_its_runs(store: Store, tmp_path: Path) -> None:
    verdict = seen(store, tmp_path, 1)
    store.combine(verdict)
    store.remove({run.id for run in store.outlines("staging")}, at=moment(20))
    assert store.outlines("staging") == ()
    assert store.past("staging") == ()


def test_the_command_records_it_where_the_project_has_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KAMIYO_LEDGER_URL", raising=False)
    runs = []
    for number, place in enumerate(PLACES):
        path = written(tmp_path / place, run=place, minute=LATELY + number, commit="9c41d07", place=place)
        assert read_recording(path).run.verdict.place == place
        runs.append(str(path))
    assert main(runs) == 0
    assert not (tmp_path / "reports" / "ledger.db").exists()

    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "staging.toml").write_text(ENVIRONMENT)
    assert [main(runs), main(runs)] == [0, 0]
    with Store.opened(f"sqlite:///{tmp_path}/reports/ledger.db") as store:
        [run] = store.past("staging")
    assert run.recommendation is Action.PROCEED
    assert capsys.readouterr().err == ""

    monkeypatch.setenv("KAMIYO_LEDGER_URL", "postgresql://ledger:canary@127.0.0.1:1/ledger")
    assert main(runs) == 0
    told = capsys.readouterr().err
    assert told.startswith("Ledger       not written; the verdict does not change: ")
    assert "canary" not in told
