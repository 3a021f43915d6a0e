"""A run tells other systems its verdict, and is none the worse for what they do with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.engine.hooks.test_exports import BAD, GOOD
from tests.support.hostile_server import Server, silent
from tests.support.listeners import COMMIT, REPOSITORY, Listeners, listening
from tests.support.stopwatch import Stopwatch
from tests.support.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

TOKEN = "kanarienT0ken4711"
EXPORT = "Export       not sent; the verdict does not change: "


def project(toy: Toy, found: Listeners, checks: str = GOOD, more: str = "", exports: str = "") -> None:
    patience = "" if "patience_s" in exports else "patience_s = 15\n"
    toy.environment(
        more=f"""
[exports]
{patience}{exports}
[github]
address = "{found.origin}"
token = "TOY_GITHUB_TOKEN"
repository = "{REPOSITORY}"
status_context = "kamiyo-verify/toy"
deployment_environment = "production"
[prometheus]
pushgateway = "{found.origin}/push"
{more}
"""
    )
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
    toy.check("postdeploy/test_a.py", checks)


MARKERS = """
[sentry]
address = "{origin}"
token = "TOY_SENTRY_TOKEN"
organization = "acme"
projects = ["api"]
deploy_marker = true
[grafana]
address = "{origin}/grafana"
token = "TOY_GRAFANA_TOKEN"
"""
WATCH_IMPORTS = """
import sys
import threading


class Watch:
    def find_spec(self, name, *_):
        if name.startswith("kamiyo_verify") and threading.current_thread().name == "export":
            with open("imported.txt", "a") as file:
                print(name, file=file)


sys.meta_path.insert(0, Watch())
"""
ENV = {"TOY_GITHUB_TOKEN": TOKEN}
RUN = ("-m", "postdeploy", "--commit", COMMIT[:7])


@MOSTLY_ALONE
def test_a_bad_deployment_is_a_failure_everywhere(toy: Toy, workers: tuple[str, ...]) -> None:
    with listening() as found:
        project(toy, found, BAD)
        ran = toy.run(*RUN, *workers, env=ENV)
    assert ran.code == 20
    assert "Export" not in ran.out
    received = dict(found.received("POST"))
    assert received[f"/repos/{REPOSITORY}/statuses/{COMMIT}"]["state"] == "failure"
    assert received[f"/repos/{REPOSITORY}/statuses/{COMMIT}"]["context"] == "kamiyo-verify/toy"
    assert received[f"/repos/{REPOSITORY}/deployments/7/statuses"]["state"] == "failure"
    [pushed] = found.pushed
    families = {one.name: one for one in text_string_to_metric_families(pushed.request_body.decode())}
    assert families["kamiyo_verify_exit_code"].samples[0].value == 20
    assert TOKEN not in ran.everything_written()


def test_a_good_one_is_a_success_and_node_exporter_reads_of_it(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "collector"
    folder.mkdir()
    good = GOOD.replace(
        "def test_health(): ...", f'def test_health(measure):\n    measure("commit", "{COMMIT[:7]}")'
    )
    with listening() as found:
        project(toy, found, good, more=f'textfile_folder = "{folder}"')
        ran = toy.run(*RUN, "--place", "fra", env=ENV)
    assert ran.code == 0, ran.out
    assert {body["state"] for _, body in found.received("POST")} == {"success"}
    [file] = folder.iterdir()
    assert file.name == "kamiyo_verify_toy_fra.prom"
    assert file.read_text() == found.pushed[0].request_body.decode()
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_system_that_refuses_changes_nothing(toy: Toy) -> None:
    with listening(refusing=403) as found:
        project(toy, found, BAD, more='textfile_folder = "/nowhere/at/all"')
        ran = toy.run(*RUN, env=ENV)
    assert (ran.code, ran.verdict.exit_code) == (20, 20)
    received = [line for line in ran.out.splitlines() if line.startswith("Export")]
    assert [line.removeprefix(EXPORT).partition(":")[0] for line in received] == [
        "Pushgateway",
        "textfile collector",
        "GitHub commit status",
        "GitHub deployment status",
    ]
    file = "/nowhere/at/all/kamiyo_verify_toy.prom"
    assert received[1] == f"{EXPORT}textfile collector: cannot write {file}: No such file or directory"
    assert "TOY_GITHUB_TOKEN does not allow this; look at its scopes" in received[2]
    assert TOKEN not in ran.everything_written()


def test_sentry_and_grafana_mark_the_time(toy: Toy) -> None:
    env = {"TOY_SENTRY_TOKEN": f"{TOKEN}1", "TOY_GRAFANA_TOKEN": f"{TOKEN}2"}
    with listening() as found:
        toy.environment(more=MARKERS.format(origin=found.origin))
        file = toy.folder / "environments" / "toy.toml"
        file.write_text(file.read_text().replace('mutations = "forbidden"', 'mutations = "allowed"'))
        toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
        toy.check("postdeploy/test_a.py", BAD)
        ran = toy.run(*RUN, env=env)
        assert "Export" not in ran.out
        told = dict(found.received("POST"))
    marker = told[f"/api/0/organizations/acme/releases/{COMMIT[:7]}/deploys/"]
    assert (marker["environment"], marker["name"]) == ("production", "kamiyo-verify: roll back")
    note = told["/grafana/api/annotations"]
    assert note["tags"] == ["deployment", "toy", "roll_back"]
    assert note["text"].startswith("ROLL BACK: ")
    assert TOKEN not in ran.everything_written()


def test_the_threads_that_tell_import_nothing_of_ours(toy: Toy) -> None:
    """Pytest rewrites our modules by `ast.parse`, which two threads at once must not call (Python 3.11)."""
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("conftest.py", conftest + WATCH_IMPORTS)
    with listening() as found:
        _, _, grafana = MARKERS.format(origin=found.origin).partition("[grafana]")
        project(toy, found, more=f"[grafana]{grafana}")
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": found.origin, "TOY_GRAFANA_TOKEN": f"{TOKEN}2"}
        ran = toy.run(*RUN, env={**ENV, **variables})
    assert {"/v1/traces", "/grafana/api/annotations"} <= {one.target for one in found.wire.seen}, ran.out
    assert found.pushed
    assert not (toy.folder / "imported.txt").exists()


@pytest.mark.exhaustive
def test_a_system_that_hangs_changes_nothing(toy: Toy) -> None:
    with Server(silent) as server:
        project(toy, Listeners(server.origin), BAD, exports="patience_s = 1")
        watch = Stopwatch()
        ran = toy.run(*RUN, env=ENV)
    assert watch.seconds < 60
    assert (ran.code, ran.verdict.exit_code) == (20, 20)
    assert sum(line.startswith(EXPORT) for line in ran.out.splitlines()) == 3


def test_what_is_missing_is_named(toy: Toy) -> None:
    with listening() as found:
        project(toy, found, more='user = "ci"\npassword = "TOY_PUSH_PASSWORD"')
        ran = toy.run("-m", "postdeploy", env=ENV)
        assert f"{EXPORT}Pushgateway: TOY_PUSH_PASSWORD is not set" in ran.out
        assert f"{EXPORT}GitHub commit status: the commit is not known: name it by --commit" in ran.out
        ran = toy.run(*RUN)
        assert f"{EXPORT}GitHub deployment status: TOY_GITHUB_TOKEN is not set" in ran.out
        assert found.wire.seen == []


@pytest.mark.parametrize(
    ("settings", "arguments", "received"),
    [
        ("", ("--no-notify",), False),
        ("", ("--baseline",), False),
        ("drills = true", ("--baseline",), True),
        ('phases = ["deploy"]', (), False),
        ("", ("--plan",), False),
        ("", ("--collect-only",), False),
    ],
    ids=str,
)
@pytest.mark.exhaustive
def test_which_runs_are_told(toy: Toy, settings: str, arguments: tuple[str, ...], received: bool) -> None:  # noqa: FBT001
    with listening() as found:
        project(toy, found, exports=settings)
        toy.run(*RUN, *arguments, env=ENV)
    assert bool(found.wire.seen) is received


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            '[prometheus]\npushgatway = "https://x.example"',
            'prometheus.pushgatway: unknown key; did you mean "pushg',
        ),
        ('[prometheus]\ntextfile_folder = "here"', "prometheus.textfile_folder: must be an absolute path"),
        ('[prometheus]\npushgateway = "push.example"', "prometheus.pushgateway: must be an http(s) URL"),
    ],
)
def test_a_mistake_is_one_clear_error(toy: Toy, table: str, message: str) -> None:
    toy.environment(more=f"\n{table}\n")
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("-m", "postdeploy")
    assert ran.code == 4
    assert message in ran.out
