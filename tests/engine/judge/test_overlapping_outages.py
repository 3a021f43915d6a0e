"""Outages seen by several that ask at once: two workers, or the requests of a wave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamiyo_verify.judge.confirmation.outages import outages
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from tests.support.evidence_for import at

Request = tuple[float, float, bool]
"""When it was sent, how long it took, and whether it was answered."""

_TIMEOUT_S = 2.0


def seen(*requests: Request) -> ServiceTimeline:
    inorder = sorted(requests)
    return ServiceTimeline(
        "api",
        at(0),
        tuple(sent for sent, _, _ in inorder),
        tuple(took for _, took, _ in inorder),
        tuple("" if answered else "no answer" for _, _, answered in inorder),
    )


def quick(first: int, last: int) -> list[Request]:
    """Answers every ninth of a second."""
    return [(2 + number / 9, 0.01, True) for number in range(first, last)]


BEFORE = tuple((number * 0.1, 0.01, True) for number in range(20))


@pytest.mark.parametrize(
    ("name", "requests", "lengths"),
    [
        ("an answer just after the first one that waits", [(2, 2.5, False), (2.001, 0.005, True)], [2.999]),
        ("an answer that was under way", [(1.99, 0.2, True), (2, 2, False)], [3.0]),
        ("two wait, one began later", [(2, 2, False), (2.5, 2, False)], [3.0]),
        ("it was held, and answered in the end", [(2, 2, False), (3.5, 1, True)], [2.0]),
        ("one waits beside many that are answered", [(2, 2, False), *quick(1, 18)], []),
        ("two wait beside many that are answered", [(2, 2, False), (3, 2, False), *quick(1, 30)], []),
    ],
)
def test_an_outage_is_a_time_without_answers(
    name: str, requests: list[Request], lengths: list[float]
) -> None:
    found = outages([seen(*BEFORE, *requests, (5, 0.01, True))])
    assert [one.seconds for one in found] == lengths, name


@st.composite
def silences(draw: st.DrawFn) -> tuple[float, float, tuple[Request, ...]]:
    """A service that is silent for a time, asked by several clients, each of which waits for its answer.

    A request reaches the service up to 20 ms after it was sent, so that requests overtake each other.
    """
    began = draw(st.floats(1, 5))
    ended = began + draw(st.floats(3, 8))
    latency = st.floats(0.001, 0.02)
    requests: list[Request] = []
    for _ in range(draw(st.integers(1, 4))):
        now = 0.0
        while now < ended + 3:
            came = now + draw(latency)
            silent = began <= came < ended
            took = min(_TIMEOUT_S, ended - now) if silent else came - now + draw(latency)
            requests.append((now, took, not silent))
            now += took + draw(st.floats(0.05, 0.5))
    return began, ended, tuple(requests)


@given(silences())
def test_one_silence_is_one_outage_however_many_ask(
    silence: tuple[float, float, tuple[Request, ...]],
) -> None:
    began, ended, requests = silence
    found = outages([seen(*requests)])

    assert len(found) == 1
    first = min(sent for sent, _, answered in requests if not answered)
    next_answer = min(sent for sent, _, answered in requests if answered and sent >= ended - 0.02)
    assert first <= (first + found[0].seconds) <= max(next_answer, ended) + 0.001
    assert found[0].seconds >= ended - max(began, first) - 0.1
    assert found[0].requests == sum(not answered for _, _, answered in requests)
