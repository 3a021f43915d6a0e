"""What the checks of a deployment, of its errors and of a rollback decide by, without any network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kamiyo_verify.config.environments import load_runbook
from kamiyo_verify.hooks.selection import first_phase_named
from kamiyo_verify.judge.preflight.log_patterns import grouped, short, signs_in
from kamiyo_verify.judge.rollback.restored import Restored, restored, rolled_back_from
from kamiyo_verify.judge.slo.traffic import ErrorRates, Traffic, traffic_of
from kamiyo_verify.model.downtime.uptime import Probe
from kamiyo_verify.model.hosting.deployment import Deployment
from kamiyo_verify.model.hosting.release import Release
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus
from kamiyo_verify.model.hosting.signals import LogLine, Series
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Phase

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
GOOD, BAD, OLDER = "600d" * 10, "bad0" * 10, "01de" * 10


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(Path(__file__).parents[2] / "runbook.toml")


def deploy(
    commit: str,
    status: DeployStatus = DeployStatus.LIVE,
    *,
    minute: float = 0,
    lasts: float = 3,
    trigger: str = "new_commit",
    message: str = "",
) -> Deploy:
    created = NOW + timedelta(minutes=minute)
    return Deploy(
        id=f"dep-{commit[:4]}-{minute:g}",
        commit=DeployedCommit(id=commit, message=message),
        status=status,
        trigger=trigger,
        created_at=created,
        started_at=created,
        finished_at=None if status.in_progress else created + timedelta(minutes=lasts),
    )


# A deployment


def deployment(api: Deploy | None, frontend: Deploy | None, *ups: bool, from_s: float = -1) -> Deployment:
    began = NOW.timestamp() + from_s
    probes = tuple(Probe(began + at, up, "200" if up else "503") for at, up in enumerate(ups or (True,)))
    return Deployment(GOOD, {"api": api, "frontend": frontend}, {"api": probes, "frontend": probes}, 12.0)


def test_a_deployment_survives_its_journey_as_json() -> None:
    seen = deployment(deploy(GOOD), None, True, False, True)

    assert Deployment.of(seen.as_json()) == seen


def test_it_takes_from_the_first_beginning_to_the_last_end() -> None:
    seen = deployment(deploy(GOOD), deploy(GOOD, minute=1))

    assert (seen.over, seen.duration_s, seen.not_live, seen.missing) == (True, 240, {}, ())


def test_what_goes_on_has_no_duration_yet() -> None:
    seen = deployment(deploy(GOOD), deploy(GOOD, DeployStatus.BUILD_IN_PROGRESS))

    assert (seen.over, seen.duration_s) == (False, None)
    assert seen.not_live == {"frontend": "is build in progress after 12 s"}


def test_what_was_never_deployed_is_missing() -> None:
    seen = deployment(deploy(GOOD, DeployStatus.BUILD_FAILED), None)

    assert seen.missing == ("frontend",)
    assert seen.not_live == {"api": "is build failed", "frontend": "has no deploy of the commit after 12 s"}
    with pytest.raises(Unverified, match="frontend has no deploy"):
        seen.began_at  # noqa: B018 - it raises


def test_downtime_is_told_with_its_moments() -> None:
    seen = deployment(deploy(GOOD), deploy(GOOD), True, True, *[False] * 40, True).downtime("api")

    assert (seen.seconds, seen.missed_s) == (40, 0)
    assert seen.moments == "14:00:01 UTC for 40 s (503)"


def test_downtime_that_has_not_ended_is_at_least_so_long() -> None:
    seen = deployment(deploy(GOOD), deploy(GOOD), True, False, False, False).downtime("api")

    assert seen.moments == "14:00:00 UTC for at least 2 s (503)"


def test_what_was_missed_of_a_deployment_is_told() -> None:
    assert deployment(deploy(GOOD), deploy(GOOD), from_s=30).downtime("api").missed_s == 30


def test_nobody_knows_the_downtime_of_a_deployment_that_was_over() -> None:
    with pytest.raises(Unverified, match="was over before anyone asked"):
        deployment(deploy(GOOD), deploy(GOOD), from_s=180).downtime("api")


# Logs


def line(message: str, second: float = 0) -> LogLine:
    return LogLine(id=f"{second}", message=message, timestamp=NOW + timedelta(seconds=second))


API_STARTS = (
    "Kamiyo API starting up...",
    "Database exploits: 4,312",
    "Tracked chains: 54",
    "\x1b[32mWebSocket manager started\x1b[0m",
    "INFO:     Uvicorn running on http://0.0.0.0:10000 (Press CTRL+C to quit)",
)


def test_a_good_start_lacks_nothing_though_redis_is_away(runbook: Runbook) -> None:
    found = signs_in([*map(line, API_STARTS), line("Failed to connect cache manager")], "api", runbook)

    assert (found.lacking, found.bad) == ((), ())
    assert [sign.pattern.id for sign in found.good] == [
        "api-starting",
        "api-exploits-counted",
        "api-chains-counted",
        "api-websocket-started",
        "api-listening",
    ]
    assert found.one("api-websocket-started").line == "WebSocket manager started"


def test_what_is_lacking_is_told_with_its_remedy(runbook: Runbook) -> None:
    [lacking] = signs_in([*map(line, API_STARTS[:-1])], "api", runbook).lacking

    assert str(lacking).startswith("no api-listening (Uvicorn running on")
    assert "remedy: A service is deployed and does not answer its health check" in str(lacking)


def test_a_warning_sign_is_told_with_its_line_and_remedy(runbook: Runbook) -> None:
    [bad] = signs_in([line("ModuleNotFoundError: No module named 'aiohttp'", 3)], "frontend", runbook).bad

    assert str(bad) == (
        "\"ModuleNotFoundError: No module named 'aiohttp'\": a module is missing;"
        " remedy: The build or the start stops at a missing module"
    )
    assert bad.at == NOW + timedelta(seconds=3)


def test_each_service_has_signs_of_its_own(runbook: Runbook) -> None:
    assert {sign.pattern.service for sign in signs_in([], "frontend", runbook).signs} == {"frontend", "any"}
    with pytest.raises(LookupError):
        signs_in([], "frontend", runbook).one("api-listening")


def test_messages_that_differ_in_numbers_are_one_group() -> None:
    lines = [
        line("timeout after 30 s (request 7f3a9c0d1e2f)"),
        line("out of memory"),
        line("timeout after 31 s (request 0a1b2c3d4e5f)"),
    ]

    assert grouped(lines) == (("timeout after 30 s (request 7f3a9c0d1e2f)", 2), ("out of memory", 1))


def test_a_line_is_shown_short_and_inert() -> None:
    assert short("\x1b[31mred\x1b[0m\ttab\x07") == "red tab"
    assert len(short("word " * 100)) <= 160


# A rollback


def history(*deploys: Deploy) -> tuple[Deploy, ...]:
    return tuple(sorted(deploys, key=lambda one: one.created_at, reverse=True))


BEFORE = deploy(GOOD, DeployStatus.DEACTIVATED, minute=-600)
TAKEN_BACK = deploy(BAD, DeployStatus.DEACTIVATED, minute=-30)
BACK = deploy(GOOD, minute=-2, trigger="rollback")


@pytest.mark.parametrize("asked", ["", BAD, BAD[:7]])
def test_the_commit_from_before_is_back(asked: str) -> None:
    found = restored(history(BEFORE, TAKEN_BACK, BACK), asked)

    assert (found.problem, found.commit, found.bad, found.reverts) == ("", GOOD, TAKEN_BACK, False)
    assert rolled_back_from({"api": found, "frontend": Restored(None, None, "")}) == TAKEN_BACK.created_at


def test_a_revert_is_a_way_back_too() -> None:
    fixed = deploy(OLDER, minute=-2, message=f'Revert "Alert"\n\nThis reverts commit {BAD}.')
    found = restored(history(BEFORE, TAKEN_BACK, fixed), "")

    assert (found.problem, found.reverts) == ("", True)


@pytest.mark.parametrize(
    ("deploys", "asked", "problem"),
    [
        ((BEFORE, deploy(BAD, minute=-30)), "", "bad0bad is live, which was never live before"),
        ((BEFORE, deploy(BAD, minute=-30)), BAD, "bad0bad, which was to be taken back, is still live"),
        ((BEFORE, TAKEN_BACK), "", "no deploy of it is live"),
        ((deploy(BAD, minute=-30),), "", "no release was live before bad0bad"),
        ((BEFORE, TAKEN_BACK, deploy(OLDER, minute=-2)), "", "01de01d is live, which was never live before"),
        (
            (BEFORE, deploy(BAD, DeployStatus.BUILD_FAILED, minute=-30), BACK),
            "",
            "no release was live before",
        ),
    ],
)
def test_what_is_not_back_says_why(deploys: tuple[Deploy, ...], asked: str, problem: str) -> None:
    assert restored(history(*deploys), asked).problem.startswith(problem)


# Real traffic, and errors


def test_traffic_is_counted_over_all_series() -> None:
    requests = [
        Series({"statusCode": code}, "requests", ((NOW, n),)) for code, n in (("200", 97), ("502", 3))
    ]
    latency = [Series({}, "ms", ((NOW, 180.0), (NOW, 210.0), (NOW, 9000.0)))]
    found = traffic_of(requests, latency)

    assert (found.requests, found.failed, found.typical_p95_ms) == (100, 3, 210)
    assert found.description == "3 of 100 requests of real users failed"


@pytest.mark.parametrize(
    ("failed", "requests", "too_many"), [(0, 10, False), (1, 600, False), (3, 100, True), (1, 10, True)]
)
def test_few_requests_prove_little(failed: int, requests: int, *, too_many: bool) -> None:
    found = Traffic({"200": requests - failed, "500": failed}, ())

    assert found.fails_more_than(0.001, 0.95) is too_many


def test_without_traffic_nothing_is_known() -> None:
    with pytest.raises(Unverified, match="no real request"):
        Traffic({}, ()).fails_more_than(0.001, 0.95)
    with pytest.raises(Unverified, match="no latency"):
        Traffic({"200": 3}, ()).typical_p95_ms  # noqa: B018 - it raises


@pytest.mark.parametrize(
    ("before", "after", "grew"),
    [
        (60, 5, False),
        (60, 18, False),
        (60, 40, True),
        (0, 1, False),
        (0, 6, True),
        (0, 0, False),
        (60, 0, False),
    ],
)
def test_errors_grow_when_chance_cannot_explain_it(before: int, after: int, *, grew: bool) -> None:
    assert ErrorRates(before, 3600, after, 300).grew(3, 0.95) is grew


def test_without_a_complete_minute_nothing_has_grown() -> None:
    with pytest.raises(Unverified, match="no complete minute since"):
        ErrorRates(60, 3600, 0, 0).grew(3, 0.95)
    with pytest.raises(Unverified, match="no complete minute before"):
        ErrorRates(0, 0, 5, 300).grew(3, 0.95)


# A release in time


def test_what_is_not_due_says_when_it_will_be() -> None:
    release = Release({"api": deploy(GOOD), "frontend": deploy(GOOD, lasts=5)}, NOW + timedelta(minutes=15))

    with pytest.raises(Unverified, match=r"^due in 23 h 50 min$"):
        release.after(hours=24)
    assert release.after(hours=0.1) is release


def test_the_first_hours_end_now_at_the_latest() -> None:
    release = Release({"api": deploy(GOOD)}, NOW + timedelta(minutes=33))
    live = NOW + timedelta(minutes=3)

    assert release.first(hours=1) == (live, NOW + timedelta(minutes=33))
    assert release.first(hours=0.25) == (live, live + timedelta(minutes=15))
    assert release.hour_before == (NOW - timedelta(hours=1), NOW)
    assert release.minutes == 33


# The scene that a launched platform is to be in


@pytest.mark.parametrize(
    ("expression", "phase"),
    [
        ("", None),
        ("deploy", Phase.DEPLOY),
        ("postdeploy and not performance", Phase.POSTDEPLOY),
        ("not deploy", None),
        ("rollback or followup", Phase.ROLLBACK),
        ("followup or rollback", Phase.FOLLOWUP),
        ("performance", Phase.PERFORMANCE),
    ],
)
def test_a_run_is_about_the_phase_that_it_names_first(expression: str, phase: Phase | None) -> None:
    assert first_phase_named(expression) is phase
