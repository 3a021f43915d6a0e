"""Bring a ledger to the newest revision: by Alembic, in one transaction, one process at a time.

Alembic is imported only if a ledger is at an older revision, because that takes 0.4 s. A new ledger gets its
tables at once; a test compares them with those that the revisions make. The revisions are the files of
`revisions/versions`; a released one never changes. Ledgers of the first versions have numbered steps in place
of revisions: their step 1 is revision 0001.
"""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text

REVISIONS = ("0001", "0002")
"""Every revision, oldest first; a test compares them with Alembic's own order."""

HEAD = REVISIONS[-1]

_SCRIPTS = Path(__file__).with_name("revisions")

_LOCK = 0x6B616D69_796F7631
"""The key of PostgreSQL's advisory lock: "kamiyov1". Versions before Alembic use the same."""

_STEPS = {"": 0, "0001": 1, "0002": 2}
"""The numbered step that each revision writes for versions before Alembic."""

_ONE_AT_A_TIME = threading.Lock()
"""Alembic keeps its state in its modules."""


class NewerLedger(Exception):
    """A newer version of the suite has migrated the database; this version must not write to it."""


def is_current(connection: Connection) -> bool:
    """Return whether the database is at the newest revision.

    Raises:
        NewerLedger: the database has a revision or a step that this version does not know.
    """
    return _revision(connection) == HEAD


def migrate(connection: Connection, tables: MetaData) -> None:
    """Upgrade the database to the newest revision, or create its tables if it is new.

    Args:
        connection: in a transaction that may write. On SQLite that transaction already is the lock.
        tables: the tables of the newest revision.

    Raises:
        NewerLedger: the database has a revision or a step that this version does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    found = _revision(connection)
    if found == HEAD:  # another process was faster
        return
    if {"alembic_version", *tables.tables}.isdisjoint(inspect(connection).get_table_names()):
        _create(connection, tables)
        return
    from alembic import command  # noqa: PLC0415 - takes longer than all queries of a run
    from alembic.config import Config  # noqa: PLC0415

    _create_steps(connection)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with _ONE_AT_A_TIME:
        if found and not inspect(connection).has_table("alembic_version"):
            command.stamp(config, found)
        command.upgrade(config, "head")


def _create(connection: Connection, tables: MetaData) -> None:
    """Create the tables of a new ledger, and mark it as Alembic and the versions before it would."""
    tables.create_all(connection, checkfirst=False)
    for statement, value in _MARKS:
        connection.execute(text(statement), value)


_VERSION_TABLE = """
    CREATE TABLE alembic_version (
        version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    )
"""

_MARKS: tuple[tuple[str, dict[str, object]], ...] = (
    ("INSERT INTO schema_steps VALUES (:step, 'see alembic_version')", {"step": _STEPS[HEAD]}),
    (_VERSION_TABLE, {}),
    ("INSERT INTO alembic_version VALUES (:head)", {"head": HEAD}),
)
"""How a ledger is marked with its revision: for the versions before Alembic, and for Alembic."""


def _revision(connection: Connection) -> str:
    """Return the revision of the database; "" if it is new."""
    tables = inspect(connection).get_table_names()
    step = 0
    if "schema_steps" in tables:
        query = "SELECT coalesce(max(step), 0) FROM schema_steps"
        step = int(connection.exec_driver_sql(query).scalar_one())
    if step > _STEPS[HEAD]:
        raise NewerLedger(f"its schema is at step {step}, this version knows {_STEPS[HEAD]}: {_UPDATE}")
    if "alembic_version" not in tables:
        return "0001" if step else ""
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none() or ""
    if found and found not in REVISIONS:
        raise NewerLedger(f"its schema is at revision {found}, this version knows {HEAD}: {_UPDATE}")
    return found


_UPDATE = "update kamiyo-verify"


def _create_steps(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER NOT NULL PRIMARY KEY, taken_at TEXT NOT NULL)"
    )
