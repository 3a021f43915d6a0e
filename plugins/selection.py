"""What a run is about: the phases that were asked for, the checks of them, and the items without one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugins.checklist import Check, check_of
from plugins.model.runbook import Item, Runbook
from plugins.model.words import Phase


@dataclass(frozen=True)
class Selection:
    """The scope of a run, and what pytest has chosen of it.

    Attributes:
        phases: those that were asked for.
        scope: the runbook's items of these phases.
        chosen: the checks that will run, by the id of their test.
        expected: ids of items of the scope that have a check, chosen or not.
        no_check: ids of items of the scope that have none, and are not by hand.
    """

    phases: tuple[Phase, ...]
    scope: tuple[Item, ...]
    chosen: dict[str, Check]
    expected: tuple[str, ...]
    no_check: tuple[str, ...]

    def item_of(self, nodeid: str) -> Item | None:
        """The item that a test checks; a worker may have put a group's name behind its id."""
        check = self.chosen.get(nodeid) or self.chosen.get(nodeid.rpartition("@")[0])
        return check.item if check else None


def select(
    config: pytest.Config,
    runbook: Runbook,
    collected: Iterable[pytest.Item],
    chosen: Sequence[pytest.Item],
    asked: Sequence[tuple[Path, Path]],
) -> Selection:
    """The selection of this command line.

    Args:
        config: holds the mark expression.
        runbook: all items.
        collected: every test that was found, before any was deselected.
        chosen: what is left of them.
        asked: each path that was to be collected, with the root of checks that it touches.
    """
    marked = phases_of_expression(config.option.markexpr)
    foldered = {phase for path, root in asked for phase in _phases_of_path(path, root)}
    checks = {node.nodeid: check for node in chosen if (check := check_of(node))}
    phases = (marked & foldered) | {check.item.phase for check in checks.values()}
    scope = tuple(item for item in runbook.items if item.phase in phases)
    have = {check.item.id for node in collected if (check := check_of(node))}
    # Where only some files were asked for, nobody has looked whether the other items have a check: then they
    # are taken to have one, so that a part of a phase can not pass for the whole of it.
    whole = {phase for path, root in asked if _is_whole(path, root) for phase in _phases_of_path(path, root)}
    machine = [item for item in scope if not item.by_hand]
    return Selection(
        phases=tuple(phase for phase in Phase if phase in phases),
        scope=scope,
        chosen=checks,
        expected=tuple(item.id for item in machine if item.id in have or item.phase not in whole),
        no_check=tuple(item.id for item in machine if item.id not in have and item.phase in whole),
    )


def _phases_of_path(path: Path, root: Path) -> set[Phase]:
    if root.is_relative_to(path):
        return set(Phase)
    folder = path.relative_to(root).parts[0]
    return {phase for phase in Phase if phase == folder}


def _is_whole(path: Path, root: Path) -> bool:
    return root.is_relative_to(path) or path.parent == root


def phases_of_expression(expression: str) -> set[Phase]:
    """The phases that a mark expression lets through, judged by the marks of their folder alone."""
    if not expression:
        return set(Phase)
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        return set()
    return {phase for phase in Phase if _holds(tree, {phase.value, "item"} | _also(phase))}


def first_phase_named(expression: str) -> Phase | None:
    """The phase that a mark expression is about: the one it names first of those that it lets through."""
    phases = [phase for phase in phases_of_expression(expression) if phase in expression]
    return min(phases, key=expression.index, default=None)


def _also(phase: Phase) -> set[str]:
    return {Phase.POSTDEPLOY.value} if phase is Phase.PERFORMANCE else set()


def _holds(tree: ast.expr, marks: set[str]) -> bool:
    match tree:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, marks) for value in values)
        case ast.BoolOp(values=values):
            return any(_holds(value, marks) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand, marks)
        case ast.Name(id=name):
            return name in marks
        case _:
            return False
