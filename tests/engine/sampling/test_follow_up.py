"""A request that failed is sent again, and fails again by what it failed by."""

from __future__ import annotations

from threading import Event

import pytest

from kamiyo_verify.http.hangs import Hangs
from kamiyo_verify.http.requests import build
from kamiyo_verify.model.confirmation import FailingShare
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.sampling.follow_up import FollowUp
from tests.support.hostile_server import Server, answer, saying


@pytest.mark.parametrize(
    ("status", "bad", "fails"),
    [
        ("302 Found", frozenset({302}), True),
        ("302 Found", frozenset({502}), False),
        ("404 Not Found", frozenset({404}), True),
        ("502 Bad Gateway", frozenset({502}), True),
        ("200 OK", frozenset({302}), False),
    ],
)
def test_a_status_by_which_a_request_failed_fails_it_again(
    status: str, bad: frozenset[int], *, fails: bool
) -> None:
    enough = Event()

    def done(_: str, share: FailingShare) -> bool:
        if len(share.failed) >= 3:
            enough.set()
        return enough.is_set()

    with Server(saying(answer(b"", status, "Location: /x"))) as server:
        timeouts = Timeouts(connect=2, answer=5, item=9)
        sampled = FollowUp(timeouts, 6000, done, Hangs())
        key = sampled.follow(build("GET", server.origin, "/x", {}, {}), frozenset(), bad)
        assert enough.wait(20)
        sampled.end()

    assert set(sampled.share(key).failed) == {fails}
