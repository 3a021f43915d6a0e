"""What the sampler measures is what the server took, a stall included."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence

import pytest

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.sampling import sampler
from kamiyo_verify.sampling.sampler import sample
from kamiyo_verify.sampling.samples import SampleSet
from tests.support.truth_server import STALL_S, Served, Truth, true_server

pytestmark = [pytest.mark.exhaustive, pytest.mark.undisturbed]

QUANTILES = (0.50, 0.95, 0.99)
TRIES = 3
"""Others use this machine too, and may hold a try up. What the sampler itself does wrong, it does in each."""


def measured(truth: Truth, requests: int, seconds: float) -> SampleSet:
    http = HttpClient(truth.origin, ClientContext.unrecorded(Timeouts(), lambda: 60.0))
    truth.reset()
    taken = sample(
        http, (f"/{number}" for number in itertools.count()), requests, 0, seconds, threading.Event()
    )
    http.close()
    return taken


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]


def off(seen: Sequence[float], true: Sequence[float]) -> dict[float, tuple[float, float]]:
    """The quantiles that are off by more than 3 % and 2 ms."""
    pairs = {share: (quantile(seen, share), quantile(true, share)) for share in QUANTILES}
    return {share: (a, b) for share, (a, b) in pairs.items() if abs(a - b) > max(2.0, 0.03 * b)}


def agreed(
    law: str, requests: int, seconds: float, true_ms: Callable[[list[Served]], list[float]]
) -> tuple[SampleSet, list[Served]]:
    """A try in which what was measured is what was true."""
    with true_server(law) as truth:
        measured(truth, 5, 0.1)
        for _ in range(TRIES):
            taken, served = measured(truth, requests, seconds), truth.served()
            assert (taken.total, taken.bad) == (len(served), 0)
            wrong = off(taken.durations_ms, true_ms(served))
            if not wrong:
                return taken, served
    pytest.fail(f"(measured, true) in ms by quantile: {wrong}; {taken.message}")


def took(served: list[Served]) -> list[float]:
    return [one.took_ms for one in served]


@pytest.mark.parametrize("law", ["lognormal", "bimodal"])
def test_percentiles_are_the_servers_own(law: str) -> None:
    taken, _ = agreed(law, 240, 3.0, took)
    assert taken.late == 0


def test_a_stall_is_seen_in_full() -> None:
    """Whoever comes while nothing moves waits for what is left of it: half of them for over a second."""
    requests, seconds = 45, 3.0
    taken, _ = agreed("stall", requests, seconds, took)
    in_stall = round(STALL_S * requests / seconds)
    assert max(taken.durations_ms) > STALL_S * 1000 - seconds * 1000 / requests
    assert abs(sum(one > STALL_S * 500 for one in taken.durations_ms) - in_stall / 2) <= 2


def test_a_stall_is_seen_in_full_even_when_all_senders_are_caught_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be sent counts from when it was due: the wait of a user who would have come then."""
    monkeypatch.setattr(sampler, "AT_ONCE", 4)
    requests, seconds = 45, 3.0

    def since_due(served: list[Served]) -> list[float]:
        began = served[0].arrived
        due = {one: began + int(one.path[1:]) * seconds / requests for one in served}
        return [(one.ended - min(due[one], one.arrived)) * 1000 for one in served]

    taken, _ = agreed("stall", requests, seconds, since_due)
    assert taken.late > requests / 3
    assert sum(one > STALL_S * 500 for one in taken.durations_ms) > requests / 4


def test_asking_one_after_another_hides_it() -> None:
    """Why the schedule must not wait: the same stall is one slow answer among many."""
    with true_server("stall") as truth:
        http = HttpClient(truth.origin, ClientContext.unrecorded(Timeouts(), lambda: 60.0))
        times = [http.get_once(f"/{number}").elapsed_ms for number in range(45)]
        http.close()
    assert sum(one > 1_000 for one in times) == 1
    assert quantile(times, 0.95) < 100
