"""Requests sent before their item's turn: each is claimed once, and nothing is lost or acted on twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.overlap.ahead import Ahead, NotInRehearsal, Rehearsal, in_turn, rehearsing
from kamiyo_verify.http.overlap.side_by_side import side_by_side
from kamiyo_verify.http.sending.sender import Sent
from kamiyo_verify.http.throttle import Throttle
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from tests.support.slow_server import SlowServer, slow_server

STATUSES = {"/500": 500, "/429": 429, "/404": 404}


class Desk:
    """A client, its evidence, and one rehearsal."""

    def __init__(self, server: SlowServer, throttle: Throttle | None = None) -> None:
        self.server = server
        self.evidence: list[Exchange] = []
        self.left_s = 60.0
        self.ahead = Ahead()
        self.ahead.open()
        self.client = HttpClient(
            server.origin,
            ClientContext(
                Timeouts(connect=2, answer=5, item=60),
                self.evidence.append,
                lambda: self.left_s,
                throttle or Throttle(),
                ahead=self.ahead,
            ),
        )
        self.rehearsal = Rehearsal(self.ahead)

    def rehearse(self, act: Callable[[HttpClient], object]) -> bool:
        """Return whether the rehearsal came to its end."""
        try:
            with rehearsing(self.rehearsal):
                act(self.client)
        except NotInRehearsal:
            return False
        return True

    def turn(self) -> None:
        """The turn of the check has come."""
        self.rehearsal.end()
        self.ahead.turn(self.rehearsal)

    @property
    def recorded(self) -> list[str]:
        return [exchange.url.removeprefix(self.server.origin) for exchange in self.evidence]


@pytest.fixture
def server() -> Iterator[SlowServer]:
    with slow_server(0.0, STATUSES) as found:
        yield found


@pytest.fixture
def desk(server: SlowServer) -> Iterator[Desk]:
    desk = Desk(server)
    yield desk
    desk.client.close()


def test_a_rehearsal_records_nothing_and_the_check_claims_its_answers_in_order(desk: Desk) -> None:
    assert desk.rehearse(lambda http: [http.get("/a"), http.get("/b"), http.get("/a")])
    assert desk.recorded == []
    desk.turn()

    paths = ["/a", "/a", "/b", "/a"]
    assert [desk.client.get(path).status for path in paths] == [200, 200, 200, 200]
    assert desk.recorded == paths
    assert desk.server.asked == ["GET /a", "GET /b", "GET /a", "GET /a"], "only the third /a is asked anew"
    sent = [exchange.at for exchange in desk.evidence]
    assert sent[0] <= sent[2] <= sent[1] <= sent[3], "each with the time at which it was sent"


@pytest.mark.parametrize(
    "difference", [{"headers": {"X-Who": "me"}}, {"params": {"page": 2}}, {"cookies": {"a": "b"}}]
)
def test_a_request_that_differs_is_asked_anew(desk: Desk, difference: dict[str, dict[str, object]]) -> None:
    desk.rehearse(lambda http: http.get("/a"))
    desk.turn()
    desk.client.get("/a", **difference)  # type: ignore[arg-type]
    assert len(desk.server.asked) == 2


def test_nothing_that_may_change_something_is_sent_ahead(desk: Desk) -> None:
    assert not desk.rehearse(lambda http: [http.get("/a"), http.post("/b", json={}), http.get("/c")])
    assert desk.server.asked == ["GET /a"]


def test_what_measures_is_not_sent_ahead(desk: Desk) -> None:
    assert not desk.rehearse(lambda http: http.get_once("/a"))
    assert desk.server.asked == []


def test_what_needs_the_time_of_the_check_is_left_to_its_turn(desk: Desk) -> None:
    left = in_turn(lambda: 7.0)
    assert not desk.rehearse(lambda _: left())
    assert left() == 7.0


def test_once_the_turn_has_come_the_rehearsal_sends_nothing_more(desk: Desk) -> None:
    desk.turn()
    assert not desk.rehearse(lambda http: http.get("/a"))
    assert desk.server.asked == []


@pytest.mark.parametrize("path", ["/500", "/429"])
def test_a_bad_answer_ends_all_asking_ahead_and_counts_as_evidence(desk: Desk, path: str) -> None:
    assert not desk.rehearse(lambda http: [http.get(path), http.get("/a")])
    assert not desk.ahead.is_open
    assert not desk.ahead.worth(5)
    desk.turn()
    if path == "/500":
        assert desk.client.get(path).status == 500
    else:
        desk.left_s = 0.5
        with pytest.raises(NoAnswer):  # the limit holds for the check too
            desk.client.get(path)
    assert desk.server.asked == [f"GET {path}"], "the answer was claimed, not asked for again"
    assert [exchange.status for exchange in desk.evidence] == [int(path[1:])]


def test_an_answer_below_500_is_an_answer(desk: Desk) -> None:
    assert desk.rehearse(lambda http: http.get("/404"))
    assert desk.ahead.is_open


def test_what_the_check_does_not_claim_is_kept_as_its_evidence(desk: Desk) -> None:
    desk.rehearse(lambda http: [http.get("/a"), http.get("/b")])
    desk.turn()
    desk.client.get("/b")
    rehearsal = desk.ahead.take()
    assert rehearsal is not None
    rehearsal.keep_rest()
    assert desk.recorded == ["/b", "/a"]
    assert desk.client.get("/a").status == 200
    assert len(desk.server.asked) == 3, "after its attempt nothing is claimed"


def test_an_answer_that_is_under_way_is_waited_for(server: SlowServer, desk: Desk) -> None:
    server.answer_s = 60.0  # until the test lets it answer
    thread = threading.Thread(target=desk.rehearse, args=(lambda http: http.get("/a"),))
    thread.start()
    while not server.asked:
        assert thread.is_alive()
    desk.turn()
    claimed: list[int] = []
    check = threading.Thread(target=lambda: claimed.append(desk.client.get("/a").status))
    check.start()
    server.stopped.set()
    check.join()
    thread.join()
    assert claimed == [200]
    assert server.asked == ["GET /a"]


def test_a_rehearsal_leaves_the_last_of_an_allowance_to_the_checks(server: SlowServer) -> None:
    desk = Desk(server, Throttle(paces={server.origin: 2}))
    assert not desk.rehearse(lambda http: [http.get("/a"), http.get("/b"), http.get("/c")])
    desk.client.close()
    assert server.asked == ["GET /a", "GET /b"], "the third would have to wait"


SLOW, QUICK, ENDLESS = 300.0, 20.0, 4000.0


@pytest.mark.parametrize(
    ("took", "worth"),
    [
        ((), False),
        ((SLOW,), False),
        ((SLOW, SLOW), True),
        ((QUICK, QUICK, QUICK), False),
        ((SLOW, QUICK, QUICK), False),
        ((SLOW, SLOW, SLOW, QUICK, QUICK), False),
        ((QUICK, SLOW, SLOW), True),
        ((ENDLESS, ENDLESS), False),
    ],
)
def test_asking_ahead_is_worth_it_on_a_slow_platform_far_from_its_timeout(
    took: tuple[float, ...],
    worth: bool,  # noqa: FBT001
) -> None:
    ahead = Ahead()
    ahead.open()
    answer = type("Fine", (), {"status": 200})()
    for took_ms in took:
        ahead.note("http://one", Sent("http://one/", "", 0.0, 15.0, took_ms, answer))
    assert ahead.worth(15.0) is worth
    ahead.close()
    assert not ahead.worth(15.0)


def test_asks_side_by_side_belong_to_the_rehearsal_that_asks_them(desk: Desk) -> None:
    assert desk.rehearse(lambda http: side_by_side([lambda: http.get("/a")] * 4))
    assert desk.recorded == []
    desk.turn()
    side_by_side([lambda: desk.client.get("/a")] * 4)
    assert desk.recorded == ["/a"] * 4
    assert len(desk.server.asked) == 4


def test_the_first_ask_that_raises_is_what_side_by_side_raises() -> None:
    def fails(number: int) -> None:
        raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        side_by_side([lambda: None, lambda: fails(1), lambda: fails(2)])
