"""Migrations since a baseline, as people report what a rollback across them does to the code before.

Each case is named by the public report that it comes from. Where no host tells when the deployment began, the
baseline's list of migrations tells which are new.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.rollback.migrated import migrated_beyond
from tests.public_reports.test_migrations import COLUMN, TABLE, Checkout, applied, checkout, failed, resolved

__all__ = ["checkout"]

Report = pytest.param
KNOWN = {"1_init"}


@pytest.mark.parametrize(
    "sql",
    [
        Report(
            'ALTER TABLE "api_program" DROP COLUMN "default_compute_profile";',
            id="Qiskit/qiskit-serverless#2420",
        ),
        Report('ALTER TABLE "tool_definitions" DROP COLUMN "risk_tier";', id="fazer-ai/agents#149"),
        Report('ALTER TABLE "users" DROP COLUMN "morning_brief_eligible";', id="vm0-ai/vm0#34084"),
        Report('ALTER TABLE "course" RENAME COLUMN "title" TO "name";', id="ls1intum/Artemis#13737"),
    ],
)
def test_a_column_that_the_code_before_uses_is_gone_since_the_baseline(checkout: Checkout, sql: str) -> None:
    files = checkout({"1_init": TABLE, "2_drops": sql})
    rows = [applied("1_init", TABLE), applied("2_drops", sql, -3)]
    found = migrated_beyond(rows, files, KNOWN)
    assert [name.split(":")[0] for name in found.grave] == ["2_drops"], "whatever time its row names"
    assert (found.safe, found.unread) == ((), ())


def test_new_tables_and_columns_without_a_value_are_safe_to_go_back_across(checkout: Checkout) -> None:
    """Qiskit/qiskit-serverless#2420: the rest of that migration, two tables and nullable columns."""
    sql = 'CREATE TABLE "ComputeProfile" ("id" TEXT NOT NULL);\n' + COLUMN
    files = checkout({"1_init": TABLE, "2_adds": sql})
    found = migrated_beyond([applied("1_init", TABLE), applied("2_adds", sql, 1)], files, KNOWN)
    assert (found.safe, found.grave, found.unread) == (("2_adds",), (), ())


def test_a_migration_of_a_renumbered_or_lost_folder_is_not_read(checkout: Checkout) -> None:
    """antiwork/gumroad#6716: applied under one number, and in the checkout under another."""
    files = checkout({"1_init": TABLE, "3_guardian": COLUMN})
    found = migrated_beyond([applied("1_init", TABLE), applied("2_guardian", COLUMN)], files, KNOWN)
    assert found.unread == ("2_guardian (not in the checkout)",)


def test_a_drop_that_failed_half_way_counts_as_begun(checkout: Checkout) -> None:
    """prisma/prisma-engines#2664: what a failed migration has already changed is not known."""
    sql = 'ALTER TABLE "User" DROP COLUMN "name";\n'
    files = checkout({"1_init": TABLE, "2_drops": sql})
    found = migrated_beyond([applied("1_init", TABLE), failed("2_drops", sql)], files, KNOWN)
    assert len(found.grave) == 1


def test_a_history_that_was_only_recorded_since_the_baseline_changed_nothing(checkout: Checkout) -> None:
    """umami-software/umami#2005: `migrate resolve --applied` after P3005, on a database that is not empty."""
    sql = 'DROP TABLE "session"; CREATE TABLE "session" ("id" TEXT);\n'
    files = checkout({"01_init": sql})
    found = migrated_beyond([resolved("01_init", sql)], files, set())
    assert (found.safe, found.grave, found.unread) == ((), (), ())
