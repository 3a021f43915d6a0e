"""Section 3: the migrations are valid and reversible, and a backup exists."""

import pytest


@pytest.mark.item("preflight.migrations-on-disk")
@pytest.mark.needs("project")
def test_every_migration_on_disk_is_whole(migration_files, measure):
    """Each migration has a migration.sql with valid SQL, and no timestamp in the future."""
    measure("migrations", len(migration_files.files), "count")
    assert migration_files.files, "there is no migration on disk at all"
    assert not migration_files.problems, "; ".join(migration_files.problems)


@pytest.mark.item("preflight.migration-history")
@pytest.mark.needs("database.url", "project")
def test_the_database_and_the_files_tell_one_history(migration_plan, measure):
    """No migration failed, was edited after it was applied, is missing, or is pending out of order."""
    measure("pending", len(migration_plan.pending), "count")
    assert not migration_plan.problems, "; ".join(migration_plan.problems)


@pytest.mark.item("preflight.migrations-classified")
@pytest.mark.needs("database.url", "project")
def test_code_can_be_rolled_back_after_every_pending_migration(
    migration_plan, plan_attestation, measure_each
):
    """Each pending migration only adds, or the attestation names it: older code would run on its schema."""
    measure_each(migration_plan.effects, name="pending")

    grave = migration_plan.grave(vouched=plan_attestation)
    assert not grave, f"no way back for the code: {'; '.join(grave)}"


@pytest.mark.item("preflight.backup-fresh")
def test_a_backup_is_fresh(backups, measure):
    """A backup by Render (recovery or export) or in the project's own folder is younger than the limit."""
    measure("newest", str(backups))
    assert backups.fresh, f"{backups}, where {backups.limit_hours:g} h are allowed"


@pytest.mark.item("preflight.connections-free")
def test_a_second_set_of_instances_finds_connections(connections, measure):
    """By every source that counts connections, at most half of them are in use."""
    crowded = [count for count in connections if not count.enough_for_two]

    measure("connections", "; ".join(str(count) for count in connections))
    assert not crowded, f"{crowded[0]}: no room for as many again while old and new run side by side"
