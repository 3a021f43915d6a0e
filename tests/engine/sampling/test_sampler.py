"""Sampling: its schedule waits for no answer, what counts and what does not, and when it ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import httpx2
import pytest

from kamiyo_platform.varied_urls import exploit_urls
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Stopping
from kamiyo_verify.sampling.sampler import sample
from kamiyo_verify.sampling.samples import SampleSet
from kamiyo_verify.sampling.schedule import Schedule
from kamiyo_verify.sampling.senders import SampleResult, Senders
from kamiyo_verify.sampling.tally import Tally
from tests.support.hostile_server import Peer, Server

PATIENCE_S = 20.0
NOW = 1.7e9


def came(status: int = 200, elapsed_ms: float = 150.0, **headers: str) -> Answer:
    named = httpx2.Headers(
        [
            (f"{'' if name == 'retry-after' else 'x-ratelimit-'}{name}".encode(), value.encode())
            for name, value in headers.items()
        ]
    )
    return Answer(
        "GET", "http://a.example/", status, named, b"", elapsed_ms, first_byte_ms=120.0, connecting_ms=50.0
    )


def lost() -> NoAnswer:
    return NoAnswer(NoAnswerKind.TIMEOUT, "silence")


class Fake:
    """Answers by a script, at once, and remembers what it was asked."""

    def __init__(self, answers: Iterable[Answer | Exception]) -> None:
        self.answers = iter(answers)
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def get_once(self, path: str) -> Answer:
        with self._lock:
            self.asked.append(path)
            answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def paths() -> Iterator[str]:
    return (f"/{number}" for number in itertools.count())


def quickly(client: Fake, requests: int = 5, seconds: float = 0.05) -> SampleSet:
    """Spread the requests over `seconds`; a busy machine may take longer."""
    return sample(client, paths(), requests, round(60 * requests / seconds), PATIENCE_S, threading.Event())


# The schedule


def test_requests_are_due_at_even_distances() -> None:
    schedule = Schedule(100.0, 0.25)
    due = []
    for _ in range(4):
        due.append(schedule.due)
        schedule.sent()
    assert due == [100.0, 100.25, 100.5, 100.75]


def shifted(answer: Answer, at: float = 101.0) -> tuple[float, bool]:
    schedule = Schedule(100.0, 1.0)
    schedule.sent()
    schedule.heed(answer, at, NOW)
    return schedule.due, schedule.limited


@pytest.mark.parametrize("elapsed_ms", [1.0, 30_000.0])
def test_no_answer_shifts_what_is_due_however_slow_it_is(elapsed_ms: float) -> None:
    assert shifted(came(elapsed_ms=elapsed_ms), at=131.0) == (101.0, False)


def test_a_429_is_waited_for() -> None:
    assert shifted(came(429, reset="7")) == (108.0, True)


def test_the_last_of_the_allowance_is_left_to_others() -> None:
    assert shifted(came(limit="10", remaining="3", reset="42")) == (107.0, True), "one more each 42 s / 7"
    assert shifted(came(limit="10", remaining="4", reset="42")) == (101.0, False)
    assert shifted(came(limit="1000", remaining="200", reset="48")) == (101.06, True), (
        "a fifth of a large one"
    )


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
def test_headers_without_sense_slow_nothing_down(headers: dict[str, str]) -> None:
    due, _ = shifted(came(200, 150.0, **headers))
    assert due == 101.0


# CallOutcome


class Gate:
    """The first request is answered when so many others have been asked."""

    def __init__(self, others: int) -> None:
        self._others = others
        self._asked = 0
        self._lock = threading.Lock()
        self._open = threading.Event()

    def get_once(self, path: str) -> Answer:
        with self._lock:
            self._asked += 1
            if self._asked > self._others:
                self._open.set()
        if path == "/0":
            assert self._open.wait(PATIENCE_S), "nothing more is asked while one answer is out"
            return came(elapsed_ms=1_000.0)
        return came()


def test_the_schedule_waits_for_no_answer() -> None:
    taken = sample(Gate(others=9), paths(), 10, 6_000, PATIENCE_S, threading.Event())
    assert taken.durations_ms == (950.0, *[100.0] * 9), "in the order in which they were due"
    assert taken.late == 0


def test_when_all_senders_wait_a_request_is_timed_from_when_it_was_due() -> None:
    free = threading.Event()

    def ask(path: str) -> Answer:
        assert path != "/0" or free.wait(PATIENCE_S)
        return came()

    senders = Senders(ask, 1)
    now = time.monotonic()
    senders.send("/0", now - 3.0)
    senders.send("/1", now - 3.0)
    free.set()
    first, second = senders.outcome(PATIENCE_S), senders.outcome(PATIENCE_S)
    senders.end()
    assert first is not None
    assert second is not None
    assert first.late_ms == 0, "a sender was free: that it came late is no fault of the service"
    assert second.late_ms >= 3_000


def test_there_are_never_more_under_way_than_agreed() -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def ask(_path: str) -> Answer:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.001)
        with lock:
            under_way -= 1
        return came()

    senders = Senders(ask, 3)
    for path in itertools.islice(paths(), 40):
        senders.send(path, 0.0)
    ended = [senders.outcome(PATIENCE_S) for _ in range(40)]
    senders.end()
    assert sorted(one.number for one in ended if one) == list(range(40))
    assert most <= 3


def test_what_nobody_foresaw_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        quickly(Fake([came(), ZeroDivisionError()]))


# What counts


def test_connection_set_up_is_in_no_duration_and_kept_apart() -> None:
    taken = quickly(Fake(itertools.repeat(came())), requests=3)
    assert taken.durations_ms == (100.0, 100.0, 100.0)
    assert taken.first_byte_ms == (70.0, 70.0, 70.0)
    assert taken.set_up_ms == (50.0, 50.0, 50.0)
    assert taken.paths == ("/0", "/1", "/2")
    assert (taken.bad, taken.total, taken.rate_limited) == (0, 3, 0)
    assert taken.message == "3 of 3 samples in 0 s, connection set-up left out"


def counted(*answers: Answer | Exception, late_ms: float = 0.0) -> SampleSet:
    tally = Tally()
    for number, answer in enumerate(answers):
        tally.take(SampleResult(number, f"/{number}", late_ms, 500.0, answer))
    return tally.sample_set(len(answers), 1.0, "")


def test_errors_and_silence_are_bad_and_their_durations_count() -> None:
    taken = counted(came(), came(500), lost(), came(503), came())
    assert (taken.bad, taken.unanswered, taken.total) == (3, 1, 5)
    assert taken.durations_ms == (100.0, 100.0, 500.0, 100.0, 100.0)


def sample_once(*answers: Answer | Exception) -> SampleSet:
    """All for one endpoint, a second apart."""
    tally = Tally(began=50.0)
    for number, answer in enumerate(answers):
        tally.take(SampleResult(number, f"/exploits?page={number}", 0.0, 500.0, answer, due=50.0 + number))
    return tally.sample_set(len(answers), 1.0, "")


def test_where_nothing_is_served_refusals_measure_nothing() -> None:
    """The credential may be what is refused."""
    taken = counted(came(401), came(302), came(404), came(403))
    assert (taken.total, taken.bad, taken.beside) == (0, 0, 4)
    assert "4 answered 3xx or 4xx and left out" in taken.message


def test_an_endpoint_that_refuses_everybody_fails_while_others_serve() -> None:
    """Each is another address. What only redirects may have always done so."""
    taken = counted(came(404), came(302), came(), came(401), came(302), came())
    assert (taken.total, taken.bad, taken.unexpected, taken.beside) == (4, 2, 2, 2)
    assert "2 bad (0 without an answer, 2 answered 3xx or 4xx)" in taken.message


@pytest.mark.parametrize("status", [301, 302, 308, 400, 401, 403, 404, 410, 422])
def test_a_good_request_that_is_refused_now_and_then_fails(status: int) -> None:
    """One instance of two does not know the address, or the key: its users get nothing."""
    for answers in ([came(), came(status), came()], [came(status), came(), came()]):
        taken = sample_once(*answers)
        assert (taken.total, taken.bad, taken.unexpected, taken.beside) == (3, 1, 1, 0)
        assert "1 answered 3xx or 4xx" in taken.message


def test_too_many_requests_are_our_own_doing() -> None:
    taken = sample_once(came(), came(429), came())
    assert (taken.total, taken.bad, taken.rate_limited) == (2, 0, 1)


def test_what_a_firewall_answers_is_left_out() -> None:
    challenge = NoAnswer(NoAnswerKind.CHALLENGED, "a firewall")
    taken = sample_once(came(), challenge, came())
    assert (taken.total, taken.bad, taken.challenged) == (2, 0, 1)
    assert "1 challenged by a firewall and left out" in taken.message
    unsent = sample_once(came(), NoAnswer(NoAnswerKind.LOCAL, "a proxy"), came())
    assert (unsent.total, unsent.bad, unsent.not_sent) == (2, 0, 1)
    assert "1 failed on this machine and left out" in unsent.message
    nothing = quickly(Fake(itertools.repeat(challenge)), requests=500, seconds=5.0)
    assert "ended early: every request is challenged by a firewall" in nothing.message
    with pytest.raises(NoAnswer) as caught:
        _ = nothing.taken
    assert caught.value.kind is NoAnswerKind.CHALLENGED


def test_it_is_told_when_each_request_was_due_and_whether_it_failed() -> None:
    taken = sample_once(came(), came(500), lost(), came())
    assert taken.offsets_s == (0.0, 1.0, 2.0, 3.0)
    assert taken.outcomes == (0, 1, 1, 0)
    assert taken.failures_by_path == {"/exploits": (2, 4)}


def test_lateness_counts_for_answers_and_for_silence() -> None:
    taken = counted(came(), lost(), late_ms=1_000.0)
    assert taken.durations_ms == (1_100.0, 1_500.0)
    assert taken.first_byte_ms == (1_070.0, 1_500.0)
    assert "2 sent late and timed from when they were due" in taken.message


def test_a_fast_answer_does_not_count_before_a_slow_one_that_was_due_first() -> None:
    sample_set: list[tuple[float, bool]] = []

    def settled(duration_ms: float, bad: bool, _at_s: float) -> bool:  # noqa: FBT001 - as `Settled` has it
        sample_set.append((duration_ms, bad))
        return True

    tally = Tally(settled)
    for number in range(1, 30):
        tally.take(SampleResult(number, "/", 0.0, 150.0, came()))
    assert (sample_set, tally.enough, tally.ended) == ([], False, 29)
    tally.take(SampleResult(0, "/", 0.0, 2_000.0, lost()))
    assert sample_set == [(2_000.0, True), *[(100.0, False)] * 29]
    assert tally.enough


def test_a_sample_set_survives_json() -> None:
    taken = sample(
        Fake(itertools.repeat(came())), paths(), 3, 0, 0.01, threading.Event(), settled=lambda *_: False
    )
    lists = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(taken).items()}
    assert SampleSet.of({**lists, "stopping": "sequential"}) == taken


# When it ends


def test_it_ends_when_the_seconds_are_over() -> None:
    taken = sample(Fake(itertools.repeat(came())), paths(), 1_000_000, 600, 0.25, threading.Event())
    assert 1 <= taken.total <= 3
    assert "ended early: the time is up" in taken.message


def test_it_ends_when_it_is_stopped_and_waits_for_nobody() -> None:
    stop, never = threading.Event(), threading.Event()

    class Silent:
        def get_once(self, path: str) -> Answer:  # noqa: ARG002 - as `Sampled` has it
            stop.set()
            never.wait(PATIENCE_S)
            return came()

    taken = sample(Silent(), paths(), 10, 0, PATIENCE_S, stop)
    never.set()
    assert taken.total == 0
    assert "ended early: it was stopped" in taken.message


def test_it_ends_when_enough_is_known_and_says_that_a_rule_ended_it() -> None:
    seen = itertools.count(1)
    taken = sample(
        Fake(itertools.repeat(came())),
        paths(),
        5_000,
        0,
        50.0,
        threading.Event(),
        settled=lambda *_: next(seen) > 24,
    )
    assert 25 <= taken.total < 100
    assert taken.stopping is Stopping.SEQUENTIAL
    assert "ended early: enough is known" in taken.message


def test_a_rule_never_ends_it_with_too_few_samples_to_report() -> None:
    taken = sample(
        Fake(itertools.repeat(came())), paths(), 200, 0, 2.0, threading.Event(), settled=lambda *_: True
    )
    assert taken.taken.total >= 20


def test_what_was_under_way_can_unsettle_it() -> None:
    """The rule is content with 20 samples, while the 21st is out; with it, it is not until the 60th."""
    asked, content = threading.Event(), threading.Event()
    seen = itertools.count(1)

    class Overlapping:
        def get_once(self, path: str) -> Answer:
            if path == "/20":
                asked.set()
                assert content.wait(PATIENCE_S)
            assert path != "/19" or asked.wait(PATIENCE_S)
            return came()

    def settled(_duration_ms: float, _bad: bool, _at_s: float) -> bool:  # noqa: FBT001 - as `Settled` has it
        number = next(seen)
        if number == 20:
            content.set()
        return number == 20 or number >= 60

    taken = sample(Overlapping(), paths(), 2_000, 0, 10.0, threading.Event(), settled=settled)
    assert 60 <= taken.total < 200


def test_without_a_rule_the_size_is_settled() -> None:
    assert quickly(Fake(itertools.repeat(came()))).stopping is Stopping.FIXED


def test_a_429_that_asks_for_too_much_ends_it() -> None:
    taken = sample(Fake([came(), *[came(429, reset="3600")] * 9]), paths(), 10, 60, 5.0, threading.Event())
    assert (taken.total, taken.rate_limited) == (1, 1)
    assert "ended early: the allowance is used up" in taken.message


def test_a_server_that_says_nothing_but_429_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kamiyo_verify.sampling.schedule.retry_after", lambda *_: 0.0)
    taken = quickly(Fake(itertools.repeat(came(429))), requests=500, seconds=5.0)
    assert taken.total == 0
    assert 5 <= taken.rate_limited < 100
    assert "ended early: every request is answered 429" in taken.message
    with pytest.raises(NoAnswer) as caught:
        _ = taken.taken
    assert caught.value.kind is NoAnswerKind.RATE_LIMITED


def test_a_server_that_is_silent_from_the_start_is_left_alone() -> None:
    taken = quickly(Fake(itertools.repeat(lost())), requests=500, seconds=5.0)
    assert 5 <= taken.total == taken.bad < 100
    assert "ended early: no request is answered" in taken.message


def test_progress_is_told() -> None:
    said: list[str] = []
    client = Fake(itertools.repeat(came()))
    sample(client, paths(), 3, 18_000, PATIENCE_S, threading.Event(), say=said.append)
    assert said == ["1 samples, 0 bad"]


# Against a server


def test_a_real_server_is_sampled_over_standing_connections() -> None:
    def staying(peer: Peer) -> None:
        while peer.hear():
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            peer.asked = b""

    with Server(staying) as server:
        http = HttpClient(server.origin, ClientContext.unrecorded(Timeouts(), lambda: 30.0))
        taken = sample(http, exploit_urls(1), 30, 3000, PATIENCE_S, threading.Event())
        http.close()
    assert (taken.total, taken.bad) == (30, 0)
    assert all(duration > 0 for duration in taken.durations_ms)
    assert len(taken.set_up_ms) == server.connections < 30
    assert len(set(server.asked)) == 30


def test_no_address_comes_twice_and_none_is_out_of_range() -> None:
    urls = list(itertools.islice(exploit_urls(1_700_000_000_123_456_789), 5_000))
    assert len(set(urls)) == len(urls)
    for url in urls:
        params = httpx2.URL(url).params
        assert 1 <= int(params["page_size"]) <= 100
        assert 1 <= int(params["page"]) <= 3
        assert int(params["min_amount"]) >= 0
    assert len({httpx2.URL(url).params.get("chain") for url in urls}) > 5


def test_another_seed_gives_other_addresses() -> None:
    one, other = (set(itertools.islice(exploit_urls(seed), 120)) for seed in (1, 2))
    assert len(one & other) < 5


@pytest.mark.parametrize(
    ("bad", "total", "usable"), [(5, 5, True), (3, 3, True), (2, 2, False), (4, 5, False)]
)
def test_a_few_samples_are_enough_only_where_every_one_is_bad(bad: int, total: int, *, usable: bool) -> None:
    times = (1.0,) * total
    found = SampleSet(times, times, ("/",) * total, bad, total, 0, "it ended early", unanswered=bad)
    if not usable:
        with pytest.raises(NoAnswer, match="are the fewest"):
            _ = found.taken
        return
    assert found.taken.bad == total
    with pytest.raises(WrongAnswer, match="requests failed"):
        _ = found.timed
