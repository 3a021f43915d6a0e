"""Step 4: the data is there, whole, and reached by the API and by ourselves."""

import pytest


@pytest.mark.item("postdeploy.exploits-served")
def test_the_api_serves_exploits(api, measure):
    """`GET /exploits` is 200 and every row has its fields. A page may hold fewer rows than asked for."""
    page = api.exploits(page=1, page_size=10)

    measure("total", page.total, "count")
    measure("rows", len(page.data), "count")
    assert len(page.data) <= 10, f"{len(page.data)} rows on a page of 10"


@pytest.mark.item("postdeploy.data-present")
def test_the_exploits_have_not_vanished(api, measure):
    """/health, /exploits and /chains all count more than nothing."""
    counts = {
        "health": api.health().database_exploits,
        "exploits": api.exploits(page=1, page_size=1).total,
        "chains": api.chains().total_chains,
    }

    for name, count in counts.items():
        measure(name, count, "count")
    assert all(counts.values()), f"{counts}: rows are gone"


@pytest.mark.item("postdeploy.database-direct")
@pytest.mark.needs("database.url")
def test_the_database_answers_a_read_only_session(database, measure):
    """PostgreSQL accepts us, the session cannot write, and the connections have room left."""
    assert database.read_only(), "the session could write: default_transaction_read_only is not in force"

    connections = database.connections()
    measure("connections", connections.used, "count")
    measure("connection_limit", connections.limit, "count")
    assert connections.used < connections.limit, f"all {connections.limit} connections are taken"


@pytest.mark.item("postdeploy.migrations-applied")
@pytest.mark.needs("database.url")
def test_no_migration_is_half_done(database, measure):
    """No row of _prisma_migrations is neither finished nor rolled back."""
    migrations = database.migrations()
    stuck = [migration.name for migration in migrations if migration.unfinished]

    measure("migrations", len(migrations), "count")
    assert not stuck, f"neither finished nor rolled back: {', '.join(stuck)}"
