"""A ledger of any earlier version is brought up to date without loss, by one process at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from kamiyo_verify.ledger import migrations
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.ledger.store import Store
from tests.support.ledgers import STEP_1, engine_of, new_database, old_file, old_postgres, rows_of
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import recorded

ROOT = Path(__file__).parents[3]
OPEN = (
    "import sys; from kamiyo_verify.ledger.store import Store; sys.stdin.read(); Store(sys.argv[1]).close()"
)
KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


def empty(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'new.db'}"
    return new_database(request.getfixturevalue("server"))


def old(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    url = old_file(folder)
    return url if kind == "sqlite" else old_postgres(request.getfixturevalue("server"), rows_of(url))


def revision(url: str) -> str:
    with engine_of(url) as engine, engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def test_alembic_knows_the_same_revisions_in_the_same_order() -> None:
    folder = Path(migrations.__file__).with_name("revisions")
    config = Config()
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)
    assert [one.revision for one in scripts.walk_revisions()][::-1] == [*migrations.REVISIONS]
    assert scripts.get_heads() == [migrations.HEAD]


@KINDS
def test_an_old_ledger_is_upgraded_without_loss(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = old(kind, request, tmp_path)
    before = rows_of(url)
    assert len(before["runs"]) == 11
    with Store.opened(url) as store:
        assert {run.run.id for run in store.recordings()} == {row["id"] for row in before["runs"]}
        good = store.last_good("staging", before="2027", place="virginia")
        assert good is not None
        assert good.id == "at-virginia"
        assert store.add(recorded(tmp_path, run="after the upgrade"))
    assert revision(url) == migrations.HEAD
    after = rows_of(url)
    assert [row for row in after["runs"] if row["id"] != "after the upgrade"] == before["runs"]
    for name in set(before) - {"runs", "runbooks", "items", "objectives", "measurements", "deployments"}:
        assert after[name] == before[name], name
    for name in ("items", "objectives", "measurements", "deployments"):
        assert [row for row in after[name] if row["run_id"] != "after the upgrade"] == before[name], name


@KINDS
def test_an_old_ledger_gets_the_place_of_each_run(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = old(kind, request, tmp_path)
    Store(url).close()
    with engine_of(url) as engine, engine.connect() as connection:
        places = (
            connection.exec_driver_sql("SELECT place FROM runs WHERE place <> '' ORDER BY id").scalars().all()
        )
    assert places == ["frankfurt", "virginia"]


@KINDS
@pytest.mark.parametrize("age", ["new", "old"])
def test_eight_processes_that_upgrade_at_once_do_it_once(
    kind: str, age: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = (empty if age == "new" else old)(kind, request, tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, url], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    said = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, "\n".join(said)
    assert revision(url) == migrations.HEAD
    assert len(rows_of(url)["runs"]) == (0 if age == "new" else 11)


@KINDS
def test_an_upgrade_that_fails_changes_nothing(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = old(kind, request, tmp_path)
    before = rows_of(url)
    with engine_of(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE removed (somebody_elses INTEGER)")
    with pytest.raises(LedgerUnavailable, match="removed") as caught:
        Store(url)
    assert "\n" not in str(caught.value)
    with engine_of(url) as engine:
        found = inspect(engine)
        assert "place" not in {column["name"] for column in found.get_columns("runs")}
        assert {"alembic_version", "combined"}.isdisjoint(found.get_table_names())
    assert rows_of(url) == before

    with engine_of(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE removed")
    Store(url).close()
    assert rows_of(url) == before


@KINDS
def test_a_newer_ledger_is_refused_in_one_line(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = empty(kind, request, tmp_path)
    Store(url).close()
    with engine_of(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerUnavailable) as caught:
        Store(url)
    assert str(caught.value).endswith(
        f"its schema is at revision 9999, this version knows {migrations.HEAD}: update kamiyo-verify"
    )


@KINDS
def test_versions_before_alembic_refuse_an_upgraded_ledger(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """They compare the newest step with 1, which is the last that they know."""
    url = old(kind, request, tmp_path)
    Store(url).close()
    with engine_of(url) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT max(step) FROM schema_steps").scalar_one() > 1


def test_alembic_is_imported_for_an_upgrade_alone(tmp_path: Path) -> None:
    look = f"{OPEN}; print('alembic' in sys.modules)"
    new, earlier = f"sqlite:///{tmp_path / 'ledger.db'}", old_file(tmp_path)
    said = [
        subprocess.run(
            [sys.executable, "-c", look, url], input="", capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout.strip()
        for url in (new, new, earlier, earlier)
    ]
    assert said == ["False", "False", "True", "False"]


def shape(url: str) -> dict[str, object]:
    """The columns, keys and indexes of each table."""
    with engine_of(url) as engine:
        made = inspect(engine)
        return {
            name: (
                [
                    (one["name"], str(one["type"]), one["nullable"], one["default"])
                    for one in sorted(made.get_columns(name), key=lambda one: one["name"])
                ],
                made.get_pk_constraint(name)["constrained_columns"],
                sorted(
                    (one["constrained_columns"], one["referred_table"], one["referred_columns"])
                    for one in made.get_foreign_keys(name)
                ),
                sorted(
                    (str(one["name"]), one["column_names"], bool(one["unique"]))
                    for one in made.get_indexes(name)
                ),
            )
            for name in made.get_table_names()
        }


def by_alembic_alone(url: str) -> None:
    """Make a new ledger by every revision in turn, as versions did that knew no other way."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).with_name("revisions")))
    with engine_of(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE schema_steps (step INTEGER NOT NULL PRIMARY KEY, taken_at TEXT NOT NULL)"
        )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@KINDS
def test_a_new_ledger_is_what_the_revisions_make(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    at_once, in_turn = (empty(kind, request, folder) for folder in (tmp_path, tmp_path / "other"))
    Store(at_once).close()
    by_alembic_alone(in_turn)
    assert shape(at_once) == shape(in_turn)
    assert marks(at_once) == marks(in_turn)
    Store(in_turn).close()


def marks(url: str) -> list[object]:
    """What the versions of before and after read, to know how new a ledger is."""
    with engine_of(url) as engine, engine.connect() as connection:
        return [
            connection.exec_driver_sql(query).all()
            for query in ("SELECT * FROM alembic_version", "SELECT step, taken_at FROM schema_steps")
        ]


@KINDS
def test_tables_that_somebody_else_made_are_never_taken_over(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = empty(kind, request, tmp_path)
    with engine_of(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE items (somebody_elses INTEGER)")
    with pytest.raises(LedgerUnavailable, match="items"):
        Store(url)
    assert set(shape(url)) == {"items"}


def test_the_old_file_is_of_the_last_version_before_alembic(tmp_path: Path) -> None:
    assert STEP_1.stat().st_size < 64 * 1024
    with engine_of(old_file(tmp_path)) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT max(step) FROM schema_steps").scalar_one() == 1
        assert "alembic_version" not in inspect(connection).get_table_names()
