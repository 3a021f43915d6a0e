"""What migrations, reviews, DSNs and backups come to, by pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.preflight.approval import approval
from kamiyo_verify.judge.preflight.contacts import (
    escalation_contacts,
    unreachable_contacts,
    unreachable_people,
)
from kamiyo_verify.judge.preflight.dsns import dsn_problems
from kamiyo_verify.judge.preflight.migration_plan import on_disk, plan, unapplied
from kamiyo_verify.model.migrations import Change, Effect, MigrationFile, RecordedMigration
from kamiyo_verify.model.outside.errors import ClientKey
from kamiyo_verify.model.outside.oncall import Responder
from kamiyo_verify.model.outside.readiness import Backup, Backups, Connections
from kamiyo_verify.model.outside.review import Pull, Review, standing
from kamiyo_verify.model.runbook import Contact
from tests.support.sandbox_process import HOUSE

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDS = Change(Effect.ADDITIVE, "ALTER TABLE a ADD COLUMN b TEXT", "older code does not notice")
DROPS = Change(Effect.DESTRUCTIVE, "DROP TABLE a", "older code may still use the table")
UNREAD = Change(Effect.UNKNOWN, "DO …", "its effect cannot be read from the statement")


def file(name: str, *changes: Change, checksum: str = "c1", problem: str = "") -> MigrationFile:
    return MigrationFile(name, frozenset({checksum}), changes or (ADDS,), problem)


def row(
    name: str, *, checksum: str = "c1", finished: bool = True, rolled_back: bool = False
) -> RecordedMigration:
    end = NOW if finished else None
    return RecordedMigration(name, checksum, NOW - timedelta(days=1), end, NOW if rolled_back else None)


FIRST, SECOND, THIRD = "20250101000000_a", "20250201000000_b", "20250301000000_c"


def test_what_is_not_applied_is_pending_in_order() -> None:
    found = plan([file(FIRST), file(SECOND), file(THIRD)], [row(FIRST)])
    assert [one.name for one in found.pending] == [SECOND, THIRD]
    assert found.problems == ()
    assert found.grave() == ()


def test_a_migration_that_was_rolled_back_is_pending_again() -> None:
    found = plan([file(FIRST)], [row(FIRST, rolled_back=True)])
    assert [one.name for one in found.pending] == [FIRST]
    assert found.problems == ()


def test_one_that_failed_and_then_went_through_is_applied() -> None:
    rows = [row(FIRST, finished=False, rolled_back=True), row(FIRST)]
    assert plan([file(FIRST)], rows).pending == ()


@pytest.mark.parametrize(
    ("files", "rows", "told"),
    [
        ([file(FIRST)], [row(FIRST, finished=False)], "neither finished nor rolled back"),
        ([], [row(FIRST)], "not among the files"),
        ([file(FIRST, checksum="c2")], [row(FIRST)], "was edited after it was applied"),
        ([file(FIRST), file(SECOND)], [row(SECOND)], f"{FIRST} is pending, and older than {SECOND}"),
    ],
)
def test_each_disagreement_of_history_and_files_is_told(
    files: list[MigrationFile], rows: list[RecordedMigration], told: str
) -> None:
    [problem] = plan(files, rows).problems
    assert told in problem


@pytest.mark.parametrize("change", [DROPS, UNREAD])
def test_a_pending_migration_that_older_code_may_not_survive_is_grave(change: Change) -> None:
    found = plan([file(FIRST), file(SECOND, ADDS, change)], [row(FIRST)])
    [grave] = found.grave()
    assert grave.startswith(f"{SECOND}: {change.statement}: {change.effect}")


@pytest.mark.parametrize(("changes", "more"), [(1, ""), (2, " (and 1 more)"), (4, " (and 3 more)")])
def test_of_several_grave_changes_the_first_is_told_and_the_rest_counted(changes: int, more: str) -> None:
    [grave] = plan([file(FIRST, *(DROPS,) * changes)], []).grave()
    assert grave == f"{FIRST}: {DROPS.statement}: {DROPS.effect}, {DROPS.why}{more}"


def test_who_read_the_plan_can_vouch_for_a_migration_by_its_name_only() -> None:
    found = plan([file(FIRST, DROPS)], [])
    assert found.grave("read it, all well") != ()
    assert found.grave(f"{FIRST} drops a table that nobody uses since May") == ()


def test_an_applied_destructive_migration_is_past_caring() -> None:
    assert plan([file(FIRST, DROPS)], [row(FIRST)]).grave() == ()


def test_a_pending_migration_that_cannot_be_read_is_grave() -> None:
    assert plan([file(FIRST, problem="its SQL cannot be parsed: line 1")], []).grave() != ()


def test_a_timestamp_of_the_future_is_told() -> None:
    [problem] = on_disk([file(name) for name in (FIRST, "20261201000000_x")], NOW).problems
    assert "is of the future" in problem


@pytest.mark.parametrize(
    "names",
    [["0_init"], [FIRST, FIRST.replace("_a", "_b")], ["000000000000_squashed_migrations"], ["add_users"]],
)
def test_the_name_of_a_folder_is_no_problem(names: list[str]) -> None:
    assert on_disk([file(name) for name in names], NOW, "postgresql").problems == ()


def test_a_lock_of_another_database_is_told() -> None:
    [problem] = on_disk([file(FIRST)], NOW, "sqlite").problems
    assert 'names the provider "sqlite"' in problem


def recorded(name: str, *, checksum: str = "c1", days_ago: float = 0.5) -> RecordedMigration:
    """As `migrate resolve --applied` leaves it."""
    moment = NOW - timedelta(days=days_ago)
    return RecordedMigration(name, checksum, moment, moment, None, 0)


def test_a_baseline_that_was_only_recorded_is_applied() -> None:
    found = plan([file("0_init", DROPS), file(SECOND)], [recorded("0_init")])
    assert [one.name for one in found.pending] == [SECOND]
    assert found.problems == ()


def test_migrations_that_were_squashed_into_one_are_not_lost() -> None:
    files = [file("000000000000_squashed_migrations"), file(THIRD)]
    rows = [
        row(FIRST),
        row(SECOND),
        recorded("000000000000_squashed_migrations"),
        recorded(THIRD, days_ago=0.1),
    ]
    assert plan(files, rows).problems == ()


def test_one_that_is_lost_after_the_squash_is_told() -> None:
    files = [file("000000000000_squashed_migrations")]
    rows = [recorded("000000000000_squashed_migrations", days_ago=5), row(THIRD)]
    [problem] = plan(files, rows).problems
    assert problem.startswith(THIRD)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], f"{SECOND} was never applied"),
        ([row(SECOND, finished=False, rolled_back=True)], f"{SECOND} was rolled back 2026-11-23 12:00"),
        ([row(SECOND, rolled_back=True)], f"{SECOND} was rolled back"),
        ([row(SECOND, finished=False)], "neither finished nor rolled back"),
    ],
)
def test_a_release_without_its_own_migration_is_told(rows: list[RecordedMigration], told: str) -> None:
    [found] = unapplied([file(FIRST), file(SECOND)], [row(FIRST), *rows])
    assert found.startswith(told) or told in found


@pytest.mark.parametrize(
    "rows",
    [[row(SECOND)], [row(SECOND, finished=False, rolled_back=True), row(SECOND)], [recorded(SECOND)]],
    ids=["applied", "retried", "resolved"],
)
def test_a_release_with_its_migrations_lacks_none(rows: list[RecordedMigration]) -> None:
    assert unapplied([file(FIRST), file(SECOND)], [row(FIRST), *rows]) == ()


def test_a_broken_file_is_told_and_a_good_one_is_not() -> None:
    found = on_disk([file(FIRST), file(SECOND, problem="it has no migration.sql")], NOW)
    assert found.problems == (f"{SECOND}: it has no migration.sql",)


COMMIT, HEAD, OLDER = "5a" * 20, "1b" * 20, "2c" * 20


def pull(number: int = 141, head: str = HEAD, merged_as: str | None = COMMIT) -> Pull:
    return Pull.model_validate(
        {
            "number": number,
            "title": "t",
            "state": "closed",
            "user": {"login": "dana"},
            "head": {"sha": head},
            "base": {"sha": OLDER},
            "merge_commit_sha": merged_as,
            "merged_at": "2026-01-01T00:00:00Z",
        }
    )


def review(who: str, state: str, commit: str = HEAD) -> Review:
    return Review.model_validate({"user": {"login": who}, "state": state, "commit_id": commit})


def judged(*reviews: Review, of: Pull | None = None, commit: str = COMMIT) -> tuple[str, ...]:
    subject = of or pull()
    return approval(commit, [(subject, standing(subject, reviews))]).problems


def test_an_approval_of_exactly_this_counts() -> None:
    assert judged(review("lee", "APPROVED")) == ()
    assert judged(review("lee", "APPROVED"), commit=COMMIT[:7]) == ()
    assert judged(review("lee", "APPROVED"), of=pull(merged_as=None), commit=HEAD) == ()


@pytest.mark.parametrize(
    ("reviews", "told"),
    [
        ([], "nobody else approved #141"),
        ([review("dana", "APPROVED")], "nobody else approved #141"),
        ([review("lee", "APPROVED", OLDER)], "lee approved an earlier state of #141 only"),
        ([review("lee", "APPROVED"), review("lee", "DISMISSED")], "nobody else approved"),
        ([review("lee", "APPROVED"), review("sam", "CHANGES_REQUESTED")], "sam asks for changes"),
        ([review("lee", "COMMENTED")], "nobody else approved"),
    ],
)
def test_what_is_no_approval_is_told(reviews: list[Review], told: str) -> None:
    [problem] = judged(*reviews)
    assert told in problem


def test_a_commit_that_no_pull_request_ends_in_is_not_approved() -> None:
    assert "there is none" in approval(COMMIT, []).problems[0]
    other = pull(139, HEAD, OLDER)
    assert "#139" in approval(COMMIT, [(other, [review("lee", "APPROVED")])]).problems[0]


def test_of_several_pull_requests_the_best_counts() -> None:
    approved = (pull(1), [review("lee", "APPROVED")])
    assert approval(COMMIT, [(pull(2), []), approved]).pull == "#1"


def key(dsn: str, *, active: bool = True) -> ClientKey:
    return ClientKey.model_validate(
        {"id": "1", "name": "Default", "projectId": 7, "isActive": active, "dsn": {"public": dsn}}
    )


OURS = "https://abc123@o1.ingest.us.sentry.io/7"


@pytest.mark.parametrize(
    ("text", "keys", "told"),
    [
        ("sentry.io", [key(OURS)], "must begin with https"),
        (OURS.replace("/7", "/8"), [key(OURS)], "none of our projects'"),
        (OURS.replace("abc123", "def456"), [key(OURS)], "none of our projects'"),
        (OURS, [key(OURS, active=False)], "switched off"),
        (OURS, [], "none of our projects'"),
    ],
)
def test_a_dsn_that_leads_nowhere_is_told_and_not_quoted(text: str, keys: list[ClientKey], told: str) -> None:
    [problem] = dsn_problems({"SENTRY_DSN on api": text}, keys)
    assert problem.startswith("SENTRY_DSN on api: ")
    assert told in problem
    assert "abc123" not in problem


def test_every_dsn_is_read_whatever_is_wrong_with_those_before_it() -> None:
    texts = {
        "first": "no address",
        "second": OURS,
        "third": OURS.replace("abc123", "def456"),
        "last": "https://",
    }
    problems = dsn_problems(texts, [key(OURS)])
    assert [problem.partition(":")[0] for problem in problems] == ["first", "third", "last"]


def test_a_live_dsn_of_ours_has_no_problem() -> None:
    assert dsn_problems({"SENTRY_DSN on api": OURS}, [key(OURS, active=False), key(OURS)]) == ()


def test_the_youngest_backup_decides() -> None:
    old, young = (Backup(name, NOW - timedelta(hours=hours)) for name, hours in (("a", 90), ("b", 3)))
    assert Backups(("a", "b"), (old, young), 24, NOW).fresh
    stale = Backups(("a", "b"), (old,), 24, NOW)
    assert not stale.fresh
    assert str(stale) == "the newest backup is 90.0 h old (a)"


def test_no_backup_is_none_that_is_fresh() -> None:
    nothing = Backups(("Render's exports", "the folder backups"), (), 24, NOW)
    assert not nothing.fresh
    assert str(nothing) == "no backup at all (Render's exports, the folder backups)"


@pytest.mark.parametrize(("used", "room"), [(20, True), (21, False), (40, False), (0, True)])
def test_half_of_the_connections_must_be_free(used: int, room: bool) -> None:  # noqa: FBT001 - parametrized
    assert Connections("x", used, 40).enough_for_two is room


def test_who_is_on_call_without_a_telephone_is_told() -> None:
    methods = [{"type": "email_contact_method_reference"}]
    person = Responder.model_validate({"id": "P1", "summary": "Dana Dev", "contact_methods": methods})
    assert unreachable_people([person]) == ("Dana Dev has no phone",)


def test_contacts_count_as_soon_as_one_has_a_name() -> None:
    runbook = load_runbook(HOUSE / "runbook.toml")
    nobody = tuple(contact.model_copy(update={"name": ""}) for contact in runbook.contacts)
    assert escalation_contacts(runbook.model_copy(update={"contacts": nobody})) == ()
    role = runbook.escalation[0].who
    named = Contact(role=role, name="Ada", phone="+1 555 0100")
    contacts = escalation_contacts(runbook.model_copy(update={"contacts": (named, Contact(role="Stripe"))}))
    assert contacts == (named,)
    assert unreachable_contacts(contacts) == (f"{role} has no email",)
