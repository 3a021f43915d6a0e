"""Section 3: the schema will follow, can be taken back, and has a backup."""

import pytest


@pytest.mark.item("preflight.migrations-on-disk")
@pytest.mark.needs("project")
def test_every_migration_on_disk_is_whole(migration_files, measure):
    """Each is named <14 digits>_<name>, parses as SQL, and has a timestamp of its own and of the past."""
    measure("migrations", len(migration_files.files), "count")
    assert migration_files.files, "there is no migration on disk at all"
    assert not migration_files.problems, "; ".join(migration_files.problems)


@pytest.mark.item("preflight.migration-history")
@pytest.mark.needs("database.url", "project")
def test_the_database_and_the_files_tell_one_history(migration_plan, measure):
    """None failed, was edited once applied, or is lost; none pending is older than one applied."""
    measure("pending", len(migration_plan.pending), "count")
    assert not migration_plan.problems, "; ".join(migration_plan.problems)


@pytest.mark.item("preflight.migrations-classified")
@pytest.mark.needs("database.url", "project")
def test_code_can_be_rolled_back_after_every_pending_migration(migration_plan, said_of_plan, measure):
    """Each pending migration only adds, or who read the plan names it: a rollback would meet its schema."""
    for number, migration in enumerate(migration_plan.pending, start=1):
        measure(
            f"pending_{number}", f"{migration.name}: {'additive' if migration.reversible else 'destructive'}"
        )

    grave = migration_plan.grave(vouched=said_of_plan)
    assert not grave, f"no way back for the code: {'; '.join(grave)}"


@pytest.mark.item("preflight.backup-fresh")
def test_a_backup_is_fresh(backups, measure):
    """By Render's recovery or exports, or the project's own folder, it is younger than the limit."""
    measure("newest", str(backups))
    assert backups.fresh, f"{backups}, where {backups.limit_hours:g} h are allowed"


@pytest.mark.item("preflight.connections-free")
def test_a_second_set_of_instances_finds_connections(connections, measure):
    """By each source that counts them, no more than half of the connections are taken."""
    crowded = [count for count in connections if not count.enough_for_two]

    measure("connections", "; ".join(str(count) for count in connections))
    assert not crowded, f"{crowded[0]}: no room for as many again while old and new run side by side"
