"""Every client survives every hostile server: in time, with an outcome of ours, without a secret in it."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_platform.payments import PaymentsClient
from kamiyo_platform.realtime import RealtimeClient
from kamiyo_verify.config.environment import Api, Payments
from kamiyo_verify.http.client import HttpClient, Throttle
from kamiyo_verify.http.commit import commit_in_answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import probe
from kamiyo_verify.http.timing import TimingClient
from kamiyo_verify.integrations.nextauth.client import SignInClient
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.model.outcomes import NoAnswer, WrongAnswer
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.services import CommitSource
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Signing
from kamiyo_verify.sampling.sampler import sample
from tests.support.hostile_server import (
    HOSTILE,
    SLOW,
    STREAMS,
    Behaviour,
    Server,
    answer,
    black_hole,
    refused_port,
    saying,
    silent,
)
from tests.support.stopwatch import Stopwatch

EVERY = HOSTILE | SLOW | STREAMS
TIMEOUTS = Timeouts(connect=0.3, answer=0.3, item=2)
GENEROUS_S = 10.0  # several requests of 0.3 s on a busy machine, and nothing like a hang

KEY = "km_canary/key+4711"
ADMIN_KEY = "canary-admin-key"
SECRET = "whsec_canary"
TOKEN = "canary-session-token"
PASSWORD = "canary password"
CANARIES = (KEY, "canary%2Fkey", ADMIN_KEY, SECRET, TOKEN, PASSWORD, "canary+password", "canary%20password")


def credential(value: str) -> Credential:
    return Credential(name="CANARY", value=SecretStr(value))


@dataclass
class Clients:
    """All that speak HTTP, at one origin."""

    origin: str
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = HttpClient(
            self.origin, ClientContext(TIMEOUTS, self.exchanges.append, lambda: 2.0, throttle=Throttle())
        )
        api = Api(
            key=credential(KEY),
            admin_key=credential(ADMIN_KEY),
        )
        self.api = ApiClient(api, self.http)
        self.frontend = FrontendClient(self.http)
        self.sign_in = SignInClient(SignIn(), self.http)
        self.payments = PaymentsClient(Payments(webhook_secret=credential(SECRET)), self.http, livemode=False)
        self.timing = TimingClient(ClientContext(TIMEOUTS, self.exchanges.append, lambda: 2.0))
        self.realtime = RealtimeClient(
            "ws" + self.origin.removeprefix("http") + "/ws",
            credential(KEY),
            ClientContext(TIMEOUTS, self.exchanges.append, lambda: 2.0),
        )

    def listen(self) -> object:
        with self.realtime.connect() as stream:
            return stream.wait_for("heartbeat", within_seconds=0.3)


Ask = Callable[[Clients], object]
IN_A_FIELD = CommitSource(path="/version", field="a.b")
IN_A_HEADER = CommitSource(header="X-Commit")

ASKED: dict[str, Ask] = {
    "api.health": lambda all_: all_.api.health(),
    "api.exploits": lambda all_: all_.api.exploits(page=1, chain="x\ny"),
    "api.exploit": lambda all_: all_.api.exploit("../\ud800\x00?#"),
    "api.commit": lambda all_: commit_in_answer("api", IN_A_FIELD, all_.api.get, "/health"),
    "api.admin": lambda all_: all_.api.get_as_admin("/admin/x").mismatch("200"),
    "frontend.page": lambda all_: all_.frontend.page("/"),
    "frontend.commit": lambda all_: commit_in_answer("frontend", IN_A_HEADER, all_.frontend.get, "/"),
    "sign_in.providers": lambda all_: all_.sign_in.providers(),
    "sign_in.session": lambda all_: all_.sign_in.session(TOKEN),
    "sign_in.sign_in": lambda all_: all_.sign_in.sign_in("someone@example.com", PASSWORD),
    "payments.deliver": lambda all_: all_.payments.deliver(Signing.GOOD).usable().mismatch("200"),
    "timing.breakdown": lambda all_: all_.timing.breakdown(
        all_.origin + "/?token=" + TOKEN, {"X-API-Key": KEY}
    ),
    "realtime.connect": lambda all_: all_.listen(),
}


def outcome(ask: Ask, origin: str) -> tuple[object, str]:
    """What came of it, and all that anyone could print of it."""
    clients = Clients(origin)
    watch = Stopwatch()
    try:
        result = ask(clients)
        told = repr(result)
    except (NoAnswer, WrongAnswer) as problem:
        result = problem
        told = "".join(traceback.format_exception(problem))
    finally:
        clients.http.close()
    if isinstance(result, Exception):
        assert len(str(result)) < 1_000
        assert str(result).isprintable()
    assert watch.seconds < GENEROUS_S
    return result, told + repr(clients.exchanges)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("behaviour", EVERY.values(), ids=EVERY)
def test_every_client_survives(behaviour: Behaviour, asked: Ask) -> None:
    with Server(behaviour) as server:
        _, printable = outcome(asked, server.origin)
    for canary in CANARIES:
        assert canary not in printable


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_nobody_there_is_no_answer(asked: Ask) -> None:
    result, printable = outcome(asked, f"http://127.0.0.1:{refused_port()}")
    assert isinstance(result, NoAnswer)
    assert result.kind == "refused"
    assert not any(canary in printable for canary in CANARIES)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_name_that_does_not_exist_is_no_answer(asked: Ask) -> None:
    result, _ = outcome(asked, "http://host.invalid")
    assert isinstance(result, NoAnswer)
    assert result.kind in {"name", "timeout"}, "a name server may take longer than these 0.3 s"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems fill a queue differently")
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_black_hole_is_no_answer(asked: Ask) -> None:
    with black_hole() as port:
        result, _ = outcome(asked, f"http://127.0.0.1:{port}")
    assert isinstance(result, NoAnswer)
    assert result.kind == "timeout"


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_port_that_never_shakes_hands_is_no_answer(asked: Ask) -> None:
    with Server(silent) as server:
        result, _ = outcome(asked, server.origin.replace("http:", "https:"))
    assert isinstance(result, NoAnswer)
    assert result.kind == "timeout"


@pytest.mark.parametrize("behaviour", (HOSTILE | SLOW).values(), ids=HOSTILE | SLOW)
def test_sampling_and_the_control_probe_survive(behaviour: Behaviour) -> None:
    with Server(behaviour) as server:
        clients = Clients(server.origin)
        samples = sample(clients.api, ["/a", "/b"], 2, 0, 0.1, threading.Event())
        clients.http.close()
        result = probe([server.origin + "/"], [], TIMEOUTS)
    assert samples.total == len(samples.durations_ms) == len(samples.paths)
    assert samples.bad <= samples.total
    assert result.message.isprintable()


HEADS = st.lists(
    st.sampled_from([b"Content-Length: 3", b"Transfer-Encoding: chunked", b"X: \x00", b"Location: /"])
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    status=st.sampled_from(
        [b"HTTP/1.1 200 OK", b"HTTP/1.0 302 x", b"HTTP/1.1 099 y", b"HTTP/9.9 200 OK", b""]
    ),
    heads=HEADS,
    body=st.binary(max_size=40),
)
def test_whatever_bytes_come(status: bytes, heads: list[bytes], body: bytes) -> None:
    raw = b"\r\n".join([status, *heads, b"", body])
    with Server(saying(raw)) as server:
        result, _ = outcome(lambda all_: all_.api.get("/x"), server.origin)
    assert result is not None


@given(body=st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_whatever_json_comes(body: object) -> None:
    with Server(
        saying(answer(json.dumps({"status": body, "data": body, "timestamp": body}).encode()))
    ) as server:
        for ask in (ASKED["api.health"], ASKED["api.exploits"]):
            result, _ = outcome(ask, server.origin)
            assert isinstance(result, WrongAnswer)
