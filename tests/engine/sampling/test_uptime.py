"""Downtime is measured from the first question that failed to the first one answered again."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kamiyo_verify.model.downtime.uptime import Outage, Probe, outages
from kamiyo_verify.sampling.uptime import watch


def seen(*ups: bool | None) -> list[Probe]:
    return [Probe(float(at), up, "") for at, up in enumerate(ups)]


def test_an_outage_lasts_until_it_answers_again() -> None:
    assert outages(seen(True, False, False, False, True, True)) == (Outage(1, 4, "", 4),)


def test_an_outage_that_has_not_ended_lasts_until_the_last_question() -> None:
    (outage,) = outages(seen(True, False, False))
    assert (outage.ended, outage.seconds) == (None, 1)


def test_a_question_that_nobody_can_judge_changes_nothing() -> None:
    assert outages(seen(True, None, True)) == ()
    assert outages(seen(False, None, True)) == (Outage(0, 2, "", 2),)


def test_questions_are_put_in_order_of_asking() -> None:
    assert outages(seen(True, False, True)[::-1]) == (Outage(1, 2, "", 2),)


class Flapping(BaseHTTPRequestHandler):
    """Answers 503 to the second and third question, and hangs on the fourth until it is let go."""

    asked = 0
    enough = threading.Event()
    let_go = threading.Event()

    def do_GET(self) -> None:
        kind = type(self)
        kind.asked += 1
        number = kind.asked
        if number == 4:
            kind.let_go.wait(10)
        if number >= 6:
            kind.enough.set()
        self.send_response(503 if number in {2, 3} else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def flapping() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Flapping) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        Flapping.let_go.set()
        server.shutdown()


def test_a_question_that_hangs_does_not_delay_the_next(flapping: str) -> None:
    probes = watch({"api": flapping}, Flapping.enough, pace_s=0.2, patience_s=2)["api"]

    assert [probe.up for probe in probes[:6]] == [True, False, False, False, True, True]
    assert "no answer" in probes[3].detail
    assert len(outages(probes)) == 1


def test_an_address_where_nobody_listens_is_down() -> None:
    stop = threading.Event()
    stop.set()
    (probe,) = watch({"api": "http://127.0.0.1:9/"}, stop)["api"]
    assert probe.up is False
