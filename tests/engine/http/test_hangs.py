"""A service that hung twice is known to hang, until it answers."""

from __future__ import annotations

import pytest

from kamiyo_verify.http.hangs import Hangs
from kamiyo_verify.model.outcomes import KnownToHang

API, SITE = "https://api.example", "https://example"


class _Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> _Time:
    return _Time()


@pytest.fixture
def hangs(time: _Time) -> Hangs:
    return Hangs(time)


def hang(hangs: Hangs, time: _Time, seconds: float = 15.0) -> None:
    began = time.now
    time.now += seconds
    hangs.timed_out(API, began, seconds)


def test_one_timeout_is_not_enough(hangs: Hangs, time: _Time) -> None:
    hang(hangs, time)
    hangs.admit(API)


def test_after_two_the_service_is_not_asked_again(hangs: Hangs, time: _Time) -> None:
    hang(hangs, time)
    hang(hangs, time)

    with pytest.raises(KnownToHang, match="did not answer in 15 s, twice; it was not asked again"):
        hangs.admit(API)
    hangs.admit(SITE)
    assert hangs.known() == (API,)


def test_one_path_that_hangs_is_not_the_service(hangs: Hangs, time: _Time) -> None:
    for _ in range(2):
        began = time.now
        time.now += 3
        hangs.timed_out(API, began, 3, path="/orders")

    with pytest.raises(KnownToHang, match=f"^{API}/orders did not answer in 3 s, twice"):
        hangs.admit(API, "/orders")
    hangs.admit(API, "/login")
    hangs.timed_out(API, time.now, 3, path="/login")
    with pytest.raises(KnownToHang, match=f"^{API} did not answer in 3 s, 3 times"):
        hangs.admit(API, "/me")


def test_an_answer_ends_it(hangs: Hangs, time: _Time) -> None:
    hang(hangs, time)
    hang(hangs, time)
    hangs.answered(API)
    hangs.admit(API)


def test_a_slow_endpoint_beside_others_that_answer_is_no_hang_of_the_service(
    hangs: Hangs, time: _Time
) -> None:
    for _ in range(3):
        began = time.now
        time.now += 5
        hangs.answered(API)
        time.now += 10
        hangs.timed_out(API, began, 15)
        hangs.admit(API)


def test_after_a_while_one_request_is_let_through(hangs: Hangs, time: _Time) -> None:
    hang(hangs, time)
    hang(hangs, time)
    time.now += 15
    hangs.admit(API)
    with pytest.raises(KnownToHang):
        hangs.admit(API)


def test_a_further_look_may_try_at_once(hangs: Hangs, time: _Time) -> None:
    hang(hangs, time)
    hang(hangs, time)
    hangs.try_again(besides={API})
    with pytest.raises(KnownToHang):
        hangs.admit(API)
    hangs.try_again()
    hangs.admit(API)
