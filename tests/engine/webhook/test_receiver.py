"""The receiver believes whoever signs as Render does, once, and starts one verification for a deployment."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.routing import Mount

from kamiyo_verify.cli import webhook as entry
from kamiyo_verify.model.hosting.services import (
    Deploy,
    DeployedCommit,
    DeployStatus,
    Event,
    EventDetails,
)
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.webhook import memory as remembering
from kamiyo_verify.webhook.app import create_app
from kamiyo_verify.webhook.door import Door
from kamiyo_verify.webhook.memory import Memory, Waiting
from kamiyo_verify.webhook.starting import Command
from kamiyo_verify.webhook.worker import Worker
from sandbox.faults import Faults
from sandbox.outside.github import REPOSITORY, create_github
from sandbox.outside.render import create_render
from sandbox.outside.render_events import happenings
from sandbox.outside.render_services import OWNER, SERVICES
from sandbox.outside.scenes import Scene
from sandbox.outside.world import World
from sandbox.platform import Secrets
from tests.support.sandbox_process import HOUSE, request, wait_until
from tests.support.serving import Wire, serving

COMMIT = "5a" * 20
API, FRONTEND = SERVICES["api"].id, SERVICES["frontend"].id
SECRET = "whsec_" + base64.b64encode(b"CaNaRy7Q of the webhook, 32 bytes").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, as long as 32 by").decode()
NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)


@dataclass
class Hosting:
    """Render, as far as the worker asks it."""

    deploys: dict[str, Deploy] = field(default_factory=dict)
    silent: int = 0
    """How many questions get no answer."""

    def event(self, event_id: str) -> Event:
        if self.silent:
            self.silent -= 1
            raise NoAnswer(NoAnswerKind.TIMEOUT, "Render is away", "https://render")
        service, _, deploy = event_id.removeprefix("evt-").partition("-of-")
        details = EventDetails(deploy_id=f"dep-{deploy}", deploy_status="succeeded")
        return Event(
            id=event_id, timestamp=NOW, service_id=f"srv-{service}", type="deploy_ended", details=details
        )

    def deploy(self, service_id: str, deploy_id: str) -> Deploy:  # noqa: ARG002 - as it is asked
        known = Deploy(
            id=deploy_id, commit=DeployedCommit(id=COMMIT), status=DeployStatus.LIVE, created_at=NOW
        )
        return self.deploys.get(deploy_id, known)


@dataclass
class Receiver:
    """One that listens."""

    origin: str
    memory: Memory
    hosting: Hosting
    worker: Worker
    started: list[str]
    lines: list[str]

    def deliver(self, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        return request("POST", f"{self.origin}/render", content=body, headers=headers)

    def tell(self, event: str, number: str, **changed: Any) -> httpx2.Response:
        return self.deliver(*signed(payload(event, **changed), number))

    def settled(self) -> None:
        wait_until(lambda: not self.memory.waiting())


def payload(event: str = "evt-api-of-one", service: str = "srv-api", kind: str = "deploy_ended") -> bytes:
    told = {"id": event, "serviceId": service, "serviceName": "kamiyo-api", "status": "succeeded"}
    return json.dumps({"type": kind, "timestamp": "2026-11-23T14:00:00Z", "data": told}).encode()


def signed(
    body: bytes, number: str = "msg_1", secret: str = SECRET, ago_s: float = 0
) -> tuple[bytes, dict[str, str]]:
    moment = datetime.now(UTC) - timedelta(seconds=ago_s)
    signature = Webhook(secret).sign(number, moment, body.decode())
    stamp = str(int(moment.timestamp()))
    return body, {"webhook-id": number, "webhook-timestamp": stamp, "webhook-signature": signature}


@contextmanager
def receiving(
    path: Path | None = None, *, secrets: tuple[str, ...] = (SECRET,), hosting: Hosting | None = None
) -> Iterator[Receiver]:
    memory, hosting, started, lines = Memory(path, time.time), hosting or Hosting(), list[str](), list[str]()
    worker = Worker(hosting, memory, started.append, within_s=60, say=lines.append, delays_s=(0.01, 0.01))
    services = {"srv-api", "srv-frontend"}
    app = create_app(
        Door(secrets, "deploy_ended"), memory, services=services, take=worker.take, say=lines.append
    )
    worker.begin()
    with serving(app) as origin:
        try:
            yield Receiver(origin, memory, hosting, worker, started, lines)
        finally:
            worker.end()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_signed_delivery_starts_one_verification(receiver: Receiver) -> None:
    answer = receiver.tell("evt-api-of-one", "msg_1")
    receiver.settled()
    assert answer.status_code == 202
    assert receiver.started == [COMMIT]


def test_both_services_of_a_deployment_are_one_run(receiver: Receiver) -> None:
    receiver.tell("evt-api-of-one", "msg_1")
    receiver.tell("evt-frontend-of-two", "msg_2", service="srv-frontend")
    receiver.settled()
    assert receiver.started == [COMMIT]
    assert "started already" in receiver.lines[-1]


def test_the_same_deploy_is_never_started_twice_and_another_of_its_commit_is(receiver: Receiver) -> None:
    receiver.tell("evt-api-of-one", "msg_1")
    receiver.tell("evt-api-of-one", "msg_2")
    receiver.settled()
    assert receiver.started == [COMMIT]
    receiver.tell("evt-api-of-three", "msg_3")
    receiver.settled()
    assert receiver.started == [COMMIT, COMMIT]


def test_a_replay_does_nothing(receiver: Receiver) -> None:
    body, headers = signed(payload())
    assert [receiver.deliver(body, headers).status_code for _ in range(3)] == [202, 200, 200]
    receiver.settled()
    assert receiver.started == [COMMIT]


def test_a_replay_does_nothing_after_a_restart(tmp_path: Path) -> None:
    body, headers = signed(payload())
    with receiving(tmp_path / "state.json") as first:
        first.deliver(body, headers)
        first.settled()
    with receiving(tmp_path / "state.json") as second:
        assert second.deliver(body, headers).status_code == 200
        second.tell("evt-frontend-of-two", "msg_2", service="srv-frontend")
        second.settled()
    assert (first.started, second.started) == ([COMMIT], [])


def test_what_was_accepted_is_seen_to_after_a_restart(tmp_path: Path) -> None:
    before = Memory(tmp_path / "state.json", time.time)
    assert before.accept(Waiting(delivery="msg_1", event="evt-api-of-one", service="srv-api"), 60)
    with receiving(tmp_path / "state.json") as after:
        after.settled()
        assert after.started == [COMMIT]


def test_ending_in_the_middle_of_a_start_is_told_and_not_repeated(tmp_path: Path) -> None:
    before = Memory(tmp_path / "state.json", time.time)
    before.accept(Waiting(delivery="msg_1", event="evt-api-of-one", service="srv-api"), 60)
    assert before.join(COMMIT, "srv-api", "dep-one", 60)
    with receiving(tmp_path / "state.json") as after:
        after.settled()
        assert after.started == []
        assert f"whether {COMMIT} was started" in after.lines[0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"secret": OTHER}, "No matching signature"),
        ({"ago_s": 301}, "too old"),
        ({"ago_s": -310}, "too new"),
    ],
)
def test_who_signs_wrongly_or_at_another_time_is_refused(
    changed: dict[str, Any], told: str, receiver: Receiver
) -> None:
    answer = receiver.deliver(*signed(payload(), **changed))
    assert answer.status_code == 401
    assert told in answer.json()["detail"]
    assert not receiver.memory.waiting()


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(name: str, receiver: Receiver) -> None:
    body, headers = signed(payload())
    del headers[name]
    assert receiver.deliver(body, headers).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": str(int(time.time()) - 1)},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,***"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
    ],
    ids=[
        "another id",
        "nan",
        "words",
        "a second ago",
        "no signature",
        "no base64",
        "version 2",
        "empty",
        "zeros",
    ],
)
def test_no_changed_header_passes(changed: dict[str, str], receiver: Receiver) -> None:
    body, headers = signed(payload())
    assert receiver.deliver(body, {**headers, **changed}).status_code == 401
    assert receiver.started == []


def test_a_changed_body_is_refused(receiver: Receiver) -> None:
    body, headers = signed(payload())
    assert receiver.deliver(body.replace(b"of-one", b"of-two"), headers).status_code == 401
    assert receiver.deliver(b"\xff\xfe", headers).status_code == 401


def test_while_the_secret_changes_either_signature_counts() -> None:
    body, headers = signed(payload(), "msg_1", OTHER)
    _, ours = signed(payload(), "msg_1", SECRET)
    both = {**headers, "webhook-signature": f"{headers['webhook-signature']} {ours['webhook-signature']}"}
    with receiving() as one:
        assert one.deliver(body, both).status_code == 202
    with receiving(secrets=(SECRET, OTHER)) as two:
        assert two.deliver(body, headers).status_code == 202


@pytest.mark.parametrize("kind", ["deploy_started", "server_failed", "x" * 100])
def test_other_events_are_thanked_for_and_forgotten(kind: str, receiver: Receiver) -> None:
    assert receiver.tell("evt-api-of-one", "msg_1", kind=kind).status_code == 200
    assert not receiver.memory.waiting()


def test_other_services_are_thanked_for_and_forgotten(receiver: Receiver) -> None:
    assert receiver.tell("evt-x-of-one", "msg_1", service="srv-x").status_code == 200
    assert receiver.started == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 20_000,
        b'{"type": 1}',
        b'{"type": "deploy_ended"}',
        b'{"type": "deploy_ended", "data": {"id": "evt-../../x", "serviceId": "srv-api"}}',
        b'{"type": "deploy_ended", "data": []}',
    ],
    ids=lambda body: body[:50].decode(),
)
def test_a_signed_body_of_another_form_is_refused(body: bytes, receiver: Receiver) -> None:
    assert receiver.deliver(*signed(body)).status_code == 400


def test_a_huge_body_is_not_read(receiver: Receiver) -> None:
    body, headers = signed(payload())
    assert receiver.deliver(body + b" " * 70_000, headers).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 4096

    answer = request("POST", f"{receiver.origin}/render", content=endless(), headers=headers)
    assert answer.status_code == 413


def test_an_announced_gigabyte_is_refused_before_it_comes(receiver: Receiver) -> None:
    host, port = receiver.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(b"POST /render HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamiyo_verify.webhook.app._BODY_WITHIN_S", 0.05)
    host, port = receiver.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(b"POST /render HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 408")


def test_no_other_address_and_no_other_method(receiver: Receiver) -> None:
    assert request("GET", f"{receiver.origin}/render").status_code == 405
    assert request("POST", f"{receiver.origin}/").status_code == 404
    assert request("GET", f"{receiver.origin}/health").json() == {"status": "ok", "waiting": 0}


def test_when_too_many_are_remembered_none_is_taken(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "_MOST_DELIVERIES", 1)
    assert receiver.tell("evt-api-of-one", "msg_1").status_code == 202
    assert receiver.tell("evt-api-of-two", "msg_2").status_code == 503


def test_deliveries_are_forgotten_when_their_date_keeps_them_out() -> None:
    now = 1000.0
    memory = Memory(None, lambda: now)
    one, two = (Waiting(delivery=name, event="evt-1", service="srv-1") for name in ("a", "b"))
    assert memory.accept(one, 660)
    assert not memory.accept(one, 660)
    now += 661
    assert memory.accept(two, 660)
    assert memory.accept(one, 660)


def test_while_render_is_away_it_is_asked_again() -> None:
    with receiving(hosting=Hosting(silent=2)) as receiver:
        receiver.tell("evt-api-of-one", "msg_1")
        receiver.settled()
        assert receiver.started == [COMMIT]


def test_when_render_stays_away_it_is_told_and_may_be_delivered_again() -> None:
    with receiving(hosting=Hosting(silent=3)) as receiver:
        receiver.tell("evt-api-of-one", "msg_1")
        receiver.settled()
        assert "NOT VERIFIED: evt-api-of-one of srv-api: Render is away" in receiver.lines
        assert receiver.tell("evt-api-of-one", "msg_1").status_code == 202
        receiver.settled()
        assert receiver.started == [COMMIT]


def test_what_nobody_thought_of_befalls_one_event_alone() -> None:
    with receiving() as receiver:
        receiver.hosting.deploys["dep-one"] = None  # type: ignore[assignment]
        receiver.tell("evt-api-of-one", "msg_1")
        receiver.tell("evt-api-of-two", "msg_2")
        wait_until(lambda: bool(receiver.started))
        assert receiver.lines[0].startswith("NOT VERIFIED: evt-api-of-one: AttributeError")


def test_a_start_that_fails_is_tried_again(receiver: Receiver) -> None:
    tries: list[str] = []

    def start(commit: str) -> None:
        tries.append(commit)
        if len(tries) == 1:
            raise NoAnswer(NoAnswerKind.TIMEOUT, "GitHub is away", "https://github")

    worker = Worker(Hosting(), receiver.memory, start, within_s=60, say=print, delays_s=(0.01,))
    waiting = Waiting(delivery="a", event="evt-api-of-one", service="srv-api")
    receiver.memory.accept(waiting, 60)
    worker._patiently(waiting)
    assert tries == [COMMIT, COMMIT]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"status": DeployStatus.CANCELED}, "canceled"),
        ({"trigger": "rollback"}, "a rollback"),
        ({"commit": None}, "an image"),
    ],
)
def test_what_is_no_release_is_left_alone(changed: dict[str, Any], told: str) -> None:
    deploy = Deploy(id="dep-one", commit=DeployedCommit(id=COMMIT), status=DeployStatus.LIVE, created_at=NOW)
    with receiving(hosting=Hosting({"dep-one": deploy.model_copy(update=changed)})) as receiver:
        receiver.tell("evt-api-of-one", "msg_1")
        receiver.settled()
        assert receiver.started == []
        assert told in receiver.lines[-1]


def test_render_is_believed_and_not_the_payload(receiver: Receiver) -> None:
    receiver.tell("evt-frontend-of-one", "msg_1", service="srv-api")
    receiver.settled()
    assert receiver.started == []
    assert "Render knows it as deploy_ended of srv-frontend" in receiver.lines[-1]


def test_a_command_gets_the_commit_as_a_word_and_no_shell(tmp_path: Path) -> None:
    lines: list[str] = []
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('|'.join(sys.argv[2:]))"
    words = ["{python}", "-c", script, str(tmp_path / "told"), "--commit={commit}", "{environment}; exit 1"]
    Command(words, "prod", os.environ, lines.append)(COMMIT)
    wait_until(lambda: bool(lines))
    assert (tmp_path / "told").read_text() == f"--commit={COMMIT}|prod; exit 1"
    assert lines[0].startswith("ended with exit code 0")


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}x")
    with pytest.raises(ValueError, match="move it away to begin anew"):
        Memory(tmp_path / "state.json", time.time)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é7Q"])
def test_a_secret_that_is_none_is_refused_without_telling_it(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^it is ") as told:
        Door((secret,) if secret else (), "deploy_ended")
    assert "7Q" not in str(told.value)


def environment_file(folder: Path, origin: str) -> Path:
    path = folder / "here.toml"
    path.write_text(
        f"""
        [services.api]
        hosting_id = "{API}"
        url = "http://127.0.0.1:1"
        [services.frontend]
        hosting_id = "{FRONTEND}"
        url = "http://127.0.0.1:2"
        [render]
        address = "{origin}/render/v1"
        owner = "{OWNER}"
        [github]
        address = "{origin}/github"
        repository = "{REPOSITORY}"
        """
    )
    return path


def run_receiver(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kamiyo_verify.cli", "webhook", *arguments],
        cwd=HOUSE,
        env={**os.environ, "RENDER_API_KEY": "", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_what_is_missing_is_told_at_once_by_name(tmp_path: Path) -> None:
    with run_receiver(f"--env={environment_file(tmp_path, 'http://127.0.0.1:3')}") as process:
        output = process.communicate(timeout=30)[0]
    assert process.returncode == 2
    wanted = "RENDER_API_KEY, RENDER_WEBHOOK_SECRET, GITHUB_DISPATCH_TOKEN"
    assert output == f"the receiver needs: {wanted}\n"


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_NEEDED", ("starlette", "no_such_library"))
    said: list[str] = []
    monkeypatch.setattr(sys.stderr, "write", said.append)
    assert entry.main() == 2
    assert said == [
        "no_such_library not installed; the receiver needs: pip install 'kamiyo-verify[receiver]'\n"
    ]


def test_renders_webhook_becomes_githubs_event(tmp_path: Path) -> None:
    """The whole of it: a process of its own, Render's and GitHub's APIs, a real signature."""
    world, secrets = World(Faults(), COMMIT, Scene.POSTDEPLOY), Secrets()
    routes = [
        Mount("/render/v1", create_render(world, secrets)),
        Mount("/github", create_github(world, secrets)),
    ]
    outside = Wire(Starlette(routes=routes))
    events = {
        service: next(one for one in happenings(world, name) if one.type == "deploy_ended").as_json()["id"]
        for name, service in (("api", API), ("frontend", FRONTEND))
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told: list[str] = []
    with serving(outside) as origin:
        arguments = (f"--env={environment_file(tmp_path, origin)}", f"--port={port}", f"--state={tmp_path}/s")
        variables = {
            "RENDER_API_KEY": secrets.render_api_key,
            "RENDER_WEBHOOK_SECRET": SECRET,
            "GITHUB_DISPATCH_TOKEN": secrets.github_token,
        }
        with run_receiver(*arguments, **variables) as process:
            assert process.stdout
            reader = threading.Thread(target=lambda: told.extend(process.stdout or ()), daemon=True)
            reader.start()
            try:
                wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"))
                for number, (service, event) in enumerate(events.items()):
                    body, headers = signed(payload(event, service), f"msg_{number}")
                    url = f"http://127.0.0.1:{port}/render"
                    assert request("POST", url, content=body, headers=headers).status_code == 202
                wait_until(lambda: any("started already" in line for line in told))
            finally:
                process.terminate()
                reader.join(20)
    sent = [json.loads(one.request_body) for one in outside.seen if one.target.endswith("/dispatches")]
    payload_sent = {"commit": COMMIT, "environment": "here"}
    assert sent == [{"event_type": "render-deploy", "client_payload": payload_sent}]
    assert "CaNaRy7Q" not in "".join(told)
    assert not any(secret in "".join(told) for secret in variables.values())


def answers(url: str) -> bool:
    try:
        return request("GET", url).status_code == 200
    except httpx2.TransportError:
        return False
