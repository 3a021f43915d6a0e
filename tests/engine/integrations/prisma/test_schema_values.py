"""What older code leaves in new columns, and what a statement finds there already.

The same migrations run on a real PostgreSQL: statements of older code show whether the verdict is right.
"""

import psycopg
import pytest

from kamiyo_verify.integrations.prisma.schema_changes import changes_of
from kamiyo_verify.integrations.prisma.schema_state import Catalogue
from kamiyo_verify.model.migrations import Effect
from tests.support.postgres_server import postgres

BEFORE = """
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
CREATE SEQUENCE ticket;
CREATE SCHEMA app;
CREATE TABLE app.log (id int, note text);
CREATE UNIQUE INDEX log_id ON app.log (id);
CREATE TABLE plan (id int CONSTRAINT plan_pk PRIMARY KEY, name text);
CREATE TABLE u (id serial, email text, name text, n int, d int, data jsonb, role "Role" DEFAULT 'USER',
  plan_id int REFERENCES plan (id), at timestamptz DEFAULT now(),
  CONSTRAINT u_pkey PRIMARY KEY (id), CONSTRAINT u_name UNIQUE (name));
CREATE UNIQUE INDEX u_email ON u (email);
CREATE TABLE e (id int, t text);
CREATE MATERIALIZED VIEW numbers AS SELECT count(*) AS c FROM u;
"""
ROWS = """
INSERT INTO plan VALUES (1, 'free'), (2, 'pro');
INSERT INTO u (email, name, n, d, data, plan_id) VALUES
  ('a', 'A', 1, 1, '{"n": "1"}', 1), ('b', 'B', 2, 3, '{"n": "2"}', 2);
"""
OLDER_CODE = (
    "INSERT INTO u (email, name, n, d, data) VALUES ('x1', 'X1', 7, 0, '{\"n\": \"abc\"}')",
    "INSERT INTO u (email, name, n, d) VALUES ('x2', 'X2', 2147483647, 0)",
    "INSERT INTO u (email, name) VALUES (NULL, NULL)",
    "INSERT INTO u (email, name) VALUES ('a', 'A9') ON CONFLICT (email) DO UPDATE SET name = 'A9'",
    "INSERT INTO u (email, name) VALUES ('q', 'B') ON CONFLICT ON CONSTRAINT u_name DO NOTHING",
    "INSERT INTO plan (id, name) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING",
    "UPDATE u SET email = 'w', n = n + 1, data = '{\"n\": \"x\"}' WHERE id = 1",
    "DELETE FROM u WHERE id = 2",
    "SELECT id, email, name, n, d, data, role, plan_id, at FROM u",
    "SELECT c FROM numbers",
    "SELECT nextval('ticket')",
    "INSERT INTO e (id, t) VALUES (1, '1'), (2, 'zzz'), (0, NULL)",
    "INSERT INTO app.log (id, note) VALUES (1, 'n') ON CONFLICT (id) DO NOTHING",
)
KEPT = "SELECT count(*), (SELECT count(*) FROM plan), string_agg(email, ',' ORDER BY id) FROM u"

BREAKING = """
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT NULL
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT NULL::text
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT nullif('a', 'a')
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT substring('abc' from 'x')
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT to_char(now(), '')
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT ('{}'::jsonb ->> 'x')
ALTER TABLE e ADD COLUMN a text NOT NULL DEFAULT current_setting('x.y', true)
ALTER TABLE e ADD COLUMN a int NOT NULL DEFAULT CASE WHEN false THEN 1 END
ALTER TABLE e ADD COLUMN a int NOT NULL DEFAULT 0; ALTER TABLE e ALTER a SET DEFAULT NULL
ALTER TABLE u ADD COLUMN a text; CREATE UNIQUE INDEX i ON u (a); ALTER TABLE u ALTER a SET DEFAULT 'x'
ALTER TABLE u ADD COLUMN a text UNIQUE; ALTER TABLE u ALTER a SET DEFAULT 'x'
ALTER TABLE e ADD COLUMN a int CHECK (coalesce(a, 0) > 0)
ALTER TABLE e ADD COLUMN a int CHECK (a IS NOT NULL) CHECK (a > 0)
ALTER TABLE e ADD COLUMN a int UNIQUE NULLS NOT DISTINCT UNIQUE
ALTER TABLE e ADD COLUMN a int CHECK (CASE WHEN a > 0 THEN true ELSE false END)
ALTER TABLE e ADD COLUMN a boolean CHECK (a IS TRUE)
ALTER TABLE e ADD COLUMN a int CHECK (a IS DISTINCT FROM NULL)
ALTER TABLE e ADD COLUMN a int CHECK (greatest(a, 0) > 0)
ALTER TABLE e ADD COLUMN a text CHECK (concat(a, '') <> '')
ALTER TABLE e ADD COLUMN a int CHECK (ARRAY[a] = ARRAY[1])
ALTER TABLE e ADD COLUMN a int CHECK (a > 0 AND 1 = 2)
ALTER TABLE e ADD COLUMN a int DEFAULT 0 CHECK (a > 0)
ALTER TABLE e ADD COLUMN a int; ALTER TABLE e ADD CHECK (a > 0); ALTER TABLE e ALTER a SET DEFAULT -1
ALTER TABLE e ADD COLUMN a int DEFAULT 1.6, ADD CHECK (a < 1.9)
ALTER TABLE e ADD COLUMN a int DEFAULT '5', ADD CHECK (a <> '05')
ALTER TABLE e ADD COLUMN a boolean DEFAULT 'yes', ADD CHECK (a <> 't')
ALTER TABLE e ADD COLUMN a jsonb DEFAULT '{"a":1}', ADD CHECK (a <> '{"a": 1}')
ALTER TABLE e ADD COLUMN a int[], ADD CHECK (a || 1 = ARRAY[2])
ALTER TABLE e ADD COLUMN a int, ADD CHECK (a = ANY ('{}'::int[]))
ALTER TABLE e ADD COLUMN p int DEFAULT 9 REFERENCES plan (id)
ALTER TABLE e ADD COLUMN p int REFERENCES plan (id); ALTER TABLE e ALTER p SET DEFAULT 9
CREATE DOMAIN must AS text NOT NULL; ALTER TABLE e ADD COLUMN m must
CREATE DOMAIN must AS text CHECK (VALUE IS NOT NULL); ALTER TABLE e ADD COLUMN m must
CREATE INDEX i ON u (((data->>'n')::int))
CREATE INDEX i ON u ((n / d))
CREATE INDEX i ON u ((n + 1))
CREATE INDEX i ON u (email) WHERE (n / d) > 1
CREATE INDEX i ON u (email) WHERE (data->>'n')::int > 1
CREATE INDEX i ON u (left(name, 3 / d))
CREATE UNIQUE INDEX IF NOT EXISTS u_email ON u (email); DROP INDEX u_email
CREATE INDEX IF NOT EXISTS u_email ON u (n); DROP INDEX u_email
CREATE INDEX log_id ON u (n); DROP INDEX app.log_id
CREATE SEQUENCE IF NOT EXISTS ticket; DROP SEQUENCE ticket
CREATE SCHEMA IF NOT EXISTS app; DROP SCHEMA app CASCADE
CREATE TABLE IF NOT EXISTS plan (id int CONSTRAINT plan_pk PRIMARY KEY); ALTER TABLE plan DROP CONSTRAINT plan_pk CASCADE
ALTER TABLE u ADD COLUMN IF NOT EXISTS email text; UPDATE u SET email = NULL
ALTER TABLE u ADD COLUMN IF NOT EXISTS email text; ALTER TABLE u DROP COLUMN email
ALTER TABLE u ADD COLUMN IF NOT EXISTS email text; ALTER TABLE u RENAME COLUMN email TO mail
ALTER TABLE u ADD COLUMN IF NOT EXISTS email text DEFAULT ''; ALTER TABLE u ALTER email SET NOT NULL
CREATE TABLE app.fresh (id int); ALTER TABLE app.fresh RENAME TO plan; DROP TABLE plan CASCADE
ALTER INDEX u_name RENAME TO u_other
REFRESH MATERIALIZED VIEW numbers WITH NO DATA
CREATE TABLE y (id int PRIMARY KEY); ALTER TABLE u ADD COLUMN y int REFERENCES y (id); TRUNCATE y CASCADE
CREATE TABLE y AS SELECT 1 i; ALTER TABLE y ADD UNIQUE (i); ALTER TABLE u ADD COLUMN y int REFERENCES y (i) ON DELETE CASCADE; UPDATE u SET y = 1; DELETE FROM y
CREATE SEQUENCE s; ALTER TABLE u ADD COLUMN q int NOT NULL DEFAULT nextval('s'); DROP SEQUENCE s CASCADE
""".strip().splitlines()  # noqa: E501 - a migration a line

HARMLESS = """
CREATE TYPE "P" AS ENUM ('F'); ALTER TABLE u ADD COLUMN p "P" NOT NULL DEFAULT 'F'; CREATE INDEX i ON u (p)
ALTER TABLE u ADD COLUMN a text[] NOT NULL DEFAULT ARRAY[]::text[], ADD COLUMN b jsonb NOT NULL DEFAULT '{}'
ALTER TABLE u ADD COLUMN a decimal(65,30) NOT NULL DEFAULT 0.0
ALTER TABLE u ADD COLUMN a uuid NOT NULL DEFAULT gen_random_uuid()
ALTER TABLE u ADD COLUMN a varchar(20) NOT NULL DEFAULT 'NEW' CHECK (a IN ('NEW', 'DONE'))
ALTER TABLE u ADD COLUMN a text DEFAULT 'N'::text, ADD CHECK (a = ANY ((ARRAY['N'::text, 'D'])::text[]))
ALTER TABLE u ADD COLUMN a int NOT NULL DEFAULT 10 CHECK (a BETWEEN 0 AND 100)
ALTER TABLE u ADD COLUMN a numeric DEFAULT 0 CHECK (a >= 0)
ALTER TABLE u ADD COLUMN a timestamptz NOT NULL DEFAULT now() + interval '30 days'
ALTER TABLE u ADD COLUMN a timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc')
ALTER TABLE u ADD COLUMN a text NOT NULL DEFAULT substring(md5(random()::text), 1, 8)
ALTER TABLE u ADD COLUMN a date NOT NULL DEFAULT CURRENT_DATE
ALTER TABLE u ADD COLUMN a int, ADD COLUMN b int, ADD CHECK ((a IS NULL) = (b IS NULL))
ALTER TABLE u ADD COLUMN a int CHECK (a IS NULL OR a > 0)
ALTER TABLE u ADD COLUMN a text CHECK (length(a) <= 10)
ALTER TABLE u ADD COLUMN a int CHECK (a IN (1, 2)), ADD COLUMN b text CHECK (b LIKE 'x%' OR b = 'y')
ALTER TABLE u ADD COLUMN a int REFERENCES u (id) ON DELETE SET NULL; CREATE INDEX i ON u (a)
ALTER TABLE u ADD COLUMN IF NOT EXISTS a text NOT NULL DEFAULT ''; CREATE INDEX IF NOT EXISTS i ON u (a)
ALTER TABLE u ADD COLUMN a text UNIQUE DEFAULT NULL
CREATE INDEX i ON u (lower(email), (data->>'n'))
CREATE INDEX i ON u (email) WHERE name IS NULL AND n > 3
CREATE INDEX i ON u (email) WHERE role = 'ADMIN'::"Role"
CREATE INDEX i ON u USING gin (to_tsvector('english', coalesce(name, '') || ' ' || coalesce(email, '')))
CREATE INDEX i ON u (((at AT TIME ZONE 'UTC')::date))
CREATE INDEX i ON u (n); ALTER INDEX i RENAME TO j; DROP INDEX j
ALTER INDEX u_email RENAME TO u_mail
REFRESH MATERIALIZED VIEW numbers
ALTER TABLE u SET (fillfactor = 70), ADD COLUMN a serial UNIQUE
""".strip().splitlines()


def effects(sql: str) -> set[Effect]:
    before = Catalogue()
    changes_of(BEFORE, before)
    return {change.effect for change in changes_of(sql, before)}


@pytest.mark.parametrize("sql", BREAKING)
def test_what_breaks_older_code_is_never_additive(sql: str) -> None:
    assert effects(sql) - {Effect.ADDITIVE}


@pytest.mark.parametrize("sql", HARMLESS)
def test_what_leaves_older_code_alone_is_additive(sql: str) -> None:
    assert effects(sql) == {Effect.ADDITIVE}


def test_what_a_publication_or_a_setting_decides_is_not_read() -> None:
    for sql in ("ALTER TABLE u REPLICA IDENTITY NOTHING", "ALTER TABLE u SET (security_invoker = true)"):
        assert effects(sql) == {Effect.UNKNOWN}
    assert effects("ALTER TABLE u ADD COLUMN a text DEFAULT current_setting('app.tenant')") == {
        Effect.UNKNOWN
    }


@pytest.mark.exhaustive
def test_postgresql_breaks_and_runs_older_code_as_these_verdicts_say() -> None:
    with postgres() as url, psycopg.connect(url) as connection:
        connection.execute(BEFORE.encode())
        connection.execute(ROWS.encode())
        assert not failing(connection, "SELECT 1"), "older code works before any migration"
        wrong = [sql for sql in BREAKING if not failing(connection, sql)]
        wrong += [sql for sql in HARMLESS if failing(connection, sql)]
        connection.rollback()
    assert not wrong


def failing(connection: psycopg.Connection, migration: str) -> list[str]:
    """The statements of older code that fail after a migration, and its own error or loss of rows."""
    kept = connection.execute(KEPT).fetchone()
    failed: list[str] = []
    with connection.transaction(force_rollback=True):
        try:
            connection.execute(migration.encode())
            if connection.execute(KEPT).fetchone() != kept:
                failed.append("rows are gone")
        except psycopg.Error as error:
            return [str(error)]
        for statement in OLDER_CODE:
            try:
                with connection.transaction():
                    connection.execute(statement.encode())
            except psycopg.Error as error:
                failed.append(f"{statement}: {error}")
    return failed
