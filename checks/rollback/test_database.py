"""After a rollback: the schema fits the earlier code, because a rollback never changes the schema."""

import pytest

from kamiyo_verify.checks import library


@pytest.mark.item("rollback.schema-fits")
@pytest.mark.needs("render.key", "database.url")
def test_the_schema_fits_the_code_that_is_back(migrations_since, measure):
    """No migration applied since the bad release began removes what older code needs."""
    risks = [f"{one.name}: {one.risk}" for one in migrations_since if not one.reversible]

    measure("applied", ", ".join(one.name for one in migrations_since))
    assert not risks, "; ".join(risks)


@pytest.mark.item("rollback.migrations-settled")
@pytest.mark.needs("database.url")
def test_no_migration_is_left_half_way(database, measure):
    """Every row of _prisma_migrations is either finished or rolled back."""
    library.settles_migrations(database, measure)


@pytest.mark.item("rollback.migration-log-read")
@pytest.mark.needs("render.key")
def test_the_migrations_own_lines_are_kept(migration_lines, measure, measure_each):
    """The frontend's log of the bad release reports on its migrations; the lines are saved here."""
    measure("lines", len(migration_lines), "count")
    measure_each({f"line_{number}": line for number, line in enumerate(migration_lines[-5:], start=1)})

    assert migration_lines, "no line of the log speaks of migrations: what they did is not known"
