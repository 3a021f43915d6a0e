"""Prisma's migrations as people report them: names, histories, and what older code does not survive.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kamiyo_verify.integrations.prisma.migration_files import migrations_in
from kamiyo_verify.integrations.prisma.schema_changes import changes_of
from kamiyo_verify.integrations.prisma.schema_state import Catalogue
from kamiyo_verify.judge.preflight.migration_plan import on_disk, plan, unapplied
from kamiyo_verify.judge.rollback.migrated import migrated
from kamiyo_verify.model.migrations import Effect, MigrationFile, RecordedMigration

Report = pytest.param
Checkout = Callable[[Mapping[str, str]], tuple[MigrationFile, ...]]

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = BEGAN + timedelta(days=2)
TABLE = 'CREATE TABLE "User" ("id" TEXT NOT NULL);\n'
COLUMN = 'ALTER TABLE "User" ADD COLUMN "settings" JSONB;\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    def write(files: Mapping[str, str]) -> tuple[MigrationFile, ...]:
        for name, sql in files.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "migration.sql").write_bytes(sql.encode())
        return migrations_in(tmp_path)

    return write


def checksum(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def applied(name: str, sql: str, day: int = 0) -> RecordedMigration:
    """As `migrate deploy` leaves it."""
    started = BEGAN + timedelta(days=day)
    return RecordedMigration(name, checksum(sql), started, started + timedelta(seconds=1), None, 1)


def resolved(name: str, sql: str, day: int = 0) -> RecordedMigration:
    """As `migrate resolve --applied` leaves it: started and finished at one moment, no step."""
    at = BEGAN + timedelta(days=day)
    return RecordedMigration(name, checksum(sql), at, at, None, 0)


def failed(name: str, sql: str, *, rolled_back: bool = False) -> RecordedMigration:
    return RecordedMigration(name, checksum(sql), BEGAN, None, NOW if rolled_back else None, 0)


@pytest.mark.parametrize(
    "names",
    [
        Report(["20260317_add_settings_suggestions", "20260317_init"], id="moesaif/dna-studio#8"),
        Report(["000000000000_squashed_migrations", "20220719000000_next"], id="prisma/web#3447"),
        Report(["20220719000000_next", "squashed_migrations"], id="prisma/web#3447, without zeros"),
        Report(["0000_init", "0001_next", "0002_more"], id="prisma/orm#17314"),
        Report(["20240126184148_new_models", "20240126184148_new_models copy"], id="langfuse/langfuse#3676"),
        Report(["01_init", "03_remove_cascade_delete", "04_add_uuid"], id="umami-software/umami#1497"),
    ],
)
def test_folders_are_read_in_prismas_order_and_no_name_is_a_problem(
    checkout: Checkout, names: list[str]
) -> None:
    files = checkout(dict.fromkeys(reversed(names), TABLE))
    assert [file.name for file in files] == names
    assert on_disk(files, NOW, "postgresql").problems == ()
    assert [file.name for file in plan(files, [applied(names[0], TABLE)]).pending] == names[1:]


@pytest.mark.parametrize(
    "names",
    [
        Report(["0_init"], id="prisma/web#7319"),
        Report(["00000000000000_init"], id="agentconnect-md/agentconnect#736"),
        Report(["0000_init", "0001_next"], id="prisma/orm#17314"),
    ],
)
def test_what_was_resolved_as_applied_is_applied_and_changed_nothing(
    checkout: Checkout, names: list[str]
) -> None:
    sql = 'CREATE TABLE "A" ("id" TEXT); DROP TABLE "Old";\n'
    files = checkout(dict.fromkeys(names, sql))
    rows = [resolved(name, sql) for name in names]
    assert plan(files, rows).problems == ()
    assert unapplied(files, rows) == ()
    assert migrated(rows, files, BEGAN - timedelta(days=1)).grave == ()


def test_a_history_that_was_squashed_has_lost_nothing(checkout: Checkout) -> None:
    """agentconnect-md/agentconnect#736: 83 folders became one, recorded where the 83 were applied."""
    files = checkout({"00000000000000_init": TABLE, "20260901000000_next": COLUMN})
    rows = [applied(f"202607{day:02}000000_step", TABLE, day - 40) for day in range(1, 30)]
    rows += [resolved("00000000000000_init", TABLE), applied("20260901000000_next", COLUMN, 1)]
    found = plan(files, rows)
    assert (found.problems, found.pending) == ((), ())


def test_one_that_failed_and_was_finished_by_hand_may_have_changed_something(checkout: Checkout) -> None:
    """prisma/prisma-engines#2664: the failed row is marked as rolled back, and a second one is recorded."""
    sql = 'DROP TABLE "Old";\n'
    files = checkout({"1_drops": sql})
    rows = [failed("1_drops", sql, rolled_back=True), resolved("1_drops", sql, 1)]
    assert plan(files, rows).problems == ()
    assert unapplied(files, rows) == ()
    assert migrated(rows, files, BEGAN).grave != ()


def test_a_migration_is_held_against_the_row_that_applied_it(checkout: Checkout) -> None:
    """prisma/orm#16927: it failed, was corrected in its file, and then went through."""
    files = checkout({"1_a": TABLE, "2_b": COLUMN})
    rows = [
        applied("1_a", TABLE),
        failed("2_b", "ALTER TABL;\n", rolled_back=True),
        applied("2_b", COLUMN, 1),
    ]
    assert plan(files, rows).problems == ()
    assert unapplied(files, rows) == ()


@pytest.mark.parametrize(
    ("here", "there"),
    [
        Report(TABLE, TABLE.replace("\n", "\r\n"), id="prisma/orm#7101"),
        Report(TABLE.replace("\n", "\r\n"), TABLE, id="prisma/orm#7398"),
        Report("-- a\r\n" + TABLE, "-- a\n" + TABLE, id="prisma/orm#8123"),
    ],
)
def test_line_ends_that_git_changed_are_no_edit(checkout: Checkout, here: str, there: str) -> None:
    assert plan(checkout({"1_a": here}), [applied("1_a", there)]).problems == ()


def test_a_comment_that_was_changed_is_an_edit(checkout: Checkout) -> None:
    """langfuse/langfuse#15501: a path in a comment of an applied migration was rewritten, and restored."""
    [problem] = plan(
        checkout({"1_a": "-- new/path\n" + TABLE}), [applied("1_a", "-- old/path\n" + TABLE)]
    ).problems
    assert "was edited after it was applied" in problem


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        Report([failed("2_b", COLUMN, rolled_back=True)], "2_b was rolled back", id="prisma/orm#29601"),
        Report([failed("2_b", COLUMN)], "2_b", id="langfuse/langfuse-k8s#253"),
        Report([], "2_b was never applied", id="umami-software/umami#1497"),
        Report(
            [failed("2_b", COLUMN, rolled_back=True), failed("2_b", COLUMN)],
            "2_b",
            id="langfuse/langfuse-k8s#253, tried again",
        ),
    ],
)
def test_a_release_that_runs_without_its_migration_is_told(
    checkout: Checkout, rows: list[RecordedMigration], told: str
) -> None:
    files = checkout({"1_a": TABLE, "2_b": COLUMN})
    found = unapplied(files, [applied("1_a", TABLE), *rows])
    assert len(found) == 1
    assert told in found[0]


BEFORE = """
CREATE TYPE "MyEnum" AS ENUM ('A');
CREATE TYPE "Cat" AS ENUM ('PERSIAN', 'BLACK');
CREATE TABLE "Test" ("id" TEXT NOT NULL, "cat" "Cat" NOT NULL DEFAULT 'PERSIAN');
CREATE TABLE "User" ("id" TEXT NOT NULL, "values" "MyEnum"[]);
CREATE TABLE "ModActivity" ("activity" TEXT, "entityType" TEXT, "entityId" INT);
CREATE UNIQUE INDEX "ModActivity_activity_entityType_entityId_key"
    ON "ModActivity"("activity", "entityType", "entityId");
CREATE TABLE data_keys (user_id text NOT NULL, CONSTRAINT data_keys_user_id_unique UNIQUE (user_id));
CREATE TABLE knowledge (id text PRIMARY KEY, source_url text, CONSTRAINT knowledge_url UNIQUE (source_url));
"""


@pytest.mark.parametrize(
    "sql",
    [
        Report('DROP INDEX "ModActivity_activity_entityType_entityId_key";', id="civitai/civitai#3641"),
        Report(
            'ALTER TABLE "data_keys" DROP CONSTRAINT "data_keys_user_id_unique";\n'
            'ALTER TABLE "data_keys" ADD COLUMN "retired_at" timestamp;\n'
            'CREATE UNIQUE INDEX "data_keys_user_id_active" ON "data_keys" ("user_id")'
            " WHERE retired_at IS NULL;",
            id="akash-network/console#3947",
        ),
        Report(
            "ALTER TABLE knowledge DROP CONSTRAINT knowledge_url;\n"
            "CREATE UNIQUE INDEX knowledge_url_key ON knowledge (source_url) WHERE source_url IS NOT NULL;",
            id="adcontextprotocol/adcp#448",
        ),
        Report(
            'ALTER TYPE "MyEnum" ADD VALUE \'B\';\nUPDATE "User" SET "values" = ARRAY[\'B\']::"MyEnum"[];',
            id="prisma/orm#24288",
        ),
        Report(
            "ALTER TYPE \"MyEnum\" ADD VALUE 'B';\n"
            'INSERT INTO "User" (id, "values") SELECT \'x\', ARRAY[\'B\']::"MyEnum"[];',
            id="prisma/orm#29493",
        ),
        Report(
            "BEGIN;\nCREATE TYPE \"Cat_new\" AS ENUM ('PERSIAN', 'NORI');\n"
            'ALTER TABLE "Test" ALTER COLUMN "cat" DROP DEFAULT;\n'
            'ALTER TABLE "Test" ALTER COLUMN "cat" TYPE "Cat_new" USING ("cat"::text::"Cat_new");\n'
            'ALTER TYPE "Cat" RENAME TO "Cat_old";\nALTER TYPE "Cat_new" RENAME TO "Cat";\n'
            'DROP TYPE "Cat_old";\nALTER TABLE "Test" ALTER COLUMN "cat" SET DEFAULT \'PERSIAN\';\nCOMMIT;',
            id="prisma/orm#4696",
        ),
    ],
)
def test_what_older_code_did_not_survive_is_never_called_additive(sql: str) -> None:
    catalogue = Catalogue()
    changes_of(BEFORE, catalogue)
    assert Effect.DESTRUCTIVE in {change.effect for change in changes_of(sql, catalogue)}
