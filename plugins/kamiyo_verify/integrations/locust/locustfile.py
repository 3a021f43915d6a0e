"""What runs inside Locust: users that send the declared requests, in steps of growing load.

Locust's own interpreter loads this file, on this machine or on another: it imports nothing of ours. The plan
comes as a custom argument, which Locust's master passes on to its workers. Credentials do not travel that
way: each worker reads them from its own environment, since the connection to the master is not encrypted.

    KAMIYO_LOAD_PLAN         the plan, as JSON; only the master needs it
    KAMIYO_LOAD_CREDENTIALS  {"headers": {...}, "params": {...}}, which every request carries
    KAMIYO_LOAD_RESULT       the file that the master writes at the end

Custom messages, custom arguments and shapes: https://docs.locust.io/en/stable/running-distributed.html,
https://docs.locust.io/en/stable/custom-load-shape.html
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import gevent
from gevent import ssl
from locust import FastHttpUser, LoadTestShape, events, task
from locust.runners import MasterRunner, WorkerRunner

SETTLES_S = 1.0
"""Seconds at the start of each step in which nothing is measured: users are starting."""

WORKERS_ANSWER_WITHIN_S = 5.0
TOO_MANY_REQUESTS = 429
_MOST_NUMBER = 1_000_000

MEASURE, MEASURED, LIMITED = "kamiyo-measure", "kamiyo-measured", "kamiyo-limited"
"""Messages: the master opens (a step) or closes (None) a window; a worker sends its counts, or met a 429."""


def _add_arguments(parser: Any, **_: Any) -> None:
    parser.add_argument("--load-plan", env_var="KAMIYO_LOAD_PLAN", default="{}", include_in_web_ui=False)


def _plan_of(environment: Any) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(environment.parsed_options.load_plan)
    return plan


def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


class DeclaredUser(FastHttpUser):
    """A user that walks the declared paths in order, again and again, and waits for each answer."""

    insecure = False
    ssl_context_factory = staticmethod(_trusted)
    max_retries = 0

    def __init__(self, environment: Any) -> None:
        plan = _plan_of(environment)
        self.connection_timeout = plan["connect_s"]
        self.network_timeout = plan["answer_s"]
        super().__init__(environment)
        self._paths: list[str] = plan["paths"]
        self._pause_s = 1.0 / plan["per_user_per_s"]
        self._next_at = 0.0
        self._place = 0
        carried = json.loads(os.environ.get("KAMIYO_LOAD_CREDENTIALS", "{}"))
        self._headers: dict[str, str] = {**plan["headers"], **carried.get("headers", {})}
        self._params: dict[str, str] = carried.get("params", {})

    def on_start(self) -> None:
        """Begin at a random moment: users who all ask at once would wait for each other."""
        gevent.sleep(random.uniform(0, self._pause_s))  # noqa: S311 - no secret
        self._next_at = time.perf_counter()

    def wait_time(self) -> float:
        """Return the seconds to the next request: an even pace, from which a slow answer takes requests away.

        `constant_throughput` would do the same; but requests that were late are not made up for.
        """
        now = time.perf_counter()
        self._next_at = max(self._next_at + self._pause_s, now)
        return self._next_at - now

    @task
    def ask(self) -> None:
        """Send the next request; a redirect is an answer, and is not followed with our credentials."""
        Counter.late_ms.append(max(0.0, time.perf_counter() - self._next_at) * 1000)
        path = self._paths[self._place % len(self._paths)]
        self._place += 1
        number = random.randint(1, _MOST_NUMBER)  # noqa: S311 - no secret
        url = path.replace("{number}", str(number))
        if self._params:
            url += ("&" if "?" in url else "?") + urlencode(self._params)
        self.client.get(url, name=path, headers=self._headers, allow_redirects=False)


class Counter:
    """Counts the requests of one worker while the master has a window open.

    Args:
        runner: the worker's.

    Attributes:
        late_ms: by how much each request was sent too late, because this process was busy.
    """

    late_ms: ClassVar[list[float]] = []

    def __init__(self, runner: WorkerRunner) -> None:
        self._runner = runner
        self._told = False
        self._step: int | None = None
        self._durations_ms: list[float] = []
        self._limited = 0
        self._failures: dict[str, int] = {}

    def measure(self, msg: Any, **_: Any) -> None:
        """Close the window of a step, send its counts, and open the window of the next one."""
        if self._step is not None:
            counts = {
                "step": self._step,
                "durations_ms": self._durations_ms,
                "late_ms": [round(ms, 3) for ms in Counter.late_ms],
                "limited": self._limited,
                "failures": self._failures,
            }
            self._runner.send_message(MEASURED, counts)
        self._step = msg.data
        self._durations_ms, self._limited, self._failures = [], 0, {}
        Counter.late_ms.clear()

    def count(self, response_time: float, response: Any, exception: Any, **_: Any) -> None:
        """Count a request that ended."""
        status = int(getattr(response, "status_code", 0) or 0)
        if status == TOO_MANY_REQUESTS and not self._told:
            self._told = True
            self._runner.send_message(LIMITED)
        if self._step is None:
            return
        if status == TOO_MANY_REQUESTS:
            self._limited += 1
        elif status == 0 or status >= 400 or (exception is not None and status < 400):
            kind = str(status) if status >= 400 else "no answer"
            self._failures[kind] = self._failures.get(kind, 0) + 1
        else:
            self._durations_ms.append(round(response_time, 3))


class Steps(LoadTestShape):
    """Adds users step by step, in the master, and measures each step between its start and its end."""

    current: ClassVar[Steps | None] = None

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        Steps.current = self
        self.limited = False
        self._step: int | None = None
        self._opened_at = 0.0
        self._seconds: dict[int, float] = {}
        self._counts: dict[int, list[dict[str, Any]]] = {}

    def take(self, msg: Any, **_: Any) -> None:
        """Take the counts of one worker for one step."""
        self._counts.setdefault(msg.data["step"], []).append(msg.data)

    def stop_early(self, **_: Any) -> None:
        """Let the current step be the last one: more load would only measure the rate limit."""
        self.limited = True

    def tick(self) -> tuple[int, float] | None:
        """Return the users of the current step; None at the end. Locust calls it each second."""
        plan = _plan_of(self.runner.environment)  # type: ignore[union-attr]
        step = int(self.get_run_time() // plan["step_s"])  # type: ignore[no-untyped-call]
        users: list[int] = plan["users"]
        if step >= len(users) or (self.limited and self._is_open):
            self._close()
            self._write(plan)
            return None
        if step != self._step:
            self._close()
            self._step = step
            gevent.spawn_later(SETTLES_S, self._open, step)
        return users[step], users[step]

    @property
    def _is_open(self) -> bool:
        return self._opened_at > 0.0

    def _open(self, step: int) -> None:
        if step == self._step:
            self._opened_at = time.perf_counter()
            self.runner.send_message(MEASURE, step)  # type: ignore[union-attr]

    def _close(self) -> None:
        if not self._is_open or self._step is None:
            return
        self.runner.send_message(MEASURE, None)  # type: ignore[union-attr]
        self._seconds[self._step] = time.perf_counter() - self._opened_at
        self._opened_at = 0.0

    def _write(self, plan: dict[str, Any]) -> None:
        """Wait for the counts of all workers, and write the result, whole or not at all."""
        until = time.perf_counter() + WORKERS_ANSWER_WITHIN_S
        while time.perf_counter() < until and not self._is_complete(plan):
            gevent.sleep(0.05)
        path = Path(os.environ["KAMIYO_LOAD_RESULT"])
        steps = [
            {"step": step, "seconds": self._seconds[step], "workers": self._counts.get(step, [])}
            for step in sorted(self._seconds)
        ]
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps({"steps": steps}), encoding="utf-8")
        unfinished.replace(path)

    def _is_complete(self, plan: dict[str, Any]) -> bool:
        return all(len(self._counts.get(step, [])) >= plan["workers"] for step in self._seconds)


def _begin(environment: Any, runner: Any, **_: Any) -> None:
    gevent.spawn(_end_with_parent)
    if isinstance(runner, MasterRunner) and Steps.current is not None:
        runner.register_message(MEASURED, Steps.current.take)
        runner.register_message(LIMITED, Steps.current.stop_early)
        gevent.spawn_later(_plan_of(environment)["end_after_s"], os._exit, 1)
    elif isinstance(runner, WorkerRunner):
        counter = Counter(runner)
        runner.register_message(MEASURE, counter.measure)
        environment.events.request.add_listener(counter.count)


def _end_with_parent() -> None:
    """End at once when whoever started this process has ended, even if it was killed."""
    if os.environ.get("KAMIYO_LOAD_ENDS_WITH_STDIN"):
        gevent.get_hub().threadpool.apply(sys.stdin.buffer.read)
        os._exit(1)


events.init_command_line_parser.add_listener(_add_arguments)  # type: ignore[no-untyped-call]
events.init.add_listener(_begin)  # type: ignore[no-untyped-call]
