"""An export holds every row, typed and masked, in a folder that is there whole or not at all."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyarrow import parquet

from kamiyo_verify.cli.ledger import export as command
from kamiyo_verify.cli.ledger.command import main
from kamiyo_verify.ledger.export import TABLES, Column, CsvWriter, Kind, columns_of
from kamiyo_verify.ledger.parquet import ParquetWriter
from kamiyo_verify.ledger.schema import METADATA
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from kamiyo_verify.model.words import Status
from tests.support.evidence_for import LATENCY, SIGN_IN, measured, result
from tests.support.ledgers import new_database
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import moment, recorded

ROOT = Path(__file__).parents[3]
CANARY = "canary-5b8e21d94f"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a ledger with a run of staging, a run of prod, and a secret that once was no secret."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("server"))
    for name in ("KAMIYO_LEDGER_URL", "STAGING_LEDGER_URL"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("KAMIYO_API_KEY", CANARY)
    monkeypatch.chdir(ROOT)
    # These test servers have no TLS, which production demands.
    monkeypatch.setattr("kamiyo_verify.config.ledger_address.encrypted", lambda url: url)
    with Store.opened(url) as store:
        bad = result(SIGN_IN, Status.FAILED, f'=HYPERLINK("{CANARY}")\n"quoted", ünd')
        series = measured(LATENCY, response_times=(210.5, 198.0), errors=-3)
        store.add(recorded(tmp_path, bad, series, run="one", commit="9c41d07"))
        store.add(recorded(tmp_path, run="two", environment="prod"))
        store.decide(Decision(run="one", deed=DecisionKind.KEPT, who="Ada", at=moment(5)))
    return url


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("ledger")
def test_csv_holds_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    assert main(["export", "--format", "csv", "--output", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {f"{table.name}.csv" for table in TABLES}
    runs = rows(folder / "runs.csv")
    assert [(run["id"], run["environment"], run["commit_sha"], run["drill"]) for run in runs] == [
        ("one", "staging", "9c41d07", "false"),
        ("two", "prod", "", "false"),
    ]
    [failed] = [item for item in rows(folder / "items.csv") if item["status"] == "failed"]
    assert failed["message"] == '\'=HYPERLINK("[KAMIYO_API_KEY]")\n"quoted", ünd'
    taken = {row["name"]: row for row in rows(folder / "measurements.csv") if row["run_id"] == "one"}
    assert (taken["errors"]["number"], taken["errors"]["value"]) == ("-3.0", "-3")
    assert (taken["response_times"]["number"], taken["response_times"]["value"]) == ("", "[210.5,198.0]")
    assert "runs.csv: 2 rows" in capsys.readouterr().out


@pytest.mark.usefixtures("ledger")
def test_parquet_is_typed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert main(["--env", "staging", "export", "--format", "parquet", "--output", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {f"{table.name}.parquet" for table in TABLES}
    [run] = parquet.read_table(folder / "runs.parquet").to_pylist()
    assert (run["id"], run["drill"], run["exit_code"]) == ("one", False, 20)
    assert run["started_at"] == datetime.fromisoformat(moment(0)).astimezone(UTC)
    [seen] = parquet.read_table(folder / "deployments.parquet").to_pylist()
    assert (seen["began_at"], seen["duration_s"], seen["failed"]) == (None, None, None)
    [word] = parquet.read_table(folder / "decisions.parquet").to_pylist()
    assert (word["who"], word["run_id"]) == ("Ada", "one")
    for path in folder.iterdir():
        assert CANARY not in str(parquet.read_table(path).to_pylist())
    empty = parquet.read_schema(folder / "combined.parquet")
    assert str(empty.field("started_at").type) == "timestamp[ms, tz=UTC]"


@pytest.mark.usefixtures("ledger")
def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    assert main(["export", "--output", str(tmp_path / "out")]) == 2
    assert "is there already: name a new folder by --output" in capsys.readouterr().err
    assert [*(tmp_path / "out").iterdir()] == []


@pytest.mark.usefixtures("ledger")
def test_an_export_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CsvWriter, "add", full)
    (tmp_path / "here").mkdir()
    assert main(["export", "--output", str(tmp_path / "here" / "out")]) == 2
    assert [*(tmp_path / "here").iterdir()] == []


@pytest.mark.usefixtures("ledger")
def test_without_pyarrow_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    assert main(["export", "--format", "parquet", "--output", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told == "pyarrow is not installed; Parquet needs: pip install 'kamiyo-verify[export]'\n"
    assert not (tmp_path / "out").exists()


def test_no_table_is_forgotten() -> None:
    """Left out: what only the suite reads, and compressed columns."""
    left_out = {"schema_steps", "runbooks", "removed"}
    assert {table.name for table in TABLES} == METADATA.tables.keys() - left_out
    assert {"id", "place"} <= {column.name for column in columns_of(TABLES[0])}
    assert {"evidence", "verdict", "runbook"}.isdisjoint(column.name for column in columns_of(TABLES[0]))


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM", "\tx"])
def test_no_spreadsheet_takes_a_text_for_a_formula(text: str, tmp_path: Path) -> None:
    with CsvWriter(tmp_path / "a.csv", [Column("a", Kind.TEXT)]) as file:
        file.add([{"a": text}, {"a": "-1.5e-3"}, {"a": None}, {"a": ""}])
    [first, second, *_] = rows(tmp_path / "a.csv")
    assert (first["a"], second["a"]) == (f"'{text}", "-1.5e-3")
    assert (tmp_path / "a.csv").read_text().endswith('\n\n""\n')


def test_an_unreadable_moment_is_null(tmp_path: Path) -> None:
    with ParquetWriter(tmp_path / "a.parquet", [Column("a_at", Kind.MOMENT)]) as file:
        file.add(
            [{"a_at": "yesterday"}, {"a_at": "2026-11-23T14:00:00+02:00"}, {"a_at": "2026-11-23T14:00:00"}]
        )
    found = [row["a_at"] for row in parquet.read_table(tmp_path / "a.parquet").to_pylist()]
    assert found == [None, datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2026, 11, 23, 14, tzinfo=UTC)]


def test_a_run_does_not_import_pyarrow() -> None:
    look = "import sys, kamiyo_verify.ledger.store; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
