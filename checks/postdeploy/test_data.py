"""Step 4: the data is present and complete, through the API and in the database."""

import pytest


@pytest.mark.item("postdeploy.exploits-served")
@pytest.mark.asks
def test_the_api_serves_exploits(api, measure):
    """`GET /exploits` is 200 and every row has its fields. A page may have fewer rows than requested."""
    page = api.exploits(page=1, page_size=10)

    measure("total", page.total, "count")
    measure("rows", len(page.data), "count")
    assert len(page.data) <= 10, f"{len(page.data)} rows on a page of 10"


@pytest.mark.item("postdeploy.data-present")
@pytest.mark.asks
def test_the_exploits_are_there_and_counted_alike(row_counts, api, measure, measure_each):
    """The counts of /health, /ready and /exploits agree within 2 % (delayed data: 20 %); none is 0."""
    counts = {**row_counts.last.by_endpoint, "chains": api.chains().total_chains}

    measure("data", row_counts.coverage)
    measure_each(counts, "count")
    assert all(counts.values()), f"rows are gone: {counts}"
    assert not row_counts.contradiction, (
        f"the endpoints count differently: {row_counts.contradiction}; users miss rows, or see some twice"
    )


@pytest.mark.item("postdeploy.records-whole")
@pytest.mark.asks
def test_records_of_all_ages_have_their_form(sampled_pages, measure):
    """Every row of a page from the middle of the list and of its last page has its fields."""
    measure("pages", len(sampled_pages.pages), "count")
    measure("rows", sampled_pages.rows, "count")
    assert not sampled_pages.empty, (
        f"page {sampled_pages.empty[0]} is empty, though the total says that it holds rows: rows are gone"
    )


@pytest.mark.item("postdeploy.database-direct")
@pytest.mark.needs("database.url")
def test_the_database_answers_a_read_only_session(database, measure):
    """PostgreSQL accepts us over TLS, a transaction cannot write, and free connections are left."""
    assert database.read_only(), "the transaction could write: READ ONLY is not in force"

    measure("server_identity", database.server_identity())
    measure("parameters_not_used", ", ".join(database.address().dropped))
    connections = database.connections()
    measure("connections", connections.used, "count")
    measure("connection_limit", connections.limit, "count")
    assert connections.used < connections.limit, f"all {connections.limit} connections are taken"


@pytest.mark.item("postdeploy.migrations-applied")
@pytest.mark.needs("database.url")
def test_the_release_runs_on_its_own_schema(release_migrations, measure):
    """No migration is incomplete, and every migration of the running release is applied."""
    stuck, lacking = release_migrations.stuck, release_migrations.lacking

    measure("migrations", len(release_migrations.rows), "count")
    measure("applied_migrations", ", ".join(release_migrations.applied))
    measure("compared_with_the_release", release_migrations.compared)
    assert not stuck, f"neither finished nor rolled back: {', '.join(stuck)}"
    assert not lacking, f"the release runs without its own migration: {'; '.join(lacking)}"
