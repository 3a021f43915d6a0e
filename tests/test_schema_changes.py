"""What a migration does to running code, statement by statement."""

import hashlib
from pathlib import Path

import pytest

from plugins.clients.migration_files import migrations_in
from plugins.clients.schema_changes import UnreadableSql, changes_of
from plugins.model.migrations import Effect
from plugins.model.outcomes import NoAnswer

ADDITIVE = """
CREATE TABLE "A" ("id" TEXT NOT NULL, CONSTRAINT "A_pkey" PRIMARY KEY ("id"));
CREATE TYPE "Role" AS ENUM ('A', 'B');
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE INDEX CONCURRENTLY i ON x(y);
ALTER TABLE "U" ADD COLUMN "a" TEXT;
ALTER TABLE "U" ADD COLUMN "a" TEXT NOT NULL DEFAULT 'x';
ALTER TABLE "U" ADD COLUMN "n" SERIAL NOT NULL;
ALTER TABLE "U" ADD COLUMN "a" TEXT, ADD CONSTRAINT f FOREIGN KEY ("a") REFERENCES "Y"("id");
ALTER TABLE "U" ALTER COLUMN "a" SET DEFAULT 4;
ALTER TABLE "U" DROP CONSTRAINT "f";
ALTER TYPE "Role" ADD VALUE 'C';
ALTER INDEX a RENAME TO b;
DROP INDEX i;
INSERT INTO a VALUES (1);
GRANT SELECT ON a TO b;
COMMENT ON TABLE a IS 'x';
SET lock_timeout = '5s';
""".strip().splitlines()

DESTRUCTIVE = """
ALTER TABLE "U" ADD COLUMN "b" TEXT NOT NULL;
ALTER TABLE "U" ADD COLUMN "a" TEXT, DROP COLUMN "d";
ALTER TABLE "U" ALTER COLUMN "a" SET DATA TYPE VARCHAR(3);
ALTER TABLE "U" ALTER COLUMN "a" TYPE int USING a::int;
ALTER TABLE "U" ALTER COLUMN "a" SET NOT NULL;
ALTER TABLE "U" ALTER COLUMN "a" DROP NOT NULL;
ALTER TABLE "U" ALTER COLUMN "a" DROP DEFAULT;
ALTER TABLE "U" RENAME TO "Users";
ALTER TABLE "U" RENAME COLUMN "a" TO "z";
ALTER TABLE "U" ADD CONSTRAINT "f" FOREIGN KEY ("x") REFERENCES "Y"("id");
ALTER TABLE "U" ADD UNIQUE (a);
ALTER TABLE "U" ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
CREATE UNIQUE INDEX "U_email_key" ON "U"("email");
ALTER TYPE "Role" RENAME TO "Role_old";
DROP TABLE a;
DROP TYPE t;
DROP VIEW v CASCADE;
TRUNCATE a;
DELETE FROM a;
UPDATE a SET b = 1;
REVOKE SELECT ON a FROM b;
""".strip().splitlines()

UNKNOWN = """
DO $$ BEGIN EXECUTE 'DROP TABLE a; DROP TABLE b'; END $$;
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ select 1; $$ LANGUAGE sql;
CALL clean_up();
""".strip().splitlines()


def worst(sql: str) -> set[Effect]:
    return {change.effect for change in changes_of(sql)}


@pytest.mark.parametrize("sql", ADDITIVE)
def test_what_older_code_does_not_notice_is_additive(sql: str) -> None:
    assert worst(sql) == {Effect.ADDITIVE}


@pytest.mark.parametrize("sql", DESTRUCTIVE)
def test_what_older_code_may_not_survive_is_destructive(sql: str) -> None:
    assert Effect.DESTRUCTIVE in worst(sql)


@pytest.mark.parametrize("sql", UNKNOWN)
def test_what_cannot_be_read_is_never_additive(sql: str) -> None:
    assert worst(sql) == {Effect.UNKNOWN}


def test_constraints_on_a_table_of_the_same_migration_harm_nobody() -> None:
    sql = """
    -- CreateTable
    CREATE TABLE "Alert" ("id" TEXT NOT NULL, "userId" TEXT NOT NULL);
    CREATE UNIQUE INDEX "Alert_userId_key" ON "Alert"("userId");
    ALTER TABLE "Alert" ADD CONSTRAINT "f" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE;
    """
    assert worst(sql) == {Effect.ADDITIVE}


@pytest.mark.parametrize("sql", ["CREATE TABLE (", "SELECT 'never closed", "ALTER TABLE a ADD COLUMN ((((;"])
def test_what_is_not_sql_is_said_to_be_so(sql: str) -> None:
    with pytest.raises(UnreadableSql):
        changes_of(sql)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    with pytest.raises(UnreadableSql):
        changes_of("SELECT " + "(" * 20_000 + "1" + ")" * 20_000)


def test_migrations_are_read_in_the_order_of_their_application(tmp_path: Path) -> None:
    for name, sql in {
        "20250102000000_b": "DROP TABLE a;\r\n",
        "20250101000000_a": "CREATE TABLE a (i int);",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "migration.sql").write_bytes(sql.encode())
    (tmp_path / "migration_lock.toml").write_text("provider = 'postgresql'")
    (tmp_path / "third").mkdir()

    first, second, third = migrations_in(tmp_path)

    assert (first.name, first.reversible) == ("20250101000000_a", True)
    assert not second.reversible
    assert hashlib.sha256(b"DROP TABLE a;\n").hexdigest() in second.checksums
    assert "14 digits" in third.problem


def test_a_folder_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="no migrations"):
        migrations_in(tmp_path / "absent")
