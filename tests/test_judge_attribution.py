"""Whose doing a failure is, what a rollback takes back, what forbids one, and what would change the call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.judge.decide import decide
from plugins.judge.evidence import Evidence
from plugins.judge.migrated import migrated
from plugins.judge.services import behind
from plugins.judge.way_back import live_and_before
from plugins.model.circumstances import Before, Hosted, Migrated, SupplierReport, Version
from plugins.model.hosting import Deploy
from plugins.model.migrations import Change, Effect, MigrationFile, RecordedMigration
from plugins.model.result import Attempt, Exchange, Measurement
from plugins.model.words import Action, Attribution, Status, Supplier, WebService
from tests.evidence_for import (
    DATA,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    WEBHOOK,
    evidence,
    measured,
    result,
)

API, FRONTEND = WebService.API, WebService.FRONTEND
NEW, OLD, OLDER = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33, "1111111" + "0" * 33
SILENCE = (Exchange("GET", "http://x/health", None, 1.0, problem="refused"),)
BROKEN = (Exchange("GET", "http://x/health", 503, 1.0),)
WRONG = (Exchange("GET", "http://x/health", 200, 1.0),)
STRIPE_OUT = SupplierReport(Supplier.STRIPE, ("Webhooks: major outage",))
RENDER_OUT = SupplierReport(Supplier.RENDER, ("Web Services: partial outage",))
BEGAN = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def before(*failed: str, baseline: bool = True) -> Before:
    return Before(
        run="20261123T120000Z-ab12",
        baseline=baseline,
        commit=OLD,
        finished_at="2026-11-23T13:11:02+00:00",
        age_s=3600.0,
        statuses=dict.fromkeys(failed, Status.FAILED) | {LATENCY: Status.PASSED},
    )


def hosted(service: WebService, current: str = NEW, good: str | None = OLD, began: str = "14:00") -> Hosted:
    return Hosted(
        service=service,
        name=f"kamiyo-{service}",
        dashboard=f"https://dashboard.render.com/web/srv-{service}",
        api=f"https://api.render.com/v1/services/srv-{service}",
        auto_deploy=True,
        current=Version(
            deploy=f"dep-{service}-new", commit=current, began_at=f"2026-11-23T{began}:00+00:00", live_at="…"
        ),
        last_good=Version(deploy=f"dep-{service}-old", commit=good, began_at="…") if good else None,
    )


BOTH = (hosted(API), hosted(FRONTEND))


@pytest.mark.parametrize(
    ("of", "attribution", "action", "told"),
    [
        (evidence(result(SIGN_IN, FAILED)), Attribution.INTRODUCED, Action.ROLL_BACK, ""),
        (
            evidence(result(SIGN_IN, FAILED), before=before(SIGN_IN)),
            Attribution.PRE_EXISTING,
            Action.FIX_FORWARD,
            "the baseline 20261123T120000Z-ab12, 1 h old, commit 3b0cca2",
        ),
        (
            evidence(result(SIGN_IN, FAILED), before=before(HEALTH, baseline=False)),
            Attribution.INTRODUCED,
            Action.ROLL_BACK,
            "",
        ),
        (
            evidence(result(WEBHOOK, FAILED, exchanges=WRONG), suppliers=(STRIPE_OUT,)),
            Attribution.THIRD_PARTY,
            Action.FIX_FORWARD,
            "Stripe's own status page says Webhooks: major outage",
        ),
        (
            evidence(result(WEBHOOK, FAILED), suppliers=(SupplierReport(Supplier.STRIPE),)),
            Attribution.INTRODUCED,
            Action.ROLL_BACK,
            "",
        ),
        *(
            (
                evidence(result(HEALTH, FAILED, exchanges=sent), suppliers=(RENDER_OUT,)),
                Attribution.THIRD_PARTY,
                Action.FIX_FORWARD,
                "Render's own status page",
            )
            for sent in (SILENCE, BROKEN)
        ),
        (
            evidence(result(HEALTH, FAILED, exchanges=WRONG), suppliers=(RENDER_OUT,)),
            Attribution.INTRODUCED,
            Action.ROLL_BACK,
            "",
        ),
        (
            evidence(result(WEBHOOK, FAILED), clock_ahead_s=-400.0),
            Attribution.PROBER,
            Action.INCONCLUSIVE,
            "the clock of this machine is 6 min 40 s behind",
        ),
        (
            evidence(result(WEBHOOK, FAILED), clock_ahead_s=30.0),
            Attribution.INTRODUCED,
            Action.ROLL_BACK,
            "",
        ),
        (
            evidence(result(SIGN_IN, FAILED), clock_ahead_s=4000.0),
            Attribution.INTRODUCED,
            Action.ROLL_BACK,
            "",
        ),
    ],
)
def test_a_failure_is_blamed_on_whoever_did_it(
    of: Evidence, attribution: Attribution, action: Action, told: str
) -> None:
    verdict = decide(of)
    assert verdict.reasons[0].attribution is attribution
    assert verdict.recommendation is action
    assert told in verdict.reasons[0].message


def test_a_page_that_did_not_tell_excuses_nothing_and_is_told() -> None:
    verdict = decide(
        evidence(
            result(WEBHOOK, FAILED), suppliers=(SupplierReport(Supplier.STRIPE, unknown="it timed out"),)
        )
    )
    assert verdict.recommendation is Action.ROLL_BACK
    assert "not known whether it is Stripe's doing: it timed out" in verdict.rollback.warnings


def test_the_way_back_names_deploys_commits_calls_and_the_command() -> None:
    [step] = decide(evidence(result(SIGN_IN, FAILED), hosted=BOTH)).rollback.services
    assert (step.service, step.current, step.to) == (
        "kamiyo-frontend",
        "dep-frontend-new",
        "dep-frontend-old",
    )
    assert (step.current_commit, step.to_commit) == (NEW, OLD)
    assert step.calls == (
        'PATCH https://api.render.com/v1/services/srv-frontend {"autoDeploy": "no"}',
        'POST https://api.render.com/v1/services/srv-frontend/rollback {"deployId": "dep-frontend-old"}',
    )
    assert step.revert == f"git revert {NEW}"
    assert all(part in step.how for part in (*step.calls, step.revert, step.dashboard))
    assert "switch auto-deploy off first" in step.how


@pytest.mark.parametrize(
    ("item", "known", "services", "warning"),
    [
        (HEALTH, BOTH, ["kamiyo-api"], "kamiyo-frontend is not broken and stays at 9c41d07"),
        (SIGN_IN, BOTH, ["kamiyo-frontend"], "beside an older kamiyo-frontend of 3b0cca2"),
        (DATA, BOTH, ["kamiyo-api", "kamiyo-frontend"], "never the schema"),
        (
            HEALTH,
            (hosted(API, OLDER, began="09:00"), hosted(FRONTEND)),
            ["kamiyo-frontend"],
            "kamiyo-api fails, and this deployment did not change it",
        ),
    ],
)
def test_what_is_broken_goes_back_alone_if_this_deployment_changed_it(
    item: str, known: tuple[Hosted, ...], services: list[str], warning: str
) -> None:
    rollback = decide(evidence(result(item, FAILED), hosted=known)).rollback
    assert [step.service for step in rollback.services] == services
    assert any(warning in one for one in rollback.warnings), rollback.warnings


def test_what_never_went_live_is_not_taken_back() -> None:
    old = (hosted(API, OLD, OLDER), hosted(FRONTEND, OLD, OLDER))
    rollback = decide(evidence(result(HEALTH, FAILED), hosted=old, commit=NEW)).rollback
    assert [(step.to, step.calls) for step in rollback.services] == [("", ())]


def test_an_item_fails_by_what_it_relies_on_where_that_is_broken() -> None:
    proxy = RUNBOOK.items[0].model_copy(update={"services": (FRONTEND, API)})
    api = proxy.model_copy(update={"services": (API,)})
    silent = proxy.model_copy(update={"services": ()})
    assert behind([proxy]) == (FRONTEND,)
    assert behind([proxy, api]) == (API,)
    assert behind([api, silent]) == (API, FRONTEND)


GRAVE = Migrated(grave=('20251001_x: ALTER TABLE "User" DROP COLUMN "image" (destructive: older code)',))


@pytest.mark.parametrize("item", [SIGN_IN, HEALTH, DATA])
def test_after_a_destructive_migration_no_code_goes_back(item: str) -> None:
    verdict = decide(evidence(result(item, FAILED), hosted=BOTH, migrated=GRAVE))
    assert (verdict.recommendation, verdict.rollback.services) == (Action.FIX_FORWARD, ())
    assert "DROP COLUMN" in verdict.reasons[-1].message
    assert any("2026-11-23 14:00 UTC together with the code" in one for one in verdict.rollback.warnings)


def test_a_migration_that_nobody_read_is_a_persons_call() -> None:
    verdict = decide(evidence(result(SIGN_IN, FAILED), migrated=Migrated(unread=("20251001_x",))))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert "20251001_x" in verdict.reasons[-1].message


def test_a_migration_that_only_adds_does_not_stand_in_the_way() -> None:
    verdict = decide(evidence(result(SIGN_IN, FAILED), migrated=Migrated(safe=("20251001_x",))))
    assert verdict.recommendation is Action.ROLL_BACK
    assert "20251001_x left it, which only adds" in verdict.rollback.warnings[0]


def test_a_migration_alone_calls_for_nothing() -> None:
    assert decide(evidence(migrated=GRAVE)).recommendation is Action.PROCEED


def test_migrations_are_read_from_the_record_and_the_files() -> None:
    drop = Change(Effect.DESTRUCTIVE, "DROP TABLE x", "older code uses it")
    files = [
        MigrationFile("1_old", frozenset("a"), (drop,)),
        MigrationFile("2_adds", frozenset("b"), ()),
        MigrationFile("3_drops", frozenset("c"), (drop,)),
        MigrationFile("4_edited", frozenset("x"), ()),
    ]
    names = {"1_old": "a", "2_adds": "b", "3_drops": "c", "4_edited": "d", "5_gone": "e"}
    rows = [
        RecordedMigration(name, checksum, BEGAN + timedelta(minutes=-9 if "old" in name else 1), BEGAN, None)
        for name, checksum in names.items()
    ]
    found = migrated(rows, files, BEGAN)
    assert found.safe == ("2_adds",)
    assert found.grave == ("3_drops: DROP TABLE x (destructive: older code uses it)",)
    assert found.unread == ("4_edited", "5_gone")


def deploy(number: int, commit: str, status: str, minute: int) -> Deploy:
    data: dict[str, Any] = {
        "id": f"dep-{number}",
        "commit": {"id": commit},
        "status": status,
        "createdAt": BEGAN + timedelta(minutes=minute),
    }
    return Deploy.model_validate(data)


def test_the_last_good_deploy_is_of_another_commit_that_did_not_fail() -> None:
    deploys = [
        deploy(6, NEW, "build_failed", 6),
        deploy(5, NEW, "live", 5),
        deploy(4, NEW, "deactivated", 4),
        deploy(3, "2222222", "build_failed", 3),
        deploy(2, OLD, "deactivated", 2),
        deploy(1, OLDER, "deactivated", 1),
    ]

    def ids(*bad: str) -> list[str]:
        return [one.id if one else "" for one in live_and_before(deploys, bad)]

    assert ids() == ["dep-5", "dep-2"]
    assert ids(OLD[:7]) == ["dep-5", "dep-1"]
    assert ids(OLD, OLDER) == ["dep-5", ""]
    assert live_and_before(deploys[2:]) == (None, None)


def tried(*statuses: Status) -> tuple[Attempt, ...]:
    return tuple(Attempt(one, "", f"2026-11-23T14:10:0{n}+00:00", 0.5) for n, one in enumerate(statuses))


def compared(median: float) -> Evidence:
    return evidence(
        measured(LATENCY, response_times=(median,) * 80),
        baseline={LATENCY: (Measurement("response_times", (408.0,) * 80, "ms"),)},
    )


@pytest.mark.parametrize(
    ("of", "action", "told"),
    [
        (
            evidence(result(SIGN_IN, FAILED, attempts=tried(FAILED, FAILED, FAILED))),
            Action.ROLL_BACK,
            f"{SIGN_IN} passing again in 1 of 3 tries",
        ),
        (
            evidence(result(SIGN_IN, attempts=tried(FAILED, FAILED, PASSED))),
            Action.PROCEED,
            f"one more failing try of {SIGN_IN} (2 of 3 failed)",
        ),
        (
            evidence(measured(ERRORS, errors=16, requests=80)),
            Action.ROLL_BACK,
            "at most 7 of 80 requests failing (it is 16)",
        ),
        (
            evidence(measured(ERRORS, errors=24, requests=1_200)),
            Action.FIX_FORWARD,
            "of 1,200 would roll back",
        ),
        (compared(900.0), Action.ROLL_BACK, "the median clearly under 612 ms"),
        (compared(900.0), Action.ROLL_BACK, "p95 under 500 ms (it is 900 ms)"),
        (
            evidence(result(SIGN_IN, FAILED), before=before(SIGN_IN)),
            Action.FIX_FORWARD,
            "a baseline in which it passed would make it this deploy's doing",
        ),
    ],
)
def test_what_would_change_the_call_is_told_in_numbers(of: Evidence, action: Action, told: str) -> None:
    verdict = decide(of)
    assert verdict.recommendation is action
    assert told in verdict.flip


def test_the_confidence_rests_on_tries_and_intervals() -> None:
    failing = result(SIGN_IN, FAILED, attempts=tried(FAILED, FAILED, FAILED))
    assert decide(evidence(failing)).confidence == f"{SIGN_IN} failed in 3 of 3 tries over 2.5 s"
    many = decide(evidence(measured(ERRORS, errors=16, requests=80)))
    assert many.confidence == f"{ERRORS}: intervals at 95 % confidence"
    assert decide(evidence()).confidence.startswith("5 of 5 required items seen to work")
