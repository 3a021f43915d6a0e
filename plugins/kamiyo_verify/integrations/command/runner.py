"""Run one of the team's commands and read the JSON that it prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from kamiyo_verify.integrations.command.settings import Command
from kamiyo_verify.model.outcomes import CommandTooSlow, NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.processes.commands import Commands, Ran

Shape = TypeVar("Shape", bound=BaseModel)

_MARGIN_S = 1.0
_MOST_LATE = 2
_MOST_BYTES = 4 * 1024 * 1024


class Runner:
    """Runs the commands of [command].

    Args:
        table: the commands.
        hidden: names of the variables that the commands do not see: our credentials.
        record: called with an exchange for each run.
        remaining: returns the seconds that are left.
    """

    def __init__(
        self,
        table: Command,
        *,
        hidden: Collection[str],
        record: Callable[[Exchange], None],
        remaining: Callable[[], float],
    ) -> None:
        self._table = table
        self._commands = Commands(Path(table.folder), hidden=hidden, record=record)
        self._remaining = remaining
        self._late = Counter[tuple[str, ...]]()

    def change(self, words: tuple[str, ...], values: Mapping[str, str]) -> Ran:
        """Run a command that changes something, and may wait until that is done.

        Raises:
            NoAnswer: it cannot be started, or is not done in time.
        """
        return self._run(words, values, self._table.change_timeout_s)

    def _run(self, words: tuple[str, ...], values: Mapping[str, str], limit_s: float) -> Ran:
        """Run a command with its words filled in; values are never read by a shell."""
        # An item's own time limit, which says nothing of the command, comes after this one.
        within_s = min(limit_s, max(self._remaining() - _MARGIN_S, 0.1))
        return self._commands.run(filled(words, values), within_s=within_s, kept_bytes=_MOST_BYTES)

    def ask(self, words: tuple[str, ...], values: Mapping[str, str], shape: type[Shape]) -> Shape:
        """Run a command that only reads, and return the last line of its output in that shape.

        Raises:
            NoAnswer: COMMAND, as it was late, failed, or printed something else; or at once, as the same
                command was too late twice: a host that hangs costs two time limits, not one an item.
        """
        if self._late[words] >= _MOST_LATE:
            late = "was not done in time twice, so it is not run again"
            raise _unusable(f"{' '.join(filled(words, values))}: {late}")
        try:
            ran = self._run(words, values, self._table.command_timeout_s)
        except NoAnswer as problem:
            self._late[words] += isinstance(problem, CommandTooSlow)
            raise _unusable(str(problem)) from None
        if ran.code != 0:
            raise _unusable(f"{ran.command} ended with exit code {ran.code}: {ran.last_line}")
        return read(ran, shape)


def filled(words: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    """Replace {name} in each word by its value."""
    found = list(words)
    for name, value in values.items():
        found = [word.replace("{" + name + "}", value) for word in found]
    return found


def read(ran: Ran, shape: type[Shape]) -> Shape:
    """Return the last line of a command's output in that shape.

    Raises:
        NoAnswer: COMMAND, as it is not JSON of that shape.
    """
    lines = [line for line in ran.tail.splitlines() if line.strip()]
    try:
        return shape.model_validate(json.loads(lines[-1] if lines else ""))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise _unusable(f"{ran.command} printed other JSON than expected: {place}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise _unusable(f"{ran.command} printed no JSON in its last line: {ran.last_line}") from None


def _unusable(message: str) -> NoAnswer:
    """Return that a command of the team's own failed: our own side, which shows nothing of a service."""
    return NoAnswer(NoAnswerKind.COMMAND, message)
