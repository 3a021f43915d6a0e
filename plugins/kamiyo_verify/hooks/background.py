"""Background tasks: long waits that start with the run and whose results checks read last.

A background task is a function that `background_fixture` turns into a fixture of the same name. It runs once,
in a thread of the controller process. A check reads its result from the fixture, also in an xdist worker.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.evidence.recorder import AttemptRecorder, exchange_from
from kamiyo_verify.fixtures.sampling import stopping_rule
from kamiyo_verify.hooks.background_errors import error_data, error_from
from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.clock import OutOfTime
from kamiyo_verify.hooks.evidence import RECORDER
from kamiyo_verify.hooks.progress import Progress
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.hooks.reruns import fixture_names
from kamiyo_verify.hooks.run import RUN, Run
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.result import Measurement

Task = Callable[..., Mapping[str, Any]]
"""A background task. It receives the arguments that its parameters name: `environment`; `runbook`; `commit`
(the value of --commit, or ""); `before` (returns the measurements from before the deployment);
`stopping_rule` (returns the rule that ends a sampling for an objective); `record` (stores an exchange);
`context` (for clients of the platform; its time is the task's); `say` (reports the progress in a few words);
`stop` (an event, set when the run ends early)."""

GRACE_S = 20.0
"""Seconds that a check gets in addition to the time of the task that it waits for."""

_POLL_S = 0.05
_FOLDER = ".background"


@dataclass(frozen=True, slots=True)
class _Registered:
    task: Task
    seconds: Callable[[Environment], float]
    samples: bool
    alone: bool


TASKS: dict[str, _Registered] = {}
"""Every background task, by the name of its fixture."""


def background_fixture(
    seconds: Callable[[Environment], float], *, samples_api: bool = False, alone: bool = False
) -> Callable[[Task], Any]:
    """Register a function as a background task and create the fixture that returns its result.

    Args:
        seconds: returns the maximum duration of the task in an environment, in seconds.
        samples_api: it takes many requests of the API key's allowance, and none where they are scarce.
        alone: it starts only when the first check reads its result, after all other checks, and runs once:
            it puts load on the platform, which would spoil every other measurement.

    Returns:
        A decorator for a `Task`. Its result must be JSON-safe. The fixture raises the task's exceptions.
    """

    def register(task: Task) -> Any:
        name = task.__name__
        TASKS[name] = _Registered(task, seconds, samples_api, alone)

        @pytest.fixture(name=name)
        def result(pytestconfig: pytest.Config) -> Any:
            return _result(pytestconfig, name)

        result.__doc__ = task.__doc__
        return result

    return register


def tasks_of(node: pytest.Item) -> list[str]:
    """Return the names of the background tasks whose results a test uses."""
    return [name for name in fixture_names(node) if name in TASKS]


def tasks_that_sample(names: Iterable[str]) -> list[str]:
    """Return those background tasks that take many requests of the API key's allowance."""
    return [name for name in names if TASKS[name].samples]


def seconds_to_wait(node: pytest.Item, environment: Environment) -> float:
    """Return the seconds that an attempt may wait for its background tasks; 0 if it uses none."""
    longest = max((TASKS[name].seconds(environment) for name in tasks_of(node)), default=0.0)
    return longest + GRACE_S if longest else 0.0


def waiting_last(nodes: list[pytest.Item]) -> None:
    """Move the checks that wait for background tasks to the end, and after them those of a task alone."""

    def place(node: pytest.Item) -> tuple[bool, bool]:
        return bool(check_of(node) and tasks_of(node)), bool(check_of(node) and runs_once(node))

    nodes.sort(key=place)


def runs_once(node: pytest.Item) -> bool:
    """Return whether a test uses a task that runs alone and once: another try would show nothing new."""
    return any(TASKS[name].alone for name in tasks_of(node))


BACKGROUND = pytest.StashKey["BackgroundPlugin"]()


class BackgroundPlugin:
    """Runs the background tasks of the selected checks, in the controller process.

    Args:
        run: the run that the tasks belong to.
        before: returns the measurements from before the deployment, by item id; it may wait for the ledger.
    """

    def __init__(self, run: Run, before: Callable[[], Mapping[str, tuple[Measurement, ...]]]) -> None:
        self._run = run
        self._before = before
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._started_alone: set[str] = set()

    def start(self, names: Iterable[str]) -> None:
        """Start these tasks but those that run alone, each in a thread; one that has ended runs again."""
        self._start([name for name in names if not TASKS[name].alone])

    def start_alone(self, name: str) -> None:
        """Start a task that runs alone, unless it has been started."""
        if name not in self._started_alone:
            self._started_alone.add(name)
            self._start([name])

    def _start(self, names: Iterable[str]) -> None:
        names = list(names)
        _folder(self._run).mkdir(exist_ok=True)
        for name in names:
            for suffix in (".json", ".step"):
                (_folder(self._run) / f"{name}{suffix}").unlink(missing_ok=True)
        environment = self._run.environment
        for name in dict.fromkeys(names):
            thread = threading.Thread(target=self._perform, args=(name, environment), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def pytest_configure(self, config: pytest.Config) -> None:
        """Let the checks of this process start tasks that run alone."""
        config.stash[BACKGROUND] = self

    def stop(self) -> None:
        """Signal all tasks to end, because no check needs them any more."""
        self._stop.set()

    def pytest_unconfigure(self) -> None:
        """Wait up to one second for each task, then remove the tasks' files."""
        self.stop()
        for thread in self._threads:
            thread.join(timeout=1.0)
        with contextlib.suppress(OSError):
            for path in _folder(self._run).glob("*"):
                path.unlink(missing_ok=True)
            if _folder(self._run).is_dir():
                _folder(self._run).rmdir()

    def _perform(self, name: str, environment: Environment) -> None:
        recorder = AttemptRecorder()
        until = time.monotonic() + TASKS[name].seconds(environment)
        context = ClientContext(
            environment.timeouts,
            recorder.record,
            lambda: until - time.monotonic(),
            hangs=self._run.hangs,
            repeats=self._run.repeats,
        )
        given = {
            "environment": environment,
            "runbook": self._run.runbook,
            "commit": self._run.options.commit,
            "before": self._before,
            "stopping_rule": partial(
                stopping_rule,
                runbook=self._run.runbook,
                before=self._before,
                records_baseline=self._run.options.baseline,
            ),
            "record": recorder.record,
            "context": context,
            "say": partial(write_atomically, _folder(self._run) / f"{name}.step"),
            "stop": self._stop,
        }
        task = TASKS[name].task
        try:
            value = task(**{wanted: given[wanted] for wanted in inspect.signature(task).parameters})
            found: dict[str, Any] = {"value": json.loads(json.dumps(dict(value), allow_nan=False))}
        except BaseException as error:  # noqa: BLE001 - the fixture raises it again
            found = {"error": error_data(error)}
        found["exchanges"] = [asdict(exchange) for exchange in recorder.exchanges]
        # A run that ended with a usage error has removed its folder, and nothing reads the result.
        with contextlib.suppress(FileNotFoundError):
            write_atomically(_folder(self._run) / f"{name}.json", json.dumps(self._run.masker.data(found)))


def _result(config: pytest.Config, name: str) -> Any:
    run, recorder = config.stash[RUN], config.stash[RECORDER]
    if TASKS[name].alone:
        if not run.options.load:
            raise Unverified("only with --load")
        config.stash[BACKGROUND].start_alone(name)
    path = _folder(run) / f"{name}.json"
    progress = Progress(config, run.masker, first_s=2, every_s=3)
    at_most, step = TASKS[name].seconds(run.environment), path.with_suffix(".step")

    def waiting(waited_s: float) -> str:
        words = f"waiting for {name.replace('_', ' ')}: {waited_s:.0f} s of at most {at_most:.0f} s"
        return f"{words}, {step.read_text(encoding='utf-8')}" if step.exists() else words

    while not path.exists():
        if run.clock.remaining() <= 0:
            raise OutOfTime(f"{name} gave no result in its time")
        time.sleep(_POLL_S)
        progress.tick(waiting)
    progress.done()
    found = json.loads(path.read_text(encoding="utf-8"))
    for exchange in found["exchanges"]:
        recorder.record(exchange_from(exchange))
    if "error" in found:
        raise error_from(found["error"])
    return found["value"]


def _folder(run: Run) -> Path:
    if run.report_dir is None:
        raise RuntimeError("background tasks belong to a run with a report")
    return run.report_dir / _FOLDER
