"""Load is put on a platform only where it is allowed and asked for, once, after everything else."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.load import counts, fake_locust, left, result, variables
from tests.support.sandbox_process import wait_until
from tests.support.toy_project import CONFTEST, Ran, Toy

pytest_plugins = ["pytester"]

ITEMS = {
    "postdeploy.health": "core",
    "postdeploy.live": "feature",
    "performance.load-held": "performance",
    "performance.load-knee": "performance",
}
PART = 'part = "load"\noptional = true\n'

CHECKS = """
@pytest.mark.item("performance.load-held")
def test_held(load, measure_steps):
    measure_steps()
    full = load.served()
    assert load.is_held, f"{full.throughput_per_s:.0f} of {full.offered_per_s:.0f}"

@pytest.mark.item("performance.load-knee")
def test_knee(load):
    assert load.knee is None, f"saturated at {load.knee.throughput_per_s:.0f}"
"""

OTHERS = """
import sys

@pytest.mark.item("postdeploy.live")
def test_live(heartbeat): ...

@pytest.mark.item("postdeploy.health")
def test_health(pytestconfig):
    assert not {"gevent", "locust", "zmq"} & set(sys.modules)
    assert not pytestconfig.pluginmanager.hasplugin("locust")
    assert not [one for one in sys.modules if one.startswith("pytest_locust") and one in
                {getattr(plugin, "__name__", "") for plugin in pytestconfig.pluginmanager.get_plugins()}]
"""

LOAD = """
[load]
permission = "{permission}"
service = "api"
paths = ["/notes"]
requests_per_second = 20
users = 20
steps = 2
seconds = 6
executable = "{executable}"
"""


class Notes(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Notes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def loaded(toy: Toy, origin: str) -> Toy:
    """A project with a [load], whose Locust is the stand-in."""
    toy.write("environments/toy.toml", "")
    set_up(toy, origin)
    toy.check("performance/test_load.py", CHECKS)
    toy.check("postdeploy/test_others.py", OTHERS)
    return toy


def set_up(
    toy: Toy, origin: str, *, permission: str = "allowed", executable: str = "", part: str = PART
) -> None:
    toy.items(ITEMS)
    runbook = (toy.folder / "runbook.toml").read_text(encoding="utf-8")
    for item in ITEMS:
        if "load-" in item:
            runbook = runbook.replace(f'title = "{item}"\n', f'title = "{item}"\n{part}')
    toy.write("runbook.toml", runbook)
    program = executable or str(fake_locust(toy.folder))
    toy.environment(more=LOAD.format(permission=permission, executable=program))
    environment = toy.folder / "environments" / "toy.toml"
    text = environment.read_text(encoding="utf-8")
    environment.write_text(text.replace("http://127.0.0.1:9", origin), encoding="utf-8")


def run(toy: Toy, *arguments: str, does: str) -> Ran:
    return toy.run("-m", "postdeploy", *arguments, env=variables(toy.folder, does))


def a_good_result(folder: Path) -> str:
    return str(result(folder / "good.json", [counts(0, [5] * 20)], [counts(1, [6] * 40)]))


def test_load_comes_once_and_last_and_its_items_read_it(loaded: Toy) -> None:
    ran = run(loaded, "--load", does=a_good_result(loaded.folder))
    results = [line for line in ran.evidence if line["kind"] == "result"]
    held = next(line for line in results if line["item"] == "performance.load-held")
    measured = {one["name"]: one["value"] for one in held["measurements"]}

    assert {*ran.statuses.values()} == {"passed"}, ran.out
    assert [line["item"] for line in results][:2] == ["postdeploy.health", "postdeploy.live"]
    assert measured["throughput"] == [10, 20]
    assert measured["offered"] == [10, 20]
    assert len([path for path in (loaded.folder / "pids").iterdir() if " --master " in path.read_text()]) == 1
    assert any(sent["method"] == "RUN" for sent in held["exchanges"])
    assert left(loaded.folder) == []


def test_a_platform_that_does_not_hold_is_told_once_and_not_asked_again(loaded: Toy) -> None:
    bad = result(loaded.folder / "bad.json", [counts(0, [5] * 20)], [counts(1, [900] * 22)])
    ran = run(loaded, "--load", does=str(bad))

    assert ran.message("performance.load-held") == "11 of 20"
    assert ran.message("performance.load-knee") == "saturated at 10"
    assert len([path for path in (loaded.folder / "pids").iterdir() if " --master " in path.read_text()]) == 1
    assert ran.verdict.recommendation == "fix_forward"


def test_a_rate_limit_is_no_failure_of_the_platform(loaded: Toy) -> None:
    bad = result(loaded.folder / "bad.json", [counts(0, [5] * 20)], [counts(1, [5] * 22, limited=18)])
    ran = run(loaded, "--load", does=str(bad))

    assert ran.statuses["performance.load-held"] == "unverified"
    assert ran.message("performance.load-held").startswith(
        "the platform limits the rate: 18 of 40 answers were 429 at 20 requests a second"
    )
    assert ran.verdict.recommendation == "proceed"


def test_a_machine_that_is_too_busy_to_send_blames_nobody_else(loaded: Toy) -> None:
    late = result(loaded.folder / "late.json", [counts(0, [5] * 20)], [counts(1, [900] * 22, late_ms=400)])
    ran = run(loaded, "--load", does=str(late))

    assert ran.statuses["performance.load-held"] == "unverified"
    assert "this machine was too busy to send the load" in ran.message("performance.load-held")


def test_without_the_option_no_load_is_put_on(loaded: Toy) -> None:
    ran = run(loaded, does=a_good_result(loaded.folder))

    assert ran.statuses["performance.load-held"] == "not_applicable"
    assert ran.message("performance.load-held") == "only with --load"
    assert not [one for one in ran.verdict.unverified if one.item == "performance.load-held"]
    assert "unverified" not in ran.out
    assert [*(loaded.folder / "pids").iterdir()] == []
    assert ran.verdict.recommendation == "proceed", "the items are optional"


def test_where_it_is_required_nothing_proceeds_without_it(loaded: Toy, origin: str) -> None:
    set_up(loaded, origin, part='part = "load"\n')
    runbook = (loaded.folder / "runbook.toml").read_text(encoding="utf-8")
    title = 'title = "performance.load-held"\npart = "load"\nimpact = '
    required = runbook.replace(f'{title}"performance"', f'{title}"core"')
    assert required != runbook
    loaded.write("runbook.toml", required)
    ran = run(loaded, does=a_good_result(loaded.folder))

    assert ran.statuses["performance.load-held"] == "unverified"
    assert ran.verdict.recommendation == "inconclusive"


def test_forbidden_load_is_not_put_on(loaded: Toy, origin: str) -> None:
    set_up(loaded, origin, permission="forbidden")
    ran = run(loaded, "--load", does=a_good_result(loaded.folder))

    assert ran.message("performance.load-held") == (
        'it would put load on the platform, and permission = "forbidden" in [load] of toy'
    )
    assert [*(loaded.folder / "pids").iterdir()] == []


def test_a_check_that_lacks_the_part_puts_on_nothing_either(loaded: Toy, origin: str) -> None:
    set_up(loaded, origin, permission="forbidden", part="")
    asked = run(loaded, "--load", does=a_good_result(loaded.folder))
    unasked = run(loaded, does=a_good_result(loaded.folder))

    for ran in (asked, unasked):
        assert ran.statuses["performance.load-held"] == "unverified"
    assert [*(loaded.folder / "pids").iterdir()] == []


WITHOUT_LOCUST = """
from kamiyo_verify.integrations.locust import client
client.find_spec = lambda name: None
"""


def test_without_locust_the_item_says_how_to_get_it(loaded: Toy) -> None:
    environment = loaded.folder / "environments" / "toy.toml"
    text = environment.read_text(encoding="utf-8")
    environment.write_text(re.sub(r"\nexecutable = .*", "", text), encoding="utf-8")
    loaded.write("conftest.py", CONFTEST + WITHOUT_LOCUST)
    ran = loaded.run("-m", "postdeploy", "--load", env={"PATH": "/usr/bin:/bin"})

    assert ran.statuses["performance.load-held"] == "unverified"
    assert ran.message("performance.load-held") == (
        "Locust is not installed: pip install 'kamiyo-verify[load]', or name one in [load] executable"
    )
    assert ran.verdict.recommendation == "proceed", "the items are optional"


def test_a_path_that_does_not_answer_gets_no_load(loaded: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notes, "status", 404)
    ran = run(loaded, "--load", does=a_good_result(loaded.folder))

    assert ran.statuses["performance.load-held"] == "failed"
    assert "/notes answered 404" in ran.message("performance.load-held")
    assert [*(loaded.folder / "pids").iterdir()] == []


def test_load_needs_the_platform_for_itself(loaded: Toy) -> None:
    ran = run(loaded, "--load", "-n", "2", does="hang")

    assert ran.code == 4
    assert "--load needs the platform for itself" in ran.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_the_run_ends_its_load(
    loaded: Toy, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(loaded.folder, "hang").items():
        monkeypatch.setenv(name, value)
    process = loaded.start("-m", "postdeploy", "--load")
    wait_until(lambda: len(left(loaded.folder)) == 2, within_s=60)
    os.kill(process.pid, number)
    process.communicate(timeout=60)

    wait_until(lambda: left(loaded.folder) == [])


def test_the_deadline_of_the_run_ends_its_load(loaded: Toy) -> None:
    ran = run(loaded, "--load", "--deadline", "4", does="hang")

    assert ran.statuses["performance.load-held"] == "error"
    assert ran.verdict.recommendation == "inconclusive"
    assert left(loaded.folder) == []
