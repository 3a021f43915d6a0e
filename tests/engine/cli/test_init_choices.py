"""What the reader of `kamiyo-verify init` names is verified: a WebSocket, a worker, a host."""

from __future__ import annotations

import ast
import json
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from kamiyo_verify.cli.documents.command import main as documents
from kamiyo_verify.cli.init.command import main
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environments import default_environment, load_environment
from tests.engine.checks.test_streams import sends

Init = Callable[..., tuple[int, Path]]


@contextmanager
def platform(*frames: str, closed: bool = False) -> Iterator[str]:
    """Answer GET with JSON, and greet WebSockets with these frames, or refuse them; yields the origin."""

    def answer(line: ServerConnection, request: Request) -> Response | None:
        upgrades = "Upgrade" in request.headers
        if upgrades and not closed:
            return None
        if request.path in {"/", "/health"} and not upgrades:
            found = line.respond(HTTPStatus.OK, '{"status": "ok"}')
            del found.headers["Content-Type"]
            found.headers["Content-Type"] = "application/json"
            return found
        return line.respond(HTTPStatus.FORBIDDEN if upgrades else HTTPStatus.NOT_FOUND, "no")

    with serve(sends(*frames), "127.0.0.1", 0, process_request=answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def init(tmp_path: Path) -> Init:
    folder = tmp_path / "verify"
    folder.mkdir()

    def run(origin: str, *options: str) -> tuple[int, Path]:
        named = ["--url", f"notes={origin}", "--folder", str(folder), "--no-plan"]
        return main([*named, *options]), folder

    return run


def checks(folder: Path) -> str:
    text = (folder / "checks" / "postdeploy" / "test_generic.py").read_text()
    ast.parse(text)
    return text


def items(folder: Path) -> dict[str, dict[str, Any]]:
    [section] = tomllib.loads((folder / "runbook.toml").read_text())["sections"]
    return {one["id"]: one for one in section["items"]}


def loaded(folder: Path) -> Any:
    directory = folder / "environments"
    return load_environment("prod", directory, overrides={}, variables={}, dotenv=None)


def lines(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*") if path.is_file())


def test_without_a_name_no_websocket_and_no_worker_is_verified(init: Init) -> None:
    with platform() as origin:
        _, folder = init(origin)
    assert "websocket" not in checks(folder)
    assert "worker" not in checks(folder)


@pytest.mark.parametrize(
    ("frames", "call"),
    [
        (('{"type": "welcome"}',), 'library.greets({}, measure, type="welcome")'),
        (("Hello",), "library.greets({}, measure)"),
        ((), "library.accepts_websocket({}, measure)"),
    ],
    ids=["typed", "text", "silent"],
)
def test_a_websocket_is_verified_by_what_it_did(
    frames: tuple[str, ...], call: str, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamiyo_verify.cli.init.greeting._FIRST_FRAME_S", 0.5)
    with platform(*frames) as origin:
        code, folder = init(origin, "--websocket", "/ws")
    assert code == 0
    called = call.format('http("notes", None).websocket("/ws")')
    assert f"def test_notes_websocket(http, measure):\n    {called}\n" in checks(folder)
    assert items(folder)["postdeploy.notes-websocket"]["impact"] == "feature"


def test_a_websocket_that_refuses_strangers_takes_the_declared_credential(
    init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    with platform(closed=True) as origin:
        _, folder = init(origin, "--websocket", "notes=/ws", "--websocket", "/feed")
    for path, name in (("/ws", "websocket"), ("/feed", "websocket_2")):
        call = f'library.greets(http("notes").websocket("{path}"), measure)'
        assert f"def test_notes_{name}(http, measure):\n    {call}\n" in checks(folder)
    assert "its check may need a credential" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("host", "reports_crashes"),
    [
        ((), True),
        (("--host", "render"), True),
        (("--host", "command"), False),
        (("--host", "kubernetes", "--namespace", "prod", "--context", "main"), True),
    ],
    ids=["none", "render", "command", "kubernetes"],
)
def test_a_worker_is_verified_by_its_host(
    host: tuple[str, ...],
    reports_crashes: bool,  # noqa: FBT001 - a case
    init: Init,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with platform() as origin:
        _, folder = init(origin, "--worker", "database", *host)
    call = 'library.worker_runs(hosting, "database", measure, commit=expected_commit)'
    assert f"def test_database_runs(hosting, expected_commit, measure):\n    {call}\n" in checks(folder)
    item = items(folder)["postdeploy.database-runs"]
    assert (item["impact"], item["services"], "optional" in item) == ("core", ["database"], False)
    name, function = ("stays-up", "worker_stays_up") if reports_crashes else ("logs", "worker_logs")
    call = f'library.{function}(hosting, "database", measure)'
    assert f"def test_database_{name.replace('-', '_')}(hosting, measure):\n    {call}\n" in checks(folder)
    assert items(folder)[f"postdeploy.database-{name}"]["impact"] == "feature"
    assert loaded(folder).services["database"].url is None
    assert ("the call is inconclusive until" in capsys.readouterr().out) is ("kubernetes" not in host)


def test_a_cluster_is_the_host_of_every_service(init: Init, capsys: pytest.CaptureFixture[str]) -> None:
    with platform() as origin:
        _, folder = init(
            origin, "--worker", "indexer", "--host", "kubernetes", "--namespace", "prod", "--context", "main"
        )
    environment = loaded(folder)
    assert (environment.kubernetes.namespace, environment.kubernetes.context) == ("prod", "main")
    assert environment.hosted == {"notes": "notes", "indexer": "indexer"}
    workflow = yaml.safe_load((folder / ".github" / "workflows" / "verify.yml").read_text())
    steps = workflow["jobs"]["verify"]["steps"]
    assert any("pip install 'kamiyo-verify[kubernetes]==" in step.get("run", "") for step in steps)
    assert "give every run a kubeconfig with the context main" in capsys.readouterr().out


def test_a_cluster_is_never_that_of_the_moment(init: Init, capsys: pytest.CaptureFixture[str]) -> None:
    with platform() as origin:
        code, folder = init(origin, "--host", "kubernetes", "--namespace", "prod")
    assert (code, [*folder.iterdir()]) == (2, [])
    assert "--host kubernetes needs --namespace, and --context" in capsys.readouterr().err


def test_a_websocket_of_no_service_writes_nothing(init: Init, capsys: pytest.CaptureFixture[str]) -> None:
    with platform() as origin:
        code, folder = init(origin, "--websocket", "api=/ws")
    assert (code, [*folder.iterdir()]) == (2, [])
    assert "--websocket: no service is called api; there are: notes" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["ws", "notes=ws", "//evil.example/ws", "wss://notes.example/ws"])
def test_a_websocket_without_a_path_is_refused(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--url", "http://127.0.0.1:1", "--no-plan", "--websocket", path])
    assert "is not NAME=/PATH or /PATH" in capsys.readouterr().err


def test_a_project_with_everything_named_is_short(init: Init) -> None:
    kubernetes = ("--host", "kubernetes", "--namespace", "prod", "--context", "main")
    sign_in = ("--sign-in", "json", "--user", "ann")
    with platform(json.dumps({"type": "welcome"})) as origin:
        _, folder = init(origin, "--worker", "indexer", "--websocket", "/ws", *kubernetes, *sign_in)
    assert lines(folder) <= 90


@pytest.mark.parametrize(
    ("names", "default"),
    [(("prod",), "prod"), (("prod", "sandbox"), "sandbox"), (("eu", "sandbox"), "sandbox")],
)
def test_a_command_without_env_is_about_the_sandbox_or_the_only_environment(
    names: tuple[str, ...], default: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / f"{name}.toml").touch()
    assert default_environment(tmp_path) == default


def test_of_several_environments_none_is_taken_by_chance(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no environment"):
        default_environment(tmp_path)
    for name in ("eu", "us"):
        (tmp_path / f"{name}.toml").touch()
    with pytest.raises(ConfigurationError, match="--env is missing: it names one of eu, us"):
        default_environment(tmp_path)


@pytest.mark.parametrize("command", ["retrospective", "incident"])
def test_pages_of_a_new_project_are_about_its_own_environment(
    command: str, init: Init, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with platform() as origin:
        _, folder = init(origin)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KAMIYO_LEDGER_URL", f"sqlite:///{folder / 'ledger.db'}")  # one without any run
    assert documents([command]) == 2
    said = capsys.readouterr().err
    assert "sandbox" not in said
    assert "prod" in said
