"""One place's part of `kamiyo-verify places run`: start its run, wait for it, fetch its report."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from kamiyo_verify.cli.combine import read_run
from kamiyo_verify.cli.places.fetching import BadArchive, unpack
from kamiyo_verify.cli.places.identity import difference
from kamiyo_verify.cli.places.link import Link
from kamiyo_verify.cli.places.protocol import GO, Ending, Greeting, Identity, message_in
from kamiyo_verify.cli.places.remote import Order, Remote
from kamiyo_verify.evidence.recording import NoRecording
from kamiyo_verify.judge.places.requirements import CannotCombine, require_alike
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.figures import listed
from kamiyo_verify.model.verdict import Verdict

_SSH_FAILED = 255
"""ssh's exit code for its own failures. Source: ssh(1), EXIT STATUS."""

_MOST_LINES = 1_000
"""Lines that a shell may print before and after those of the place."""

M = TypeVar("M", Greeting, Ending)


class LeftOut(Exception):
    """The place gave no run that counts; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Here:
    """What this side has.

    Attributes:
        environment: the name of the environment.
        identity: of this installation and project.
        variables: the environment of this process.
        secrets: names of variables that ssh is not given, so that no configuration of it can send them.
        folder: receives a folder for each place's report.
        max_age: the age from which a run is not combined.
    """

    environment: str
    identity: Identity
    variables: Mapping[str, str]
    secrets: frozenset[str]
    folder: Path
    max_age: timedelta


class Visit:
    """Visits a place in a thread of its own, once `start` is called.

    Attributes:
        verdict: the verdict of its run; None if it gave none that counts.
        left_out: why it gave none; "" if it did.
        took_s: how long it took, in seconds.
        started: whether its thread was started.
        finished: set once its thread has ended.
    """

    def __init__(self, remote: Remote, order: Order, here: Here) -> None:
        self.remote = remote
        self.verdict: Verdict | None = None
        self.left_out = ""
        self.took_s = 0.0
        self.began = time.monotonic()
        self.started = False
        self.finished = threading.Event()
        self._order = order
        self._here = here
        self._link: Link | None = None
        self._stopped = ""
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread."""
        self.began, self.started = time.monotonic(), True
        threading.Thread(target=self._visit, name=self.remote.name, daemon=True).start()

    def stop(self, why: str) -> None:
        """End the visit, and the run at the place; the thread goes on until the place has ended."""
        with self._lock:
            self._stopped = self._stopped or why
            if self._link is not None:
                self._link.leave()

    def kill(self) -> None:
        """End the visit at once."""
        with self._lock:
            if self._link is not None:
                self._link.kill()

    def _visit(self) -> None:
        try:
            code = self._run()
            self._fetch()
            self.verdict = self._read(code)
        except LeftOut as why:
            self.left_out = self._stopped or str(why)
        except Exception as error:  # noqa: BLE001 - a place is left out, whatever its visit meets
            self.left_out = self._stopped or f"{type(error).__name__}: {error}"
        finally:
            self.took_s = time.monotonic() - self.began
            self.finished.set()

    def _run(self) -> int:
        """Run the verification there; return pytest's exit code."""
        with self._linked(self.remote.run_command(self._order)) as link:
            greeting = self._message(link, Greeting)
            if greeting is None:
                raise LeftOut(self._no_message(link, "it cannot run kamiyo-verify"))
            if problem := difference(self._here.identity, greeting.identity):
                raise LeftOut(problem)
            if greeting.missing:
                raise LeftOut(f"{listed(greeting.missing)} not set there: in its environment or its .env")
            link.send(GO)
            ending = self._message(link, Ending)
            if ending is None:
                raise LeftOut(self._no_message(link, "its run did not end"))
        if ending.exit_code == ExitCode.USAGE_ERROR:
            raise LeftOut(f"pytest refused to run there: {ending.last_line}")
        return ending.exit_code

    def _fetch(self) -> None:
        with self._linked(self.remote.fetch_command(self._order)) as link:
            link.leave()
            try:
                unpack(link.output, self.remote.name, self._here.folder / self.remote.name)
            except BadArchive as bad:
                raise LeftOut(f"its report cannot be fetched: {self._no_message(link, str(bad))}") from bad

    def _read(self, code: int) -> Verdict:
        """Return the verdict, if it is that of the run."""
        try:
            verdict = read_run(self._here.folder / self.remote.name / "verdict.json")
        except (NoRecording, OSError) as error:
            raise LeftOut(f"its run left no verdict (exit code {code})") from error
        about = (verdict.place, verdict.exit_code)
        if about != (self.remote.name, code):
            raise LeftOut(
                f"its verdict is that of {verdict.place or 'no place'} with exit code {verdict.exit_code},"
                f" and its run ended with {code}"
            )
        commit = verdict.commit if self._order.commit else ""
        if (verdict.environment, commit) != (self._here.environment, self._order.commit):
            raise LeftOut("its verdict is about another environment or commit")
        try:
            require_alike([verdict], datetime.now(UTC), self._here.max_age)
        except CannotCombine as error:
            raise LeftOut(str(error)) from error
        return verdict

    def _linked(self, command: list[str]) -> Link:
        with self._lock:
            if self._stopped:
                raise LeftOut(self._stopped)
            try:
                self._link = Link(command, self.remote.root, self._variables)
            except OSError as error:
                raise LeftOut(f"{command[0]}: cannot be run: {error.strerror}") from error
            return self._link

    @property
    def _variables(self) -> dict[str, str]:
        """The environment of the command that reaches the place; this machine is a place with its own."""
        hidden = self._here.secrets if self.remote.settings.ssh is not None else frozenset()
        return {name: value for name, value in self._here.variables.items() if name not in hidden}

    def _message(self, link: Link, kind: type[M]) -> M | None:
        for _ in range(_MOST_LINES):
            line = link.line()
            if line is None:
                return None
            if (message := message_in(line, kind)) is not None:
                return message
        return None

    def _no_message(self, link: Link, what: str) -> str:
        """Return why the place says nothing more, from how the process ended."""
        code, last = link.ended()
        if code == _SSH_FAILED and self.remote.settings.ssh is not None:
            return f"it cannot be reached: {last or 'ssh failed without a message'}"
        ended = f" (exit code {code})" if code > 0 else ""
        return f"{what}{f': {last}' if last else ended}"
