"""Map each check to its runbook item, and validate the mapping during collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.config.mistakes import did_you_mean
from kamiyo_verify.hooks.prerequisites import credential_keys, optional_tables
from kamiyo_verify.model.runbook import Item, Runbook
from kamiyo_verify.model.words import Phase


@dataclass(frozen=True, slots=True)
class Check:
    """A test and the runbook item that it checks.

    Attributes:
        needs: keys of required credentials and names of required tables, in the order written.
        writes: what the check writes to the platform, or "".
    """

    item: Item
    needs: tuple[str, ...]
    writes: str


BY_PAGE = "status_page_or_attestation"
HEARS_PEOPLE = frozenset({"attestation", BY_PAGE})
"""The fixtures that return an attestation. The fixture BY_PAGE first reads our own status page."""

CHECK = pytest.StashKey[Check]()


def check_of(node: pytest.Item) -> Check | None:
    """Return the check of a test; None if the test is not a check."""
    return node.stash.get(CHECK, None)


def read_checks(nodes: Sequence[pytest.Item], roots: Sequence[Path], runbook: Runbook) -> list[str]:
    """Find the check of each test under the roots, and add the markers of its phase to the test.

    Returns:
        One sentence for each mistake, with the id of the test.
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
    # The variants of a parametrized function have the same mistakes.
    return list(dict.fromkeys(problems))


def _folder(node: pytest.Item, roots: Sequence[Path]) -> str | None:
    """Return the folder under a root that contains a test; "" at the root itself, None outside all roots."""
    for root in roots:
        if node.path.is_relative_to(root):
            parts = node.path.relative_to(root).parts
            return parts[0] if len(parts) > 1 else ""
    return None


class _Reader:
    """Reads and validates the markers of one test."""

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
        if item.manual and not hears:
            yield f"{item.id} is manual in runbook.toml: its check must ask for the fixture attestation"
        if hears and not item.manual:
            yield f"asks a person, but {item.id} is not manual in runbook.toml: a machine checks it"
        if item.manual and not self._folder:
            pass  # one file beside the phases' folders may attest manual items of every phase
        elif self._folder not in phases:
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
                message = f'no environment has a credential or a table "{key}"{did_you_mean(key, known)}'
                self.problems.append(f"@pytest.mark.needs: {message}")
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
    """Return the arguments of markers that take only text; None if one has another kind of argument."""
    words: list[Any] = [word for mark in marks for word in mark.args]
    if any(mark.kwargs for mark in marks) or not all(isinstance(word, str) for word in words):
        return None
    return words
