"""This machine is asked directly, whatever the proxy variables say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.pool import proxy_for
from kamiyo_verify.http.timing import TimingClient
from kamiyo_verify.model.loopback import is_loopback
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.processes.commands import Commands, past_proxies
from tests.support.hostile_server import Server, answer, saying

PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000",
        "https://localhost",
        "http://[::1]:8000/ws",
        "http://api.localhost:3000",
        "http://127.8.9.1",
        "http://LOCALHOST.",
    ],
)
def test_this_machine(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)

    assert is_loopback(address)
    assert proxy_for(address) is None


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1.example", "https://localhost.example", "http://10.0.0.1", "http://[::2]", "//["],
)
def test_another_machine(address: str) -> None:
    assert not is_loopback(address)


def test_variables_that_are_set_stay() -> None:
    assert past_proxies({"NO_PROXY": "internal"})["no_proxy"] == "internal,localhost,127.0.0.1,::1"


@pytest.mark.parametrize("exceptions", ["::1", "[::1]", "127.0.0.0/8", "fd56::/64,*.lan", ",", "*", "a b"])
def test_exceptions_in_any_spelling_break_nothing(exceptions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bracketed or bare IPv6 and ranges, which several HTTP libraries read as addresses with a port."""
    for name, value in {**PROXIES, "no_proxy": exceptions, "NO_PROXY": exceptions}.items():
        monkeypatch.setenv(name, value)
    for address in ("http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost", "https://127.1.2.3"):
        assert proxy_for(address) is None
    assert proxy_for("https://api.example") == (None if exceptions == "*" else "http://127.0.0.1:9")


def test_a_timed_request_goes_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)
    recorded: list[Exchange] = []
    with Server(saying(answer(b"ok"))) as server:
        client = TimingClient(
            ClientContext(Timeouts(connect=2, answer=2, item=5), recorded.append, lambda: 5.0)
        )
        timing = client.breakdown(f"{server.origin}/x")

    assert timing.status == 200
    assert len(server.asked) == 1


def test_a_command_is_told_to_ask_this_machine_directly(tmp_path: Path) -> None:
    commands = Commands(tmp_path, hidden=(), record=lambda _: None)
    ran = commands.run([sys.executable, "-c", "import os; print(os.environ['no_proxy'])"], within_s=20)

    assert ran.last_line.endswith("localhost,127.0.0.1,::1")
