"""Edges of what is compared before a deployment: migrations, logs, webhooks, drift, checks and load."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.load.knee import knee, p95_ms
from kamiyo_verify.judge.load.limits import (
    describe_limit,
    fails_more_than,
    full_load,
    is_held,
    is_ours,
)
from kamiyo_verify.judge.preflight.commit_checks import commit_checks, contested
from kamiyo_verify.judge.preflight.drift import Box, compare
from kamiyo_verify.judge.preflight.log_patterns import grouped, short, signs_in
from kamiyo_verify.judge.preflight.migration_plan import on_disk, plan, unapplied
from kamiyo_verify.judge.preflight.webhooks import deliveries, wiring
from kamiyo_verify.judge.rollback.migrated import migrated, migrated_beyond
from kamiyo_verify.model.hosting.signals import LogLine
from kamiyo_verify.model.load.steps import LoadRun, LoadStep
from kamiyo_verify.model.migrations import Change, Effect, MigrationFile, RecordedMigration
from kamiyo_verify.model.outside.own_job import OwnJob
from kamiyo_verify.model.runbook import Item, LogPattern
from kamiyo_verify.model.words import Impact, Phase
from tests.engine.integrations.stripe.test_wiring import EVENTS, URL, endpoint, event
from tests.engine.judge.test_commit_checks import run
from tests.support.evidence_for import RUNBOOK

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

# Migrations


def file(name: str, *effects: Effect, problem: str = "") -> MigrationFile:
    changes = tuple(Change(effect, f"statement {n}", f"why {n}") for n, effect in enumerate(effects))
    return MigrationFile(name, frozenset({f"sum of {name}"}), changes, problem)


def row(name: str, state: str = "applied", minute: float = 0, checksum: str = "", steps: int = 1) -> Any:
    began = NOW + timedelta(minutes=minute)
    return RecordedMigration(
        name=name,
        checksum=(checksum or f"sum of {name}").upper(),
        started_at=began,
        finished_at=began if state == "applied" else None,
        rolled_back_at=began if state == "rolled back" else None,
        steps=steps,
    )


A, B, C, D = (f"2026010{n}000000_{name}" for n, name in enumerate("abcd", 1))


@pytest.mark.parametrize(
    ("files", "rows", "pending", "problems"),
    [
        ((A, B), (row(A), row(B)), (), ()),
        ((A, B), (row(A),), (B,), ()),
        ((A, B), (), (A, B), ()),
        ((A, B), (row(B),), (A,), (f"{A} is pending, and older than {B}, which is applied",)),
        ((B,), (row(A), row(B)), (), (f"{A} is applied, and not among the files",)),
        ((B,), (row(A), row(B, minute=1, steps=0)), (), ()),
        (
            (B,),
            (row(A, minute=1), row(B, minute=1, steps=0)),
            (),
            (f"{A} is applied, and not among the files",),
        ),
        ((A,), (row(A, checksum="x"),), (), (f"{A} was edited after it was applied",)),
        (
            (A,),
            (row(A, "begun"),),
            (A,),
            (f"{A} was begun 2026-11-23 14:00 and is neither finished nor rolled back",),
        ),
        ((A,), (row(A, "rolled back"),), (A,), ()),
        ((A,), (row(A, "rolled back"), row(A)), (), ()),
    ],
)
def test_the_files_are_compared_with_the_record_of_the_database(
    files: tuple[str, ...], rows: tuple[Any, ...], pending: tuple[str, ...], problems: tuple[str, ...]
) -> None:
    found = plan([file(name) for name in files], rows)
    assert tuple(one.name for one in found.pending) == pending
    assert found.problems == problems


def test_a_pending_migration_that_may_break_the_code_before_it_says_why() -> None:
    files = [
        file(A, Effect.ADDITIVE),
        file(B, Effect.ADDITIVE, Effect.DESTRUCTIVE, Effect.UNKNOWN),
        file(C, Effect.UNKNOWN),
        file(D, problem="not UTF-8"),
    ]
    found = plan(files, ())
    assert found.effects == {A: "additive", B: "destructive", C: "not read", D: "not read"}
    assert found.grave() == (
        f"{B}: statement 1: destructive, why 1 (and 1 more)",
        f"{C}: statement 0: unknown, why 0",
        f"{D}: not UTF-8",
    )
    assert found.grave(f"{B} and {C} were read") == (f"{D}: not UTF-8",)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("20260101000000_add", True),
        ("read: prisma/migrations/20260101000000_add/migration.sql, and it is fine", True),
        ("I have read 20260101000000_add.", True),
        ("“20260101000000_add”, and nothing else", True),
        ("20260101000000_add_users", False),
        ("20260101000000_add-users", False),
        ("20260101000000_add.old", False),
        ("x20260101000000_add", False),
        ("0.20260101000000_add", False),
        ("20260101000000", False),
        ("", False),
    ],
)
def test_only_a_migration_that_is_named_whole_is_accepted(text: str, *, accepted: bool) -> None:
    found = plan([file("20260101000000_add", Effect.DESTRUCTIVE)], ())
    assert (found.grave(text) == ()) is accepted


def test_the_files_alone_show_a_wrong_time_and_provider() -> None:
    names = ["20261124135959_x", "20261124140000", "20261124140001_y", "20261125", "30000000000000", "later"]
    found = on_disk([file(name) for name in names], NOW)
    assert found.problems == ("20261124140001_y is of the future", "30000000000000 is of the future")
    assert on_disk([file(A, problem="no migration.sql")], NOW).problems == (f"{A}: no migration.sql",)
    for provider in ("", "postgresql", "postgres", "cockroachdb"):
        assert on_disk([], NOW, provider).problems == ()
    assert on_disk([], NOW, "mysql").problems == (
        'migration_lock.toml names the provider "mysql": Prisma refuses to deploy',
    )


def test_what_a_release_lacks_is_named_with_its_last_try() -> None:
    rows = [row(A), row(B, "rolled back"), row(C, "rolled back"), row(C, "begun", 1)]
    assert unapplied([file(one) for one in (A, B, C, "d")], rows) == (
        f"{B} was rolled back 2026-11-23 14:00 and not applied since",
        f"{C} was begun 2026-11-23 14:01 and is neither finished nor rolled back",
        "d was never applied",
    )


def test_migrations_since_a_time_are_sorted_by_their_effect() -> None:
    files = [file(A, Effect.ADDITIVE), file(B, Effect.DESTRUCTIVE, Effect.ADDITIVE), file(C, Effect.UNKNOWN)]
    rows = [row(name, minute=5) for name in (A, B, C, "d")]
    found = migrated(rows, files, NOW + timedelta(minutes=5))
    assert found.safe == (A,)
    assert found.grave == (f"{B}: statement 0 (destructive: why 0)",)
    assert found.unread == (f"{C}: statement 0 (unknown: why 0)", "d (not in the checkout)")
    nothing = migrated(rows, files, NOW + timedelta(minutes=5.1))
    assert (nothing.safe, nothing.grave, nothing.unread) == ((), (), ())
    beyond = migrated_beyond(rows, files, {B, C, "d"})
    assert (beyond.safe, beyond.grave, beyond.unread) == ((A,), (), ())


@pytest.mark.parametrize(
    ("rows", "safe", "unread"),
    [
        ((row(A, "begun"),), (f"{A} (not finished)",), ()),
        ((row(A, "rolled back"), row(A, "begun")), (f"{A} (not finished)",), ()),
        ((row(A, "begun"), row(A)), (A,), ()),
        ((row(A), row(A, "begun")), (A,), ()),
        ((row(A, "rolled back"),), (A,), ()),
        ((row(A, steps=0),), (), ()),
        ((row(A, steps=0), row(A, "begun")), (A,), ()),
        ((row(A, checksum="x"),), (), (f"{A} (not in the checkout as it was applied)",)),
        ((row(A, "rolled back", checksum="x"), row(A, "begun")), (f"{A} (not finished)",), ()),
    ],
)
def test_of_several_tries_the_one_that_was_applied_counts_and_else_the_last(
    rows: tuple[Any, ...], safe: tuple[str, ...], unread: tuple[str, ...]
) -> None:
    found = migrated(rows, [file(A, Effect.ADDITIVE)], NOW)
    assert (found.safe, found.unread) == (safe, unread)


# Log lines


def lines(*messages: str) -> list[LogLine]:
    return [
        LogLine(id=str(place), timestamp=NOW + timedelta(seconds=place), message=one)
        for place, one in enumerate(messages)
    ]


def pattern(name: str, text: str, sign: str, service: str = "api", **more: Any) -> LogPattern:
    given = {"id": name, "pattern": text, "sign": sign, "service": service, "shows": f"{name} is seen"}
    return LogPattern.model_validate({**given, **more})


BOOK = RUNBOOK.model_copy(
    update={
        "log_patterns": (
            pattern("is-up", "listening on", "good"),
            pattern("has-db", "connected", "good", "any"),
            pattern("has-cache", "cache", "good", optional=True),
            pattern("panic", "panic", "bad", remedy="secret"),
            pattern("warns", "warn", "bad", optional=True),
            pattern("theirs", "listening", "good", "frontend"),
        )
    }
)


def test_a_log_is_searched_for_the_patterns_of_its_service() -> None:
    found = signs_in(
        lines("start", "\x1b[31mlistening on 80\x1b[0m", "warn: x", "panic: y", "panic"), "api", BOOK
    )
    assert [one.pattern.id for one in found.signs] == ["is-up", "has-db", "has-cache", "panic", "warns"]
    assert (found.lines, found.complete) == (5, True)
    assert [one.pattern.id for one in found.good] == ["is-up"]
    assert found.good_lines == {"is_up": "listening on 80"}
    assert [one.pattern.id for one in found.lacking] == ["has-db"]
    assert [one.pattern.id for one in found.bad] == ["panic"]
    assert found.one("panic").at == NOW + timedelta(seconds=3)
    assert str(found.one("panic")) == '"panic: y": panic is seen; remedy: The secret'
    assert str(found.one("has-db")) == "no has-db (connected): has-db is seen"
    with pytest.raises(LookupError, match="no log pattern theirs for this service"):
        found.one("theirs")


def test_messages_that_differ_in_numbers_and_ids_are_one_group() -> None:
    found = grouped(
        lines(
            "took 5 ms",
            "user 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone",
            "took 17.5 ms",
            "user 00000000-4f89-11d3-9a0c-0305e82c3301 is gone",
            "took 1,000 ms",
            "at 0xAB12",
            "hash abcdefabcdef",
            "hash abcdefabcde",
        )
    )
    assert found[:2] == (("took 5 ms", 3), ("user 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", 2))
    assert {count for _, count in found[2:]} == {1}
    assert len(found) == 5


def test_a_line_is_shown_with_160_characters() -> None:
    assert short("x " * 80) == ("x " * 80).strip()
    assert len(short("xy " * 60)) <= 160
    assert short("xy " * 60).endswith(" …")
    assert short("a\tb\x1b[1mc") == "a bc"


# Webhooks


@pytest.mark.parametrize(
    ("endpoints", "pending", "failed", "unattributed"),
    [
        ([], 1, 0, 1),
        ([], None, 0, 1),
        ([endpoint(events=("charge.failed",))], 1, 0, 1),
        ([endpoint(), endpoint("https://x.example/1", events=("*",))], 3, 1, 0),
        ([endpoint(), endpoint("https://www.kamiyo.ai/api/payment/webhook/")], 1, 1, 0),
        ([endpoint(), endpoint("https://x.example/1", events=("*",), application="ca_1")], 1, 1, 0),
    ],
)
def test_a_delivery_that_failed_is_ours_where_no_other_endpoint_can_be_meant(
    endpoints: list[Any], pending: int | None, failed: int, unattributed: int
) -> None:
    found = deliveries([event("evt_1")], [event("evt_1", pending)], endpoints, URL)
    assert (len(found.failed), len(found.unattributed)) == (failed, unattributed)
    assert found.events == 1


@pytest.mark.parametrize(
    ("url", "same", "alike"),
    [
        ("https://kamiyo.ai:443/api/payment/webhook", True, False),
        ("http://kamiyo.ai/api/payment/webhook", False, True),
        ("http://kamiyo.ai:80/api/payment/webhook", False, True),
        ("https://kamiyo.ai:8443/api/payment/webhook", False, False),
        ("https://www.kamiyo.ai/api/payment/webhook", False, True),
        ("https://kamiyo.ai/api/payment/webhook?x=1", False, True),
        ("https://kamiyo.ai:port/api/payment/webhook", False, False),
        ("https://other.ai/api/payment/webhook", False, False),
    ],
)
def test_addresses_are_compared_as_clients_and_as_people_read_them(
    url: str, *, same: bool, alike: bool
) -> None:
    found = wiring([endpoint(url)], URL)
    assert (bool(found.enabled), bool(found.near)) == (same, alike)


def test_several_endpoints_that_deliver_are_named_with_how_often_an_event_comes() -> None:
    twice = [endpoint(id="we_1"), endpoint(events=EVENTS[:1], id="we_2")]
    [problem] = wiring(twice, URL).problems(EVENTS, production=True)
    assert problem == (
        f"2 enabled endpoints deliver to {URL}: {EVENTS[0]} comes 2 times,"
        " signed with a different secret each time"
    )
    split = [endpoint(events=EVENTS[:1], id="we_1"), endpoint(events=EVENTS[1:], id="we_2")]
    assert wiring(split, URL).problems(EVENTS, production=True) == ()
    test_mode = [endpoint(livemode=False, events=EVENTS[:1], id="we_1")]
    assert wiring(test_mode, URL).problems(EVENTS, production=True) == (
        f"we_1 is not sent {EVENTS[1]}",
        "we_1 is of the test mode, not the live mode",
    )
    assert wiring([endpoint(id="we_1")], URL).problems(EVENTS, production=False) == (
        "we_1 is of the live mode, not the test mode",
    )


# Drift


def item(name: str, checkbox: str, section: str = "1") -> Item:
    return Item(
        id=name, title=name, section=section, phase=Phase.PREFLIGHT, impact=Impact.PROCESS, checkbox=checkbox
    )


@pytest.mark.parametrize(
    ("section", "written", "moved"),
    [
        ("1", "abcdef0123", True),
        ("1", "abcde01234", False),
        ("2", "abcdefghi0", False),
        ("2", "ABCDEFGHIJ", True),
        ("2", "abcdefghijklmnopqrs0", False),
    ],
)
def test_a_text_has_moved_where_six_tenths_of_it_are_alike_or_nearly_all_under_another_heading(
    section: str, written: str, *, moved: bool
) -> None:
    found = compare([Box(section, written, 7)], [item("preflight.a", "abcdefghij")], ["preflight.a"])
    assert (bool(found.moved), bool(found.new), bool(found.gone)) == (moved, not moved, not moved)
    assert found.gap


# Checks of a commit


@pytest.mark.parametrize(
    ("conclusion", "workflow", "matters"),
    [
        ("success", "901", True),
        ("success", "900", False),
        ("timed_out", "901", False),
        ("neutral", "901", False),
        ("skipped", "901", False),
    ],
)
def test_a_failed_check_is_contested_by_a_success_in_another_run(
    conclusion: str, workflow: str, *, matters: bool
) -> None:
    runs = [run("test", "failure"), run("test", conclusion, workflow=workflow)]
    assert contested(runs) is matters
    assert not contested([run("test", "failure"), run("lint", "success", workflow="901")])


@pytest.mark.parametrize(
    ("name", "job", "own"),
    [
        ("verify", "verify", True),
        ("verify (3.12)", "verify", True),
        ("deploy / verify", "verify", True),
        ("deploy / verify (3.12)", "verify", True),
        ("verify / deploy", "verify", True),
        ("Verify", "verify", True),
        ("other", "verify", False),
    ],
)
def test_our_own_job_is_found_by_its_name(name: str, job: str, *, own: bool) -> None:
    runs = [run(name, "in_progress"), run("test", "in_progress"), run("lint")]
    found = commit_checks(runs, (), own=OwnJob(run_id="900", job=job))
    assert found.own == ((name,) if own else ())
    assert found.total == (2 if own else 3)


# Load


def step(offered: float, served: float, ms: float, **more: Any) -> LoadStep:
    return LoadStep(
        users=1, offered_per_s=offered, seconds=10.0, durations_ms=(ms,) * round(served * 10), **more
    )


@pytest.mark.parametrize(
    ("served", "beyond_ms", "found"),
    [(22, 15.0, True), (22, 14.9, False), (29.9, 15.0, True), (30, 99.0, False)],
)
def test_the_knee_is_where_half_of_more_load_is_not_served_and_answers_take_half_as_long_again(
    served: float, beyond_ms: float, *, found: bool
) -> None:
    """20 a second more are sent: 10 more have to be served; 10 ms become 15."""
    assert (knee([step(20, 20, 10.0), step(40, served, beyond_ms)]) is not None) is found


def test_the_lowest_latency_up_to_the_knee_is_what_later_steps_are_held_against() -> None:
    steps = [step(10, 10, 30.0), step(20, 20, 10.0), step(40, 21, 16.0)]
    found = knee(steps)
    assert found is not None
    assert (found.offered_per_s, found.throughput_per_s, found.p95_ms, found.beyond_p95_ms) == (
        20,
        20,
        10.0,
        16.0,
    )


def test_twenty_answers_have_a_p95() -> None:
    assert p95_ms(step(2, 2, 5.0)) == 5.0
    assert p95_ms(step(2, 1.9, 5.0)) is None


def test_limits_of_a_load() -> None:
    assert [is_ours(step(1, 1, 1.0, late_ms=late)) for late in (99.9, 100.0, 100.1)] == [False, True, True]
    assert [is_held(step(100, served, 1.0)) for served in (94.9, 95.0, 100.0)] == [False, True, True]
    some = [step(1, 0.5, 1.0, failed=5), step(1, 0.5, 1.0, failed=0)]
    assert not fails_more_than(some, 0.5, 0.95)
    assert fails_more_than([step(1, 0.5, 1.0, failed=20)], 0.5, 0.95)
    assert not fails_more_than([step(1, 0.0, 1.0, limited=9)], 0.01, 0.95)
    with pytest.raises(ValueError, match="at least one step"):
        full_load(LoadRun((), 1.0, 1))
    only = step(5, 1, 1.0, limited=1)
    assert full_load(LoadRun((only, step(9, 1, 1.0, limited=2)), 9.0, 1)) is only
    assert describe_limit(
        LoadRun((step(20, 19.6, 1.0), step(40, 30, 1.0, limited=5, failed=1)), 40.0, 1)
    ) == (
        "the platform limits the rate: 5 of 306 answers were 429 at 40 requests a second;"
        " 20 requests a second passed before"
    )
    assert describe_limit(LoadRun((only,), 5.0, 1)).endswith(
        "1 of 11 answers were 429 at 5 requests a second"
    )


def test_a_squashed_migration_hides_no_other_that_is_missing() -> None:
    """The first was applied before the squashed one was recorded, the last after it."""
    rows = [row(A), row(B, minute=1, steps=0), row(C, minute=2)]
    assert plan([file(B)], rows).problems == (f"{C} is applied, and not among the files",)
