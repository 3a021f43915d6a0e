"""The evidence of each check: what it measured and exchanged, and what became of it, in pytest's reports."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pytest

from plugins.checklist import check_of
from plugins.model.environment import Environment
from plugins.model.result import Exchange, Scalar
from plugins.model.words import Status
from plugins.network import Network
from plugins.outcome import Outcome, outcome_of
from plugins.recorder import Recorder
from plugins.retries import OUTCOME
from plugins.run import RUN, Run

RECORDER = pytest.StashKey[Recorder]()

READING = pytest.StashKey[Callable[[BaseException], BaseException]]()
"""How a fixture wants the failure of its test to be read, where it knows more of it than the test."""

VERIFICATION = "verification"
"""The attribute of a report that carries what a check came to; it travels from workers by itself."""

_SKIPPED = {Status.UNVERIFIED, Status.NOT_APPLICABLE}


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Environment:
    """Where this run looks: URLs, limits and credentials."""
    return _run(pytestconfig).environment


@pytest.fixture(scope="session")
def record(pytestconfig: pytest.Config) -> Callable[[Exchange], None]:
    """Keeps an exchange as evidence of the item that is being tried; clients take it."""
    return pytestconfig.stash[RECORDER].record


@pytest.fixture(scope="session")
def remaining(pytestconfig: pytest.Config) -> Callable[[], float]:
    """Seconds that are left of the current try."""
    return _run(pytestconfig).clock.remaining


@pytest.fixture
def measure(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Keeps a number as evidence: `measure(name, value, unit)`, before anything is asserted of it.

    `of` names one of several that are measured alike: `measure("first_bytes", …, "ms", of="/dashboard")`.
    """
    recorder = pytestconfig.stash[RECORDER]

    def measure(name: str, value: Scalar | Sequence[float], unit: str = "", *, of: str = "") -> None:
        recorder.tape.measure(name, value, unit, of=of)

    return measure


class EvidencePlugin:
    """Turns pytest's reports of checks into results, in the process that runs them."""

    def __init__(self, run: Run, recorder: Recorder) -> None:
        self._run = run
        self._recorder = recorder

    @cached_property
    def _network(self) -> Network:
        return Network(self._run.environment)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """A new try begins with an empty tape."""
        self._recorder.begin()
        item.stash[OUTCOME] = None
        return (yield)

    # Innermost, so that everybody else meets the report as it will stay.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say in the report what the phase came to, in our words."""
        check = check_of(item)
        if check is None:
            return (yield)
        if call.excinfo is None or self._wants_traceback(item.config):
            report = yield
        else:
            with _told_briefly(call, call.excinfo):
                report = yield
        if call.excinfo is None:
            passed = report.when == "call" and report.passed
            outcome = Outcome(Status.PASSED) if passed else None
        else:
            error = item.stash.get(READING, _as_it_is)(call.excinfo.value)
            outcome = outcome_of(error, check.item.impact, self._network)
            self._tell(item, report, outcome)
        if outcome is not None and outcome.status is not Status.PASSED:
            item.stash[OUTCOME] = outcome
        news = self._recorder.tape.news()
        if outcome is None and not any(news.values()):
            return report  # A setup or a clean-up that went well has nothing to say.
        attribution = outcome.attribution if outcome else None
        found = {
            "item": check.item.id,
            "status": outcome.status.value if outcome else None,
            "message": outcome.message if outcome else "",
            "attribution": attribution.value if attribution else None,
            **news,
        }
        setattr(report, VERIFICATION, found)
        return report

    def _tell(self, item: pytest.Item, report: pytest.TestReport, outcome: Outcome) -> None:
        if outcome.status in _SKIPPED:
            path, line, _ = item.location
            report.outcome = "skipped"
            report.longrepr = (path, (line or 0) + 1, outcome.message)
            return
        report.outcome = "failed"
        text = "\n".join([outcome.message, *self._recorder.tape.told()])
        if self._wants_traceback(item.config):
            text = f"{text}\n\n{report.longrepr}"
        report.longrepr = text

    @staticmethod
    def _wants_traceback(config: pytest.Config) -> bool:
        """Asked for by --tb, --showlocals or --full-trace; otherwise the message and the tape say more."""
        option = config.option
        return bool(option.tbstyle not in {"auto", "no"} or option.showlocals or option.fulltrace)


@contextmanager
def _told_briefly(
    call: pytest.CallInfo[None], excinfo: pytest.ExceptionInfo[BaseException]
) -> Iterator[None]:
    """Let pytest render no traceback: the first one of a process takes it as long as twenty checks."""
    if not isinstance(excinfo.value, pytest.skip.Exception):
        plain = pytest.fail.Exception(pytrace=False).with_traceback(excinfo.tb)
        call.excinfo = pytest.ExceptionInfo.from_exception(plain)
    try:
        yield
    finally:
        call.excinfo = excinfo


def verification_in(report: object) -> dict[str, Any] | None:
    """What a check's report carries, JSON-safe; None in any other report."""
    found: dict[str, Any] | None = getattr(report, VERIFICATION, None)
    return found


def _run(config: pytest.Config) -> Run:
    run = config.stash.get(RUN, None)
    if run is None:
        raise RuntimeError("checks run in a verification only: pytest -m <phase> --env <name>")
    return run


def _as_it_is(error: BaseException) -> BaseException:
    return error
