"""The fixtures by which a check reaches its environment and adds evidence: measurements and exchanges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.evidence.recorder import Recorder
from kamiyo_verify.hooks.run import RUN, Run
from kamiyo_verify.http.overlap.ahead import in_turn

if TYPE_CHECKING:
    from kamiyo_verify.config.environment import Environment
    from kamiyo_verify.model.result import Exchange, Scalar

RECORDER = pytest.StashKey[Recorder]()

READING = pytest.StashKey[Callable[[BaseException], BaseException]]()
"""Set by a fixture that can interpret its test's exception better: maps it to another exception."""


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Environment:
    """The environment of this run: URLs, limits and credentials."""
    return _run(pytestconfig).environment


@pytest.fixture(scope="session")
def record(pytestconfig: pytest.Config) -> Callable[[Exchange], None]:
    """Records an exchange as evidence of the current item; clients take this function."""
    return pytestconfig.stash[RECORDER].record


@pytest.fixture(scope="session")
def remaining(pytestconfig: pytest.Config) -> Callable[[], float]:
    """Returns the seconds left for the current attempt."""
    return in_turn(_run(pytestconfig).clock.remaining)


@pytest.fixture
def measure(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Records a measurement as evidence: call `measure(name, value, unit)` before asserting on it.

    `of` names one of several subjects of the measurement: `measure("first_bytes", …, "ms", of="/dashboard")`.
    """
    recorder = pytestconfig.stash[RECORDER]

    def measure(name: str, value: Scalar | Sequence[float], unit: str = "", *, of: str = "") -> None:
        recorder.attempt.measure(name, value, unit, of=of)

    return measure


@pytest.fixture
def measure_each(measure: Callable[..., None]) -> Callable[..., None]:
    """Records one measurement for each entry of a mapping.

    `measure_each({"api": 12, "frontend": 9}, "count")` records the measurements "api" and "frontend"; with a
    `name`, the keys become the subjects of that measurement, as with `of` of `measure`.
    """

    def measure_each(
        values: Mapping[str, Scalar | Sequence[float]], unit: str = "", *, name: str = ""
    ) -> None:
        for key, value in values.items():
            if name:
                measure(name, value, unit, of=key)
            else:
                measure(key, value, unit)

    return measure_each


def _run(config: pytest.Config) -> Run:
    run = config.stash.get(RUN, None)
    if run is None:
        raise RuntimeError("checks run in a verification only: pytest -m <phase> --env <name>")
    return run
