"""The ledger keeps what it is given, whoever else is writing, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from kamiyo_verify.evidence.lock import hold
from kamiyo_verify.evidence.recording import judged, read_recording, run_id
from kamiyo_verify.hooks.session_end.ledger import readable
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.ledger.leftovers import import_leftovers
from kamiyo_verify.ledger.report_locations import ReportLocations
from kamiyo_verify.ledger.schema import METADATA
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.earlier import ANY_ITEM
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind, Ending
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Action, Attribution, Phase, Status
from tests.support.evidence_for import COMMIT, ERRORS, HEALTH, LATENCY, SIGN_IN, measured, result
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import EPOCH, moment, recorded, written

ROOT = Path(__file__).parents[3]
FAILED = Status.FAILED

NewLedger = Callable[[], str]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> NewLedger:
    """Makes the URL of a database that nobody has opened yet."""

    def in_postgres() -> str:
        url: str = request.getfixturevalue("server")
        name = f"ledger_{uuid.uuid4().hex}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return url.rpartition("/")[0] + f"/{name}"

    def in_a_file() -> str:
        return f"sqlite:///{tmp_path / uuid.uuid4().hex}"

    return in_postgres if request.param == "postgresql" else in_a_file


@pytest.fixture
def store(new_ledger: NewLedger) -> Iterator[Store]:
    with Store.opened(new_ledger()) as store:
        yield store


def test_a_run_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    samples = measured(LATENCY, response_times=(210.5, 198.0, 512.25))
    run = recorded(tmp_path, result(SIGN_IN, FAILED), samples, run="r1", commit="9c41d07", without=(HEALTH,))

    assert store.add(run)
    [found] = store.recordings()
    assert found.run == run.run
    assert (found.evidence, found.runbook, found.exitstatus) == (run.evidence, run.runbook, run.exitstatus)
    assert judged(found) == run.run.verdict
    assert found.deployed is not None
    assert found.deployed.commit == "9c41d07"


def test_a_run_is_kept_once(store: Store, tmp_path: Path) -> None:
    run = recorded(tmp_path)
    assert [store.add(run), store.add(run)] == [True, False]
    assert store.ids() == {run.run.id}


def test_the_tables_are_those_that_the_steps_make(new_ledger: NewLedger) -> None:
    url = new_ledger()
    Store(url).close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    made = inspect(engine)
    for table in METADATA.tables.values():
        columns = {column["name"]: column for column in made.get_columns(table.name)}
        assert columns.keys() == {column.name for column in table.columns}
        for column in table.columns:
            assert columns[column.name]["nullable"] == column.nullable, (table.name, column.name)
            theirs, ours = columns[column.name]["type"], column.type
            assert theirs._type_affinity is ours._type_affinity, (table.name, column.name)
        assert made.get_pk_constraint(table.name)["constrained_columns"] == [
            column.name for column in table.primary_key
        ]
        assert {index["name"] for index in made.get_indexes(table.name)} == {
            index.name for index in table.indexes
        }
    assert {*made.get_table_names()} == {*METADATA.tables, "alembic_version"}
    engine.dispose()


@pytest.mark.parametrize("writers", [2, 4])
def test_several_first_starts_and_writers_at_once_lose_nothing(
    new_ledger: NewLedger, tmp_path: Path, writers: int
) -> None:
    url, runs = new_ledger(), 10
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.ledger_writer",
                url,
                f"w{n}",
                str(runs),
                str(tmp_path / str(n)),
            ],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        for n in range(writers)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    said = [process.communicate(timeout=120)[1].decode() for process in processes]

    assert [process.returncode for process in processes] == [0] * writers, "\n".join(said)
    with Store.opened(url) as store:
        found = [*store.recordings()]
    assert {one.run.id for one in found} == {f"w{w}-{n}" for w in range(writers) for n in range(runs)}
    assert all(one.run.results and one.run.verdict.items for one in found)


def test_the_last_good_run_is_the_one_to_compare_with(store: Store, tmp_path: Path) -> None:
    store.add(recorded(tmp_path, run="good", minute=0, commit="aaaaaaa"))
    store.add(recorded(tmp_path, run="taken-back", minute=10))
    store.decide(Decision(run="taken-back", deed=DecisionKind.ROLLED_BACK, who="Ada", at=moment(15)))
    store.add(recorded(tmp_path, result(SIGN_IN, FAILED), run="bad", minute=20))
    store.add(recorded(tmp_path, run="killed", minute=30, cut=2))
    store.add(recorded(tmp_path, run="other", minute=40, environment="prod"))
    store.add(recorded(tmp_path, run="before-deploy", minute=50, baseline=True))
    store.add(recorded(tmp_path, run="only-preflight", minute=55, phases=(Phase.PREFLIGHT,)))
    store.add(recorded(tmp_path, run="later", minute=60))

    good = store.last_good("staging", before=moment(58))
    assert good is not None
    assert (good.id, good.commit, good.verdict.recommendation) == ("good", "aaaaaaa", Action.PROCEED)
    assert good.age(EPOCH + timedelta(minutes=58)) == timedelta(minutes=57)
    assert good.result(HEALTH) is not None
    assert store.last_good("staging", before=moment(0.5)) is None
    before = store.last_baseline("staging", before=moment(58))
    assert before is not None
    assert before.id == "before-deploy"
    assert store.last_baseline("staging", before=moment(50)) is None


def test_each_place_is_compared_with_its_own_past(store: Store, tmp_path: Path) -> None:
    store.add(recorded(tmp_path, run="here", minute=0, place="frankfurt"))
    store.add(recorded(tmp_path, run="baseline-here", minute=2, baseline=True, place="frankfurt"))
    store.add(recorded(tmp_path, run="there", minute=4, place="virginia"))
    store.add(recorded(tmp_path, run="baseline-there", minute=6, baseline=True, place="virginia"))

    good = store.last_good("staging", before=moment(58), place="frankfurt")
    before = store.last_baseline("staging", before=moment(58), place="frankfurt")
    assert good is not None
    assert before is not None
    assert (good.id, before.id) == ("here", "baseline-here")
    assert store.last_good("staging", before=moment(58), place="tokyo") is None
    assert store.last_baseline("staging", before=moment(58)) is None


def test_what_runs_of_a_commit_sampled_is_read_at_once(store: Store, tmp_path: Path) -> None:
    def add(run: str, minute: float, *results: Result, **more: Any) -> None:
        counts = measured(ERRORS, errors=1, requests=300, sent_at=(0.0, 1.0), p95=40)
        store.add(recorded(tmp_path / run, *(results or (counts,)), run=run, minute=minute, **more))

    add("old", -100, commit="9c41d07")
    add("first", 0, commit="9c41d07")
    add("elsewhere", 1, commit="9c41d07", place="Oslo")
    add("of another environment", 1, commit="9c41d07", environment="prod")
    add("a drill", 2, commit="9c41d07", faults=("slow",))
    add("a baseline", 3, commit="9c41d07", baseline=True)
    add("of another commit", 4, measured(COMMIT, api_commit="3b0cca2"), commit="3b0cca2")
    add("cut short", 5, commit="9c41d07", cut=2)
    broke = result(ERRORS, Status.ERROR, attribution=Attribution.PROBER)
    add("disturbed", 6, replace(measured(ERRORS, errors=9, requests=9), status=broke.status,
        message="our own network", attribution=broke.attribution), commit="9c41d07")  # fmt: skip

    names = {ERRORS: ("errors", "requests", "sent_at"), COMMIT: ()}
    found = store.sampled("staging", names, place="", since=moment(-10))
    of_any = store.sampled("staging", {ANY_ITEM: ("requests",)}, place="", since=moment(-10))
    assert {run.id: [*run.measurements] for run in of_any} == {
        run.id: [ERRORS] for run in found if ERRORS in run.measurements
    }
    assert [run.id for run in found] == ["first", "of another commit", "cut short", "disturbed"]
    first, other, cut_short, disturbed = found
    assert (first.commit, first.started_at, first.finished_at) == ("9c41d07", moment(0), moment(1))
    assert {taken.name: taken.value for taken in first.measurements[ERRORS]} == {
        "errors": 1,
        "requests": 300,
        "sent_at": (0.0, 1.0),
    }
    assert [taken.value for taken in other.measurements[COMMIT]] == ["3b0cca2"]
    assert cut_short.measurements == first.measurements, "cutting a run short hides nothing"
    assert disturbed.disturbed == {ERRORS}
    assert not first.disturbed


def test_the_history_leaves_out_what_says_nothing_of_deployments(store: Store, tmp_path: Path) -> None:
    counted = measured(ERRORS, errors=1, requests=120)
    store.add(recorded(tmp_path, counted, run="one", minute=0, commit="aaaaaaa"))
    store.add(recorded(tmp_path, counted, run="drill", minute=1, faults=["slow"]))
    store.add(recorded(tmp_path, counted, run="before", minute=2, baseline=True))
    store.add(recorded(tmp_path, counted, run="killed", minute=3, cut=1))
    store.decide(Decision(run="one", deed=DecisionKind.KEPT, who="Ada", at=moment(9), note="a false alarm"))

    [run] = store.past("staging")
    assert (run.id, run.deployed.commit, run.deeds) == ("one", "aaaaaaa", (("kept", moment(9)),))
    assert run.shares["error-rate"] == pytest.approx(1 / 120)
    assert store.decisions("staging")[0].note == "a false alarm"
    assert store.find("o") == ("one",)


def test_of_an_answering_commit_too_there_is_a_deployment(store: Store, tmp_path: Path) -> None:
    store.add(recorded(tmp_path, measured(COMMIT, api_commit="bbbbbbb", frontend_commit="bbbbbbb")))
    [run] = store.past("staging")
    assert run.deployed.commit == "bbbbbbb"


def test_what_was_killed_is_imported_once_by_whoever_comes(store: Store, tmp_path: Path) -> None:
    where = ReportLocations(tmp_path / "reports", "staging")
    beside, elsewhere = tmp_path / "reports" / "staging", tmp_path / "elsewhere"
    killed = written(beside / "1", result(SIGN_IN, FAILED), run="killed", cut=5)
    with killed.open("a") as file:
        file.write('{"kind": "result", "item": "postdep')
    written(beside / "2", run="ledger-was-away")
    (beside / "3").mkdir()
    (beside / "3" / "evidence.jsonl").write_text("")
    written(tmp_path / "reports" / "prod" / "1", run="of-another-environment", environment="prod")
    where.note("wanted-elsewhere", elsewhere)
    written(elsewhere, run="wanted-elsewhere", cut=10)
    where.note("folder-is-gone", tmp_path / "gone")

    def import_all() -> int:
        return import_leftovers(store, where, identify=run_id, read=readable)

    assert [import_all(), import_all(), import_all()] == [3, 0, 0]
    found = {one.run.id: one.run for one in store.recordings()}
    assert found.keys() == {"killed", "ledger-was-away", "wanted-elsewhere"}
    assert found["ledger-was-away"].ending is Ending.FINISHED
    assert found["killed"].ending is Ending.INTERRUPTED
    assert found["killed"].verdict.recommendation is Action.INCONCLUSIVE
    assert "interrupted" in found["killed"].verdict.headline
    assert found["killed"].finished_at > found["killed"].started_at
    assert not [*(tmp_path / "reports" / ".elsewhere" / "staging").iterdir()]


def test_a_run_that_still_goes_on_is_left_alone(store: Store, tmp_path: Path) -> None:
    path = written(tmp_path / "reports" / "staging" / "1", cut=2)
    where = ReportLocations(tmp_path / "reports", "staging")
    imported = "import sys; from kamiyo_verify.evidence.lock import hold"
    writer = f"{imported}; f = open(sys.argv[1]); hold(f); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", writer, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert import_leftovers(store, where, identify=run_id, read=readable) == 0
        process.kill()
        process.wait()
        assert import_leftovers(store, where, identify=run_id, read=readable) == 1


def test_a_lock_is_not_waited_for_forever(tmp_path: Path) -> None:
    with (tmp_path / "one").open("w") as first, (tmp_path / "one").open("w") as second:
        hold(first)
        hold(second)


def test_sqlite_keeps_its_readers_and_its_writer_apart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Store.opened(f"sqlite:///{path}") as store:
        store.add(recorded(tmp_path))
        reading = store.recordings()
        assert next(reading).run.id == "run-1"
        store.add(recorded(tmp_path, run="run-2"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_newer_ledger_is_left_alone(new_ledger: NewLedger, tmp_path: Path) -> None:
    url = new_ledger()
    Store(url).close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO schema_steps VALUES (999, 'later')")
    engine.dispose()
    with pytest.raises(LedgerUnavailable, match="at step 999, this version knows"):
        Store(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://ledger:canary@127.0.0.1:1/ledger", "127.0.0.1"),
        (
            "sqlite:///{folder}/nowhere/at/all/ledger.db",
            "there is no folder .*/nowhere/at/all; the first run",
        ),
        ("mysql://ledger:canary@127.0.0.1/ledger", "neither sqlite"),
        ("canary", "neither sqlite"),
    ],
)
def test_a_ledger_that_is_away_is_told_without_its_password(url: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match=told) as caught:
        Store(url.format(folder=tmp_path))
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_evidence_that_was_damaged_is_no_recording(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_text()
    for text in (whole[: whole.index("runbook")], whole.replace('"phases"', '"phased"'), "[]\n", "\x00\n"):
        path.write_text(text)
        assert readable(path) is None
    path.write_text(whole)
    assert read_recording(path).run.ending is Ending.FINISHED
    assert datetime.fromisoformat(read_recording(path).run.finished_at).tzinfo is UTC
