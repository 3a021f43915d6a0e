"""Which check belongs to which item of the runbook, found and validated while pytest collects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins.mistakes import did_you_mean
from plugins.model.runbook import Item, Runbook
from plugins.model.words import Phase
from plugins.obstacles import credential_keys, optional_tables


@dataclass(frozen=True, slots=True)
class Check:
    """One test, and the item that it checks.

    Attributes:
        needs: keys of the credentials, and names of the tables, without which it cannot be run, in the order
            written.
        writes: what it writes to the platform, or "".
    """

    item: Item
    needs: tuple[str, ...]
    writes: str


BY_PAGE = "told_by_page"
HEARS_PEOPLE = frozenset({"attestation", BY_PAGE})
"""The fixtures that give a person's word; that of BY_PAGE asks our own status page before."""

CHECK = pytest.StashKey[Check]()


def check_of(node: pytest.Item) -> Check | None:
    """The check behind a test; None for a test that is no check."""
    return node.stash.get(CHECK, None)


def read_checks(nodes: Sequence[pytest.Item], roots: Sequence[Path], runbook: Runbook) -> list[str]:
    """Find the check of each test under the roots, and give it the marks of its phase.

    Returns:
        Everything that is wrong, one sentence each, with the test that it is about.
    """
    problems: list[str] = []
    functions: dict[str, str] = {}
    for node in nodes:
        phase = _folder(node, roots)
        if phase is None:
            continue
        found = _Reader(node, phase, runbook)
        problems += [f"{node.nodeid}: {problem}" for problem in found.problems]
        if found.check is None:
            continue
        function = node.nodeid.partition("[")[0]
        other = functions.setdefault(found.check.item.id, function)
        if other != function:
            problems.append(f"{function}: {found.check.item.id} is checked by {other} already")
        node.stash[CHECK] = found.check
        node.add_marker(found.check.item.phase.value)
        if found.check.item.phase is Phase.PERFORMANCE:
            node.add_marker(Phase.POSTDEPLOY.value)
    # The variants of a parametrized function share their mistakes.
    return list(dict.fromkeys(problems))


def _folder(node: pytest.Item, roots: Sequence[Path]) -> str | None:
    """The name of the folder right under a root that a test is in, "" for none; None outside all roots."""
    for root in roots:
        if node.path.is_relative_to(root):
            parts = node.path.relative_to(root).parts
            return parts[0] if len(parts) > 1 else ""
    return None


class _Reader:
    """Reads the marks of one test."""

    def __init__(self, node: pytest.Item, folder: str, runbook: Runbook) -> None:
        self._node = node
        self._folder = folder
        self._runbook = runbook
        self._marks = list(node.iter_markers())
        self.problems: list[str] = []
        item = self._item()
        if item is not None:
            self.problems += self._contradictions(item)
        needs, writes = self._needs(), self._writes()
        self.check = None if item is None or self.problems else Check(item, needs, writes)

    def _marks_named(self, name: str) -> list[pytest.Mark]:
        return [mark for mark in self._marks if mark.name == name]

    def _item(self) -> Item | None:
        marks = self._marks_named("item")
        if not marks:
            self.problems.append('names no item: it needs @pytest.mark.item("<id>")')
            return None
        words = _words(marks)
        if len(marks) > 1 or words is None or len(words) != 1:
            self.problems.append('@pytest.mark.item takes one item, such as "postdeploy.api-health"')
            return None
        item = self._runbook.item(words[0])
        if item is None:
            ids = [row.id for row in self._runbook.items]
            self.problems.append(f'runbook.toml has no item "{words[0]}"{did_you_mean(words[0], ids)}')
        return item

    def _contradictions(self, item: Item) -> Iterator[str]:
        phases = [phase.value for phase in Phase]
        hears = not HEARS_PEOPLE.isdisjoint(getattr(self._node, "fixturenames", ()))
        if item.by_hand and not hears:
            yield f"{item.id} is by_hand in runbook.toml: its check must ask for the fixture attestation"
        if hears and not item.by_hand:
            yield f"asks a person, but {item.id} is not by_hand in runbook.toml: a machine checks it"
        if self._folder not in phases:
            yield f"is in no phase's folder: {', '.join(phases)}"
        elif item.phase != self._folder:
            yield f'is in the folder "{self._folder}", but {item.id} is of the phase "{item.phase}"'
        marked = {mark.name for mark in self._marks} & set(phases)
        allowed = {item.phase.value} | ({"postdeploy"} if item.phase is Phase.PERFORMANCE else set())
        for name in sorted(marked - allowed):
            yield f'is marked "{name}", but {item.id} is of the phase "{item.phase}": the folder says it all'

    def _needs(self) -> tuple[str, ...]:
        marks = self._marks_named("needs")
        if not marks:
            return ()
        words = _words(marks)
        if words is None or not all(mark.args for mark in marks):
            self.problems.append('@pytest.mark.needs takes keys of credentials, such as "api.key"')
            return ()
        known = (*credential_keys(), *optional_tables())
        for key in words:
            if key not in known:
                told = f'no environment has a credential or a table "{key}"{did_you_mean(key, known)}'
                self.problems.append(f"@pytest.mark.needs: {told}")
        return tuple(dict.fromkeys(words))

    def _writes(self) -> str:
        marks = self._marks_named("writes")
        if not marks:
            return ""
        words = _words(marks)
        if words is None or any(len(mark.args) != 1 for mark in marks) or not all(words):
            self.problems.append('@pytest.mark.writes takes what is written, such as "one subscription"')
            return ""
        return ", ".join(reversed(words))


def _words(marks: Iterable[pytest.Mark]) -> list[str] | None:
    """The arguments of marks that take text alone; None where one took something else."""
    words: list[Any] = [word for mark in marks for word in mark.args]
    if any(mark.kwargs for mark in marks) or not all(isinstance(word, str) for word in words):
        return None
    return words
