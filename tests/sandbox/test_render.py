"""The sandbox's Render goes through a release by the clock, and each fault shows where it should."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.shapes import Service
from kamiyo_verify.model.hosting.data import RecoveryStatus
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus
from sandbox.faults import Faults
from sandbox.outside.render_services import OWNER, POSTGRES, SERVICES, blueprint
from sandbox.outside.scenes import Scene
from sandbox.outside.world import CannotBe, World
from tests.support.hosting import (
    API,
    COMMIT,
    FRONTEND,
    IDS,
    PREFIX,
    TIMEOUTS,
    Hosting,
    hosting,
    table_of,
)
from tests.support.sandbox_process import Sandbox, request, started, wait_until

SANDBOX = Path(__file__).parents[2] / "environments" / "sandbox.toml"
BOTH = ("api", "frontend")
GOOD_LINES = {
    API: (
        "Kamiyo API starting up...",
        "Database exploits: ",
        "Tracked chains: ",
        "WebSocket manager started",
        "Cache manager connected",
        "Uvicorn running on http://0.0.0.0:",
    ),
    FRONTEND: (
        "Prisma schema loaded from prisma/schema.prisma",
        "Migrations complete",
        "Ready in 287ms",
        "Local: http://localhost:3000",
    ),
}


def statuses(found: Hosting, *seconds: float) -> list[str]:
    """The status of the newest deploy of the API at each of these seconds."""
    told, passed = [], 0.0
    for moment in seconds:
        found.clock.pass_(moment - passed)
        passed = moment
        told.append(found.render.deploys(API)[0].status.value)
    return told


def messages(found: Hosting, service_id: str) -> list[str]:
    """What a service has logged in the last hour, requests left out."""
    span = found.ago(hours=1), found.now
    return [line.message for line in found.render.logs([service_id], *span, types=["app", "build"]).lines]


def variables(found: Hosting, service_id: str) -> dict[str, str]:
    told = found.render.variables(service_id)
    return {name: value.get_secret_value() for name, value in told.items()}


def failures(found: Hosting, service_id: str) -> list[str]:
    told = found.render.events(service_id, found.ago(hours=1), found.now, types=["server_failed"])
    return [str(event.failure) for event in told]


def newest(found: Hosting, service_id: str) -> DeployStatus:
    return found.render.deploys(service_id)[0].status


def of_status(found: Hosting, code: str) -> float:
    series = found.render.http_requests([API], found.ago(minutes=2), found.now)
    return sum(each.total for each in series if each.labels["statusCode"] == code)


def latency(found: Hosting) -> float:
    (series,) = found.render.http_latency([API], found.ago(minutes=2), found.now)
    return series.values[-1]


def succeeded(found: Hosting) -> float:
    deploys = found.render.deploys(API)
    return sum(deploy.status.succeeded for deploy in deploys) / len(deploys)


def test_a_deploy_goes_through_its_phases_by_the_clock() -> None:
    with hosting(scene=Scene.DEPLOY) as found:
        assert statuses(found, 0, 0.5, 2, 3, 60) == [
            "created",
            "build_in_progress",
            "update_in_progress",
            "live",
            "live",
        ]
        assert [found.world.answering(name) for name in BOTH] == [COMMIT, COMMIT]
        assert found.render.deploys(API)[1].status is DeployStatus.DEACTIVATED


def test_the_previous_commit_answers_until_the_deploy_is_live() -> None:
    with hosting(scene=Scene.DEPLOY) as found:
        found.clock.pass_(2.9)
        assert found.world.answering("api") == found.world.previous.id
        assert found.world.went_live_at is None
        assert not found.world.is_away("api")


@pytest.mark.parametrize(
    ("scene", "trigger", "commit_is_live"),
    [
        (Scene.PREFLIGHT, "new_commit", False),
        (Scene.POSTDEPLOY, "new_commit", True),
        (Scene.ROLLBACK, "rollback", False),
        (Scene.FOLLOWUP, "new_commit", True),
    ],
)
def test_each_scene_shows_how_far_the_release_has_come(
    scene: Scene, trigger: str, *, commit_is_live: bool
) -> None:
    with hosting(scene=scene) as found:
        deploy = found.render.deploys(FRONTEND)[0]
        assert deploy.status is DeployStatus.LIVE
        assert deploy.trigger == trigger
        assert deploy.is_of(COMMIT) is commit_is_live
        assert found.render.service(API).auto_deploy is (scene is not Scene.ROLLBACK)
        assert found.world.commit.id == COMMIT


@pytest.mark.parametrize(
    ("scene", "ago"),
    [
        (Scene.POSTDEPLOY, timedelta(minutes=3)),
        (Scene.ROLLBACK, timedelta(minutes=32)),
        (Scene.FOLLOWUP, timedelta(days=8)),
    ],
)
def test_the_commit_went_live_when_the_scene_says(scene: Scene, ago: timedelta) -> None:
    with hosting(scene=scene) as found:
        assert found.world.went_live_at == found.now - ago


@pytest.mark.parametrize("scene", [Scene.DEPLOY, Scene.POSTDEPLOY])
@pytest.mark.parametrize("service_id", [API, FRONTEND])
def test_every_good_line_is_logged_before_the_service_is_live(scene: Scene, service_id: str) -> None:
    with hosting(scene=scene) as found:
        found.clock.pass_(3)
        said = "\n".join(messages(found, service_id))
        began = "==> Checking out commit"
    assert [line for line in GOOD_LINES[service_id] if line not in said] == []
    assert said.index(began) < said.index(GOOD_LINES[service_id][0]) < said.index("Your service is live")


def test_logs_appear_as_time_passes() -> None:
    with hosting(scene=Scene.DEPLOY) as found:
        assert messages(found, API) == []
        found.clock.pass_(1)
        building = messages(found, API)
        found.clock.pass_(2)
        assert 0 < len(building) < len(messages(found, API))


def test_a_healthy_platform_has_nothing_to_complain_of() -> None:
    with hosting() as found:
        span = found.ago(hours=1), found.now
        assert found.render.logs([API, FRONTEND], *span, levels=["error"]).lines == ()
        assert failures(found, API) == failures(found, FRONTEND) == []
        assert found.render.postgres().is_available
        assert found.render.recovery().recovery_status is RecoveryStatus.AVAILABLE
        assert found.now - found.render.exports()[0].created_at == timedelta(hours=2)
        assert of_status(found, "500") == 0
        assert latency(found) < 500
        assert succeeded(found) == 1
        configured = {**variables(found, API), **variables(found, FRONTEND)}
        internal = found.render.connection_info().internal_connection_string
        assert configured["DATABASE_URL"] == internal.get_secret_value()
        assert configured["NEXTAUTH_URL"] == found.world.frontend_url
        assert found.render.variables(API).contested == frozenset()


CONFIGURATION: dict[str, Callable[[dict[str, str], dict[str, str]], bool]] = {
    "variable-missing": lambda api, web: "JWT_SECRET" not in api and "GOOGLE_CLIENT_SECRET" not in web,
    "placeholder-secret": lambda api, web: api["JWT_SECRET"] == web["NEXTAUTH_SECRET"] != "",
    "short-secret": lambda api, web: max(len(api["JWT_SECRET"]), len(web["NEXTAUTH_SECRET"])) < 32,
    "http-origin": lambda api, web: "http://www." in api["ALLOWED_ORIGINS"] and "www" in web["NEXTAUTH_URL"],
    "trailing-slash-origin": lambda api, web: (
        api["ALLOWED_ORIGINS"].endswith("/") and web["NEXTAUTH_URL"].endswith("/")
    ),
    "stripe-wrong-mode-key": lambda api, _web: api["STRIPE_SECRET_KEY"].startswith("sk_live_"),
    "webhook-secrets-differ": lambda api, web: api["STRIPE_WEBHOOK_SECRET"] != web["STRIPE_WEBHOOK_SECRET"],
    "database-url-differs": lambda api, web: api["DATABASE_URL"] != web["DATABASE_URL"],
}


@pytest.mark.parametrize("fault", CONFIGURATION)
def test_a_fault_of_the_configuration_shows_in_the_variables(fault: str) -> None:
    shows = CONFIGURATION[fault]
    with hosting(fault) as found:
        assert shows(variables(found, API), variables(found, FRONTEND))
        found.world.faults.clear()
        assert not shows(variables(found, API), variables(found, FRONTEND))


REST: dict[str, Callable[[Hosting], bool]] = {
    "blueprint-disagrees": lambda found: not agrees(found.render.service(API)),
    "backup-too-old": lambda found: (
        found.render.recovery().recovery_status is RecoveryStatus.NOT_AVAILABLE
        and found.now - found.render.exports()[0].created_at > timedelta(days=3)
    ),
    "postgres-suspended": lambda found: not found.render.postgres().is_available,
    "connections-full": lambda found: (
        found.render.active_connections(found.ago(minutes=5), found.now)[0].values[-1] > 90
    ),
    "build-failed": lambda found: newest(found, FRONTEND) is DeployStatus.BUILD_FAILED,
    "build-log-silent": lambda found: not any("Uvicorn running" in line for line in messages(found, API)),
    "import-error-in-log": lambda found: any("ModuleNotFoundError" in line for line in messages(found, API)),
    "database-failed-in-log": lambda found: any(
        "Database connection failed" in line for line in messages(found, API)
    ),
    "migrations-missing-in-log": lambda found: "Migrations complete" not in messages(found, FRONTEND),
    "crash-loop": lambda found: failures(found, API) == ["exited with status 1"] * 3,
    "out-of-memory": lambda found: "killed for its memory (limit 512Mi)" in failures(found, API),
    "health-checks-failing": lambda found: (
        newest(found, API) is DeployStatus.UPDATE_FAILED and "unhealthy" in str(failures(found, API))
    ),
    "deploy-stuck": lambda found: newest(found, FRONTEND).in_progress,
    "log-errors": lambda found: any("Error fetching exploits" in line for line in messages(found, API)),
    "real-users-errors": lambda found: of_status(found, "500") > 0,
    "real-users-slow": lambda found: latency(found) > 2000,
    "deployments-failing": lambda found: succeeded(found) < 0.95,
}


@pytest.mark.parametrize("fault", REST)
def test_a_fault_shows_where_it_should_and_nowhere_without_it(fault: str) -> None:
    with hosting(fault) as found:
        assert REST[fault](found)
        found.world.faults.clear()
        assert not REST[fault](found)


@pytest.mark.parametrize(
    ("fault", "service"), [("build-failed", "frontend"), ("health-checks-failing", "api")]
)
def test_a_failed_deploy_leaves_the_commit_before_it_live(fault: str, service: str) -> None:
    with hosting(fault) as found:
        assert found.world.answering(service) == found.world.previous.id
        assert found.world.went_live_at is None


def test_downtime_lasts_as_long_as_it_says_and_the_deploy_is_longer_by_it() -> None:
    with hosting("downtime-40s", scene=Scene.DEPLOY) as found:
        away = []
        for _ in range(500):
            away.append(found.world.is_away("api") and found.world.is_away("frontend"))
            found.clock.pass_(0.1)
        assert sum(away) * 0.1 == pytest.approx(40, abs=0.2)
        assert away.index(True) * 0.1 > 1
        assert found.world.went_live_at == found.world.began_at + timedelta(seconds=43)


def test_under_downtime_the_service_is_live_only_after_it() -> None:
    with hosting("downtime-40s", scene=Scene.DEPLOY) as found:
        found.clock.pass_(42)
        assert newest(found, API) is DeployStatus.UPDATE_IN_PROGRESS
        found.clock.pass_(1)
        assert newest(found, API) is DeployStatus.LIVE


def test_after_a_rollback_auto_deploy_is_off_unless_the_fault_says_otherwise() -> None:
    with hosting("auto-deploy-on", scene=Scene.ROLLBACK) as found:
        assert found.render.service(API).auto_deploy
    with hosting("rollback-not-done", scene=Scene.ROLLBACK) as found:
        assert found.render.deploys(API)[0].is_of(COMMIT)
        assert found.world.answering("api") == COMMIT


def test_a_rollback_really_changes_the_world_and_leaves_auto_deploy_on() -> None:
    with hosting() as found:
        target = found.render.deploys(API)[1]
        found.control.roll_back(API, target.id)
        assert found.world.answering("api") == COMMIT
        found.clock.pass_(2)
        assert found.world.answering("api") == found.world.previous.id
        assert found.world.answering("frontend") == COMMIT
        assert found.render.service(API).auto_deploy


def test_only_what_was_live_once_can_be_brought_back() -> None:
    with hosting("build-failed") as found:
        live, failed = found.world.deploys("api")[0], found.world.deploys("frontend")[0]
        for service, deploy in (("api", live), ("frontend", failed)):
            with pytest.raises(CannotBe, match="cannot be rolled back to"):
                found.world.roll_back(service, deploy.id)


def test_a_second_deploy_waits_for_the_first() -> None:
    with hosting() as found:
        found.control.trigger(API)
        assert found.control.trigger(API) is None
        assert statuses(found, 0, 3.1, 4, 7) == ["queued", "queued", "build_in_progress", "live"]


def test_a_cancelled_deploy_never_goes_live() -> None:
    with hosting(scene=Scene.DEPLOY) as found:
        found.clock.pass_(1)
        found.control.cancel(API, found.render.deploys(API)[0].id)
        found.clock.pass_(60)
        assert newest(found, API) is DeployStatus.CANCELED
        assert found.world.answering("api") == found.world.previous.id
        assert "Your service is live" not in "\n".join(messages(found, API))


def test_the_commands_of_the_blueprint_are_those_that_run() -> None:
    with hosting() as found:
        services = found.render.services()
    assert all(agrees(service) for service in services)
    assert all(f"name: {service.name}" in blueprint() for service in services)


def test_every_answer_tells_the_rate_limit() -> None:
    with hosting() as found:
        found.render.services()
        found.render.service(API)
        headers = found.seen[-1].answer_headers
    assert headers["ratelimit-limit"] == "400"
    assert headers["ratelimit-remaining"] == "398"
    assert headers["ratelimit-reset"] == "60"


def test_a_window_of_the_rate_limit_ends() -> None:
    with hosting() as found:
        for _ in range(30):
            found.render.logs([API], found.ago(minutes=1), found.now, at_most=1)
        found.clock.pass_(60)
        found.render.logs([API], found.ago(minutes=1), found.now, at_most=1)
        assert {seen.status for seen in found.seen} == {200}


def test_no_value_of_a_variable_is_kept_of_the_exchanges() -> None:
    with hosting() as found:
        values = [value for value in variables(found, API).values() if len(value) > 12]
        kept = repr(found.exchanges) + json.dumps([exchange.url for exchange in found.exchanges])
    assert [value for value in values if value in kept] == []


def test_the_environment_file_names_the_ids_of_the_world() -> None:
    tables = tomllib.loads(SANDBOX.read_text(encoding="utf-8"))
    assert (tables["render"]["owner"], tables["render"]["postgres"]) == (OWNER, POSTGRES)
    assert {name: one["hosting_id"] for name, one in tables["services"].items()} == IDS


def test_a_running_sandbox_deploys_and_is_away_meanwhile() -> None:
    seconds = ("--deploy-seconds", "1", "--downtime-seconds", "1")
    with started("--scene", "preflight", "--commit", COMMIT, "--fault", "downtime-40s", *seconds) as sandbox:
        told = sandbox.launched
        address = str(told["settings"]["render.address"])
        render = Render(
            table_of(address.removesuffix(PREFIX), str(told["credentials"]["SANDBOX_RENDER_API_KEY"])),
            ClientContext.unrecorded(TIMEOUTS, lambda: 20.0),
        )
        with contextlib.closing(render):
            before = {sandbox.get("/ready").headers["x-commit"], website(sandbox).headers["x-commit"]}
            assert before == {deployed(render.live_deploy(API))} != {COMMIT}
            assert request("POST", f"{sandbox.control}/scenes/deploy").status_code == 200
            wait_until(lambda: sandbox.get("/ready").status_code == 503)
            assert website(sandbox).status_code == 503
            wait_until(lambda: deployed(render.live_deploy(API)) == COMMIT)
            for answer in (sandbox.get("/ready"), website(sandbox)):
                assert (answer.status_code, answer.headers["x-commit"]) == (200, COMMIT)
            assert request("POST", f"{sandbox.control}/scenes/picnic").status_code == 404


def website(sandbox: Sandbox) -> httpx2.Response:
    return request("GET", sandbox.frontend)


def deployed(deploy: Deploy | None) -> str:
    return deploy.commit.id if deploy and deploy.commit else ""


def agrees(service: Service) -> bool:
    """The service runs as the blueprint says."""
    own = next(each for each in SERVICES.values() if each.id == service.id)
    details, commands = service.service_details, service.service_details.env_specific_details
    return (details.plan, details.health_check_path, commands.start_command, commands.build_command) == (
        own.plan,
        own.health_path,
        own.start_command,
        own.build_command,
    )


def test_a_world_has_a_clock_of_its_own() -> None:
    world = World(Faults(), COMMIT)
    assert world.now() >= world.began_at


def test_a_fault_of_the_release_goes_when_the_release_is_taken_back() -> None:
    with hosting() as found:
        faults = found.world.faults
        faults.carry("sign-in-broken", lambda: found.world.runs_the_release("frontend"))
        found.world.roll_back("api", found.world.deploys("api")[1].id)
        found.clock.pass_(10)
        assert "sign-in-broken" in faults
        found.world.roll_back("frontend", found.world.deploys("frontend")[1].id)
        assert "sign-in-broken" in faults, "it is live until the rollback is"
        found.clock.pass_(10)
        assert "sign-in-broken" not in faults
        faults.switch_on("api-down")
        assert list(faults) == ["api-down", "sign-in-broken"]
