"""What only waits: started when the run starts, and asked for its result last.

A background task is a function that `background_fixture` turns into a fixture of the same name. It runs once,
in a thread of the process that began the run; a check gets its result from the fixture, also in a worker.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from plugins.checklist import check_of
from plugins.clock import OutOfTime
from plugins.evidence import RECORDER
from plugins.model.environment import Environment
from plugins.model.outcomes import NoAnswer, NoAnswerKind, NotApplicable, Unverified, WrongAnswer
from plugins.model.result import Measurement
from plugins.progress import Progress
from plugins.recorder import Tape, exchange_from
from plugins.report_dir import write_atomically
from plugins.retries import fixture_names
from plugins.run import RUN, Run

Task = Callable[..., Mapping[str, Any]]
"""Is given what its parameters name: the `environment`; the `runbook`; the `commit` that was asked for, or
""; `before`, which tells what items measured before the deployment; `record`, which keeps exchanges; `say`,
which tells in a few words how far it is; `stop`, which is set when the run ends early."""

GRACE_S = 20.0
"""What a check has beyond the time of the task that it waits for."""

_POLL_S = 0.05
_FOLDER = ".background"


@dataclass(frozen=True, slots=True)
class _Registered:
    task: Task
    seconds: Callable[[Environment], float]


TASKS: dict[str, _Registered] = {}
"""Every background task by the name of its fixture."""


def background_fixture(seconds: Callable[[Environment], float]) -> Callable[[Task], Any]:
    """Make a background task of a function, and the fixture that gives its result of it.

    Args:
        seconds: how long the task takes at most in an environment.

    Returns:
        A decorator for a `Task`. Its result must be JSON-safe; what it raises, the check raises.
    """

    def register(task: Task) -> Any:
        name = task.__name__
        TASKS[name] = _Registered(task, seconds)

        @pytest.fixture(name=name)
        def result(pytestconfig: pytest.Config) -> Any:
            return _result(pytestconfig, name)

        result.__doc__ = task.__doc__
        return result

    return register


def tasks_of(node: pytest.Item) -> list[str]:
    """The background tasks whose results a test asks for."""
    return [name for name in fixture_names(node) if name in TASKS]


def seconds_to_wait(node: pytest.Item, environment: Environment) -> float:
    """How long a try at a check may take for the tasks that it waits for; 0 where it waits for none."""
    longest = max((TASKS[name].seconds(environment) for name in tasks_of(node)), default=0.0)
    return longest + GRACE_S if longest else 0.0


def waiting_last(nodes: list[pytest.Item]) -> None:
    """Move the checks that wait for background tasks to the end; all else keeps its order."""
    nodes.sort(key=lambda node: bool(check_of(node) and tasks_of(node)))


class BackgroundPlugin:
    """Runs the tasks that the chosen checks ask for, in the process that began the run.

    Args:
        run: of which they are.
        before: what items measured before the deployment, by id; may wait for the ledger.
    """

    def __init__(self, run: Run, before: Callable[[], Mapping[str, tuple[Measurement, ...]]]) -> None:
        self._run = run
        self._before = before
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, names: Iterable[str]) -> None:
        """Start these tasks, each in a thread."""
        _folder(self._run).mkdir(exist_ok=True)
        environment = self._run.environment
        for name in dict.fromkeys(names):
            thread = threading.Thread(target=self._perform, args=(name, environment), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        """Nobody asks any more: let the tasks end."""
        self._stop.set()
        try:
            return (yield)
        finally:
            for thread in self._threads:
                thread.join(timeout=1.0)
            for path in _folder(self._run).glob("*"):
                path.unlink(missing_ok=True)
            if _folder(self._run).is_dir():
                _folder(self._run).rmdir()

    def _perform(self, name: str, environment: Environment) -> None:
        tape = Tape()
        given = {
            "environment": environment,
            "runbook": self._run.runbook,
            "before": self._before,
            "commit": self._run.options.commit,
            "record": tape.record,
            "say": partial(write_atomically, _folder(self._run) / f"{name}.said"),
            "stop": self._stop,
        }
        task = TASKS[name].task
        try:
            value = task(**{wanted: given[wanted] for wanted in inspect.signature(task).parameters})
            found: dict[str, Any] = {"value": json.loads(json.dumps(dict(value), allow_nan=False))}
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            found = {"error": _told(error)}
        found["exchanges"] = [asdict(exchange) for exchange in tape.exchanges]
        # A run that a usage error ended takes its folder with it, and asks for nothing any more.
        with contextlib.suppress(FileNotFoundError):
            write_atomically(_folder(self._run) / f"{name}.json", json.dumps(self._run.masker.data(found)))


def _result(config: pytest.Config, name: str) -> Any:
    run, recorder = config.stash[RUN], config.stash[RECORDER]
    path = _folder(run) / f"{name}.json"
    progress = Progress(config, f"waiting for {name.replace('_', ' ')}", TASKS[name].seconds(run.environment))
    said = path.with_suffix(".said")
    while not path.exists():
        if run.clock.remaining() <= 0:
            raise OutOfTime(f"{name} gave no result in its time")
        time.sleep(_POLL_S)
        progress.tick(lambda: said.read_text(encoding="utf-8") if said.exists() else "")
    progress.done()
    found = json.loads(path.read_text(encoding="utf-8"))
    for exchange in found["exchanges"]:
        recorder.record(exchange_from(exchange))
    if "error" in found:
        raise _rebuilt(found["error"])
    return found["value"]


def _folder(run: Run) -> Path:
    if run.report_dir is None:
        raise RuntimeError("background tasks belong to a run with a report")
    return run.report_dir / _FOLDER


_RAISED_AGAIN: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (WrongAnswer, AssertionError, Unverified, NotApplicable)
}


def _told(error: BaseException) -> dict[str, str]:
    if isinstance(error, NoAnswer):
        return {"type": "NoAnswer", "message": str(error), "kind": error.kind, "origin": error.origin}
    return {"type": type(error).__name__, "message": str(error)}


def _rebuilt(told: Mapping[str, str]) -> Exception:
    if told["type"] == "NoAnswer":
        return NoAnswer(NoAnswerKind(told["kind"]), told["message"], told["origin"])
    kind = _RAISED_AGAIN.get(told["type"])
    return kind(told["message"]) if kind else RuntimeError(f"{told['type']}: {told['message']}")
