"""After a rollback: a rollback takes back code, and never the schema."""

import pytest


@pytest.mark.item("rollback.schema-fits")
@pytest.mark.needs("render.key", "database.url")
def test_the_schema_fits_the_code_that_is_back(migrations_since, measure):
    """Of the migrations applied since the bad release began, none takes away what older code needs."""
    applied = migrations_since
    grave = [migration for migration in applied if not migration.reversible]

    measure("applied", ", ".join(migration.name for migration in applied))
    assert not grave, "; ".join(
        f"{migration.name}: {migration.problem or '; '.join(change.why for change in migration.grave)}"
        for migration in grave
    )


@pytest.mark.item("rollback.migrations-settled")
@pytest.mark.needs("database.url")
def test_no_migration_is_left_half_way(database, measure):
    """No row of _prisma_migrations is neither finished nor rolled back."""
    migrations = database.migrations()
    stuck = [migration.name for migration in migrations if migration.unfinished]

    measure("migrations", len(migrations), "count")
    assert not stuck, f"neither finished nor rolled back: {', '.join(stuck)}"


@pytest.mark.item("rollback.migration-log-read")
@pytest.mark.needs("render.key")
def test_the_migrations_own_lines_are_kept(migration_lines, measure):
    """The frontend's log of the bad release says how its migrations went; the lines are kept here."""
    measure("lines", len(migration_lines), "count")
    for number, line in enumerate(migration_lines[-5:], start=1):
        measure(f"line_{number}", line)

    assert migration_lines, "no line of the log speaks of migrations: what they did is not known"
