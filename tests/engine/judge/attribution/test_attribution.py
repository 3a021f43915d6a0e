"""Whose doing a failure is, what a rollback takes back, what forbids one, and what would change the call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.services import behind
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.migrated import migrated, migrated_beyond
from kamiyo_verify.model.circumstances import Before, Migrated, SupplierReport
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.migrations import Change, Effect, MigrationFile, RecordedMigration
from kamiyo_verify.model.result import Attempt, Exchange, Measurement
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status, Supplier
from tests.support.evidence_for import (
    COMMIT,
    DATA,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LIVE,
    LOOKS,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    WEBHOOK,
    evidence,
    measured,
    result,
)

API, FRONTEND = "api", "frontend"
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


def passed_before(*items: str) -> Before:
    return replace(before(), statuses=dict.fromkeys(items, PASSED))


def hosted(service: str, current: str = NEW, good: str | None = OLD, began: int = 0) -> ServiceState:
    """A service on which `current` went live so many minutes after the deployment began, `good` before it."""
    api = f"https://api.render.com/v1/services/srv-{service}"
    live = [deploy(f"dep-{service}-new", current, "live", began)]
    return ServiceState(
        service=service,
        id=f"srv-{service}",
        name=f"kamiyo-{service}",
        dashboard=f"https://dashboard.render.com/web/srv-{service}",
        api=api,
        calls=(f'PATCH {api} {{"autoDeploy": "no"}}', f'POST {api}/rollback {{"deployId": "{{deploy}}"}}'),
        auto_deploy=True,
        suspended=False,
        deploys=(*live, *([deploy(f"dep-{service}-old", good, "deactivated", -900)] if good else [])),
    )


def deploy(name: str, commit: str, status: str, minute: int, **more: Any) -> Deploy:
    return Deploy(
        id=name,
        commit=DeployedCommit(id=commit) if commit else None,
        status=DeployStatus(status),
        created_at=BEGAN + timedelta(minutes=minute),
        **more,
    )


BOTH = (hosted(API), hosted(FRONTEND))


@pytest.mark.parametrize(
    ("of", "attribution", "action", "told"),
    [
        (evidence(result(SIGN_IN, FAILED)), Attribution.UNKNOWN, Action.ROLL_BACK, ""),
        (
            evidence(result(SIGN_IN, FAILED), before=passed_before(SIGN_IN)),
            Attribution.INTRODUCED,
            Action.ROLL_BACK,
            "",
        ),
        (
            evidence(result(SIGN_IN, FAILED), before=before(SIGN_IN)),
            Attribution.PRE_EXISTING,
            Action.FIX_FORWARD,
            "the baseline 20261123T120000Z-ab12, 1 h old, commit 3b0cca2",
        ),
        (
            evidence(result(SIGN_IN, FAILED), before=before(HEALTH, baseline=False)),
            Attribution.UNKNOWN,
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
            Attribution.UNKNOWN,
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
            Attribution.UNKNOWN,
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
            Attribution.UNKNOWN,
            Action.ROLL_BACK,
            "",
        ),
        (
            evidence(result(SIGN_IN, FAILED), clock_ahead_s=4000.0),
            Attribution.UNKNOWN,
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
    assert "not known whether Stripe caused it: it timed out" in verdict.rollback.warnings


def test_an_open_incident_beside_operational_components_is_told_and_excuses_nothing() -> None:
    told = 'the incident "Webhook delivery delays" (minor, monitoring)'
    report = SupplierReport(Supplier.STRIPE, incidents=(told,))
    verdict = decide(evidence(result(WEBHOOK, FAILED), suppliers=(report,)))
    assert verdict.recommendation is Action.ROLL_BACK
    assert f"Stripe reports an open incident, by itself no excuse: {told}" in verdict.rollback.warnings


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
        (HEALTH, BOTH, ["kamiyo-api"], "kamiyo-frontend stays at 9c41d07"),
        (SIGN_IN, BOTH, ["kamiyo-frontend"], "beside an older kamiyo-frontend of 3b0cca2"),
        (DATA, BOTH, ["kamiyo-api", "kamiyo-frontend"], "never the schema"),
        (
            HEALTH,
            (hosted(API, OLDER, began=-300), hosted(FRONTEND)),
            ["kamiyo-frontend"],
            "kamiyo-api fails, and this deployment did not change it",
        ),
    ],
)
def test_what_is_broken_goes_back_alone_if_this_deployment_changed_it(
    item: str, known: tuple[ServiceState, ...], services: list[str], warning: str
) -> None:
    rollback = decide(evidence(result(item, FAILED), hosted=known)).rollback
    assert [step.service for step in rollback.services] == services
    assert any(warning in one for one in rollback.warnings), rollback.warnings


def test_what_never_went_live_is_not_taken_back() -> None:
    old = (hosted(API, OLD, OLDER), hosted(FRONTEND, OLD, OLDER))
    verdict = decide(evidence(result(HEALTH, FAILED), hosted=old, commit=NEW))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.rollback.services == ()


def test_an_item_fails_by_what_it_relies_on_where_that_is_broken() -> None:
    proxy = RUNBOOK.items[0].model_copy(update={"services": (FRONTEND, API)})
    api = proxy.model_copy(update={"services": (API,)})
    silent = proxy.model_copy(update={"services": ()})
    assert behind(evidence(), [proxy]) == (FRONTEND,)
    assert behind(evidence(), [proxy, api]) == (API,)
    assert behind(evidence(), [api, silent]) == (API, FRONTEND)


def never_live(service: str, release: str = NEW) -> ServiceState:
    """A service whose deploy of the release failed; the one before still serves."""
    state = hosted(service, OLD, OLDER, began=-300)
    return replace(state, deploys=(deploy(f"dep-{service}-bad", release, "update_failed", 1), *state.deploys))


@pytest.mark.parametrize(
    ("at_fault", "known", "action", "services"),
    [
        ((), BOTH, Action.ROLL_BACK, ["kamiyo-api", "kamiyo-frontend"]),
        ((API,), BOTH, Action.ROLL_BACK, ["kamiyo-api"]),
        ((FRONTEND,), BOTH, Action.ROLL_BACK, ["kamiyo-frontend"]),
        ((API, FRONTEND), BOTH, Action.ROLL_BACK, ["kamiyo-api", "kamiyo-frontend"]),
        ((API,), (never_live(API), hosted(FRONTEND)), Action.FIX_FORWARD, []),
        ((API, FRONTEND), (never_live(API), hosted(FRONTEND)), Action.ROLL_BACK, ["kamiyo-frontend"]),
        ((API,), (hosted(API), never_live(FRONTEND)), Action.ROLL_BACK, ["kamiyo-api"]),
    ],
    ids=["not known", "api", "frontend", "both", "api never live", "both, api never live", "the other"],
)
def test_an_item_of_no_service_is_about_those_that_it_measured_to_be_at_fault(
    at_fault: tuple[str, ...], known: tuple[ServiceState, ...], action: Action, services: list[str]
) -> None:
    shown = tuple(Measurement(f"{service}_at_fault", 2, "count") for service in at_fault)
    verdict = decide(evidence(replace(result(DATA, FAILED), measurements=shown), hosted=known))
    assert verdict.recommendation is action
    assert [step.service for step in verdict.rollback.services] == services


def test_what_a_service_does_whose_deploy_failed_is_no_ground() -> None:
    known = (never_live(API), hosted(FRONTEND))
    verdict = decide(evidence(result(HEALTH, FAILED), hosted=known))
    assert verdict.recommendation is not Action.ROLL_BACK
    assert verdict.recommendation is not Action.PROCEED
    assert verdict.rollback.services == ()


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
    assert "keeps 20251001_x, which only adds" in verdict.rollback.warnings[0]


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
    assert found.unread == (
        "4_edited (not in the checkout as it was applied)",
        "5_gone (not in the checkout)",
    )


def test_what_a_baseline_did_not_see_is_new_since() -> None:
    drop = Change(Effect.DESTRUCTIVE, "DROP TABLE x", "older code uses it")
    odd = Change(Effect.UNKNOWN, "DO …", "a DO block can do anything")
    files = [
        MigrationFile("1_old", frozenset("a"), (drop,)),
        MigrationFile("2_new", frozenset("a"), (drop,)),
        MigrationFile("3_odd", frozenset("a"), (odd,)),
    ]
    rows = [RecordedMigration(file.name, "a", BEGAN, BEGAN + timedelta(seconds=1), None) for file in files]
    found = migrated_beyond(rows, files, {"1_old"})
    assert found.grave == ("2_new: DROP TABLE x (destructive: older code uses it)",)
    assert found.unread == ("3_odd: DO … (unknown: a DO block can do anything)",)


def test_what_was_only_recorded_as_applied_changed_nothing() -> None:
    drop = Change(Effect.DESTRUCTIVE, "DROP TABLE x", "older code uses it")
    files = [MigrationFile("0_init", frozenset("a"), (drop,))]
    recorded = RecordedMigration("0_init", "a", BEGAN, BEGAN, None, 0)
    assert migrated([recorded], files, BEGAN) == Migrated()
    failed = RecordedMigration("0_init", "a", BEGAN, None, BEGAN, 0)
    assert migrated([failed, recorded], files, BEGAN).grave != ()


def test_one_that_failed_half_way_is_judged_as_if_it_had_run() -> None:
    drop = Change(Effect.DESTRUCTIVE, "DROP TABLE x", "older code uses it")
    files = [MigrationFile("1_x", frozenset("a"), (drop,))]
    assert migrated([RecordedMigration("1_x", "a", BEGAN, None, None, 0)], files, BEGAN).grave != ()


def test_one_that_is_not_finished_is_not_told_as_if_it_had_run() -> None:
    files = [MigrationFile("1_adds", frozenset("a"), ())]
    stopped = RecordedMigration("1_adds", "a", BEGAN, None, None, 1)
    assert migrated([stopped], files, BEGAN).safe == ("1_adds (not finished)",)
    assert migrated([replace(stopped, finished_at=BEGAN)], files, BEGAN).safe == ("1_adds",)


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
            f"{SIGN_IN} passing: proceed; {SIGN_IN} known to have failed before this deploy: fix forward",
        ),
        (
            evidence(result(SIGN_IN, attempts=tried(FAILED, FAILED, PASSED))),
            Action.PROCEED,
            f"one more failing try of {SIGN_IN} (2 of 3 failed): roll back",
        ),
        (
            evidence(measured(ERRORS, errors=16, requests=80)),
            Action.ROLL_BACK,
            "at most 7 of 80 requests failing (it is 16)",
        ),
        (
            evidence(measured(ERRORS, errors=24, requests=1_200)),
            Action.FIX_FORWARD,
            "of 1,200 requests failing: roll back",
        ),
        (compared(900.0), Action.ROLL_BACK, "the median clearly under 612 ms"),
        (compared(900.0), Action.ROLL_BACK, "p95 clearly under 500 ms (it is 900 ms): "),
        (
            evidence(result(SIGN_IN, FAILED), before=before(SIGN_IN)),
            Action.FIX_FORWARD,
            f"a baseline in which {SIGN_IN} passed: roll back",
        ),
    ],
)
def test_what_would_change_the_call_is_told_in_numbers(of: Evidence, action: Action, told: str) -> None:
    verdict = decide(of)
    assert verdict.recommendation is action
    assert told in verdict.flip


def test_the_confidence_rests_on_tries_and_intervals() -> None:
    failing = result(SIGN_IN, FAILED, attempts=tried(FAILED, FAILED, FAILED))
    assert (
        decide(evidence(failing)).confidence
        == f"high: {SIGN_IN} failed in 3 of 3 tries and rechecks over 2 s"
    )
    many = decide(evidence(measured(ERRORS, errors=16, requests=80)))
    assert many.confidence == f"high: intervals at 95 % confidence for {ERRORS}"
    assert decide(evidence()).confidence.startswith("high: 5 of 5 required items passed")


@pytest.mark.parametrize(
    ("live", "attribution"),
    [
        (OLD, Attribution.UNKNOWN),
        (NEW, Attribution.INTRODUCED),
        ("", Attribution.UNKNOWN),
    ],
    ids=["the same commit is live", "another commit is live", "no commit is known"],
)
def test_a_run_that_reads_no_commit_is_compared_by_what_the_host_has_live(
    live: str, attribution: Attribution
) -> None:
    known = (hosted(API, live, None),) if live else ()
    of = evidence(result(SIGN_IN, FAILED), before=passed_before(SIGN_IN), hosted=known, without=(COMMIT,))
    verdict = decide(of)
    assert verdict.reasons[0].attribution is attribution
    assert bool(verdict.not_compared) is (attribution is Attribution.UNKNOWN)


def test_what_was_not_tried_is_attributed_to_nobody() -> None:
    untried = result(SIGN_IN, Status.ERROR, "the deadline passed", failure=FailureKind.NOT_TRIED)
    verdict = decide(evidence(untried, before=passed_before(SIGN_IN)))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert [one.attribution for one in verdict.reasons] == [None]
    assert "no longer answers" not in verdict.next_step
    assert "find out why" not in verdict.next_step
    assert "our own side" not in verdict.headline


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_was_not_finished_is_no_measurement_that_failed(*, interrupted: bool) -> None:
    untried = result(LIVE, Status.ERROR, "the run stopped before it was tried", failure=FailureKind.NOT_TRIED)
    verdict = decide(evidence(untried, interrupted=interrupted))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.headline == ("the run was interrupted" if interrupted else "1 item not finished")
    assert "find out why" not in verdict.next_step


def test_what_was_not_finished_is_counted_beside_what_could_not_be_measured() -> None:
    untried = result(LIVE, Status.ERROR, "the run stopped before it was tried", failure=FailureKind.NOT_TRIED)
    verdict = decide(evidence(untried, result(LOOKS, Status.ERROR)))
    assert verdict.headline == "1 item could not be measured; 1 item not finished"
    assert f"find out why {LOOKS} could not be measured" in verdict.next_step
