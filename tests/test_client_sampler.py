"""Sampling: pace, what counts and what does not, and when it ends."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from types import SimpleNamespace

import httpx
import pytest

from plugins.clients import sampler
from plugins.clients.answer import Answer
from plugins.clients.http import HttpClient
from plugins.clients.sampler import SampleSet, exploit_urls, sample
from plugins.model.environment import Timeouts
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from tests.hostile_server import Peer, Server


class Clock(threading.Event):
    """A clock that moves by being waited upon; it is the `stop` of the sampling as well."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(
        sampler, "time", SimpleNamespace(monotonic=lambda: clock.now, time=lambda: 1.7e9 + clock.now)
    )
    return clock


class Fake:
    """Answers by a script, each after some seconds, and remembers when it was asked."""

    def __init__(self, clock: Clock, answers: Iterable[Answer | NoAnswer], takes_s: float = 0.0) -> None:
        self.clock = clock
        self.answers = iter(answers)
        self.takes_s = takes_s
        self.asked_at: list[float] = []

    def get_once(self, path: str) -> Answer:
        assert path.startswith("/")
        self.asked_at.append(round(self.clock.now, 6))
        self.clock.now += self.takes_s
        answer = next(self.answers)
        if isinstance(answer, NoAnswer):
            raise answer
        return answer


def came(status: int = 200, **headers: str) -> Answer:
    named = httpx.Headers(
        [(f"x-ratelimit-{name}".encode(), value.encode()) for name, value in headers.items()]
    )
    return Answer(
        "GET", "http://a.example/", status, named, b"", 150.0, first_byte_ms=120.0, connecting_ms=50.0
    )


def lost() -> NoAnswer:
    return NoAnswer(NoAnswerKind.TIMEOUT, "silence")


Run = Callable[..., SampleSet]


@pytest.fixture
def run(clock: Clock) -> Run:
    def run(client: Fake, requests: int = 5, per_minute: int = 60, seconds: float = 60.0) -> SampleSet:
        paths = (f"/{number}" for number in itertools.count())
        return sample(client, paths, requests, per_minute, seconds, clock)

    return run


def test_connection_set_up_is_in_no_duration(clock: Clock, run: Run) -> None:
    taken = run(Fake(clock, itertools.repeat(came())), requests=3)
    assert taken.durations_ms == (100.0, 100.0, 100.0)
    assert taken.first_byte_ms == (70.0, 70.0, 70.0)
    assert taken.paths == ("/0", "/1", "/2")
    assert (taken.bad, taken.total, taken.rate_limited) == (0, 3, 0)
    assert taken.message == "3 of 3 samples in 2 s, connection set-up left out"


def test_the_pace_is_kept_and_slow_answers_do_not_shift_it(clock: Clock, run: Run) -> None:
    client = Fake(clock, itertools.repeat(came()), takes_s=0.4)
    run(client, per_minute=60)
    assert client.asked_at == [0, 1, 2, 3, 4]


def test_it_ends_when_the_seconds_are_over(clock: Clock, run: Run) -> None:
    taken = run(Fake(clock, itertools.repeat(came()), takes_s=3), requests=99, seconds=10)
    assert taken.total == 4
    assert "ended early: the time is up" in taken.message


def test_it_ends_when_it_is_stopped(clock: Clock, run: Run) -> None:
    clock.set()
    taken = run(Fake(clock, itertools.repeat(came())))
    assert taken.total == 0
    assert "ended early: it was stopped" in taken.message


def test_errors_and_silence_are_bad_and_their_durations_count(clock: Clock, run: Run) -> None:
    taken = run(Fake(clock, [came(), came(500), lost(), came(503), came()], takes_s=0.5))
    assert (taken.bad, taken.unanswered, taken.total) == (3, 1, 5)
    assert taken.durations_ms == (100.0, 100.0, 500.0, 100.0, 100.0)


def test_refusals_measure_nothing(clock: Clock, run: Run) -> None:
    taken = run(Fake(clock, [came(401), came(302), came(404), came(), came()]))
    assert (taken.total, taken.bad, taken.beside) == (2, 0, 3)
    assert "3 answered 3xx or 4xx and left out" in taken.message


def test_a_429_is_left_out_and_waited_for(clock: Clock, run: Run) -> None:
    client = Fake(clock, [came(), came(429, reset="7"), came(), came(), came()])
    taken = run(client)
    assert (taken.total, taken.bad, taken.rate_limited) == (4, 0, 1)
    assert client.asked_at == [0, 1, 8, 9, 10]


def test_a_429_that_asks_for_too_much_ends_it(clock: Clock, run: Run) -> None:
    taken = run(Fake(clock, [came(), came(429, reset="3600")]))
    assert (taken.total, taken.rate_limited) == (1, 1)
    assert "ended early: the allowance is used up" in taken.message


def test_a_server_that_says_nothing_but_429_is_left_alone(clock: Clock, run: Run) -> None:
    taken = run(Fake(clock, itertools.repeat(came(429))), requests=100)
    assert (taken.total, taken.rate_limited) == (0, 5)
    with pytest.raises(NoAnswer) as caught:
        _ = taken.taken
    assert caught.value.kind is NoAnswerKind.RATE_LIMITED


def test_the_last_of_the_allowance_is_left_to_others(clock: Clock, run: Run) -> None:
    tight = came(limit="10", remaining="3", reset="42")
    client = Fake(clock, itertools.repeat(tight))
    run(client, per_minute=0)
    assert client.asked_at == [0, 6, 12, 18, 24], "one more token each 42 s / 7"


@pytest.mark.parametrize(
    "headers",
    [
        {"remaining": "x", "reset": "5"},
        {"remaining": "-1", "reset": "5"},
        {"remaining": "9" * 50, "reset": "5"},
        {"remaining": "0"},
        {"remaining": "0", "reset": "soon"},
        {"remaining": "0", "reset": "nan"},
        {"remaining": "0", "reset": "-5", "limit": "\xb2"},
    ],
)
def test_headers_without_sense_slow_nothing_down(clock: Clock, run: Run, headers: dict[str, str]) -> None:
    client = Fake(clock, itertools.repeat(came(200, **headers)))
    assert run(client, per_minute=0).total == 5
    assert client.asked_at == [0, 0, 0, 0, 0]


def test_a_real_server_is_sampled_over_standing_connections() -> None:
    def staying(peer: Peer) -> None:
        while peer.hear():
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            peer.asked = b""

    with Server(staying) as server:
        http = HttpClient(server.origin, timeouts=Timeouts(), record=lambda _: None, remaining=lambda: 30.0)
        taken = sample(http, exploit_urls(1), 30, 0, 30.0, threading.Event())
        http.close()
    assert (taken.total, taken.bad) == (30, 0)
    assert all(duration > 0 for duration in taken.durations_ms)
    assert server.connections == 1
    assert len(set(server.asked)) == 30


def test_no_address_comes_twice_and_none_is_out_of_range() -> None:
    urls = list(itertools.islice(exploit_urls(1_700_000_000_123_456_789), 5_000))
    assert len(set(urls)) == len(urls)
    for url in urls:
        params = httpx.URL(url).params
        assert 1 <= int(params["page_size"]) <= 100
        assert 1 <= int(params["page"]) <= 3
        assert int(params["min_amount"]) >= 0
    assert len({httpx.URL(url).params.get("chain") for url in urls}) > 5


def test_another_seed_gives_other_addresses() -> None:
    one, other = (set(itertools.islice(exploit_urls(seed), 120)) for seed in (1, 2))
    assert len(one & other) < 5
