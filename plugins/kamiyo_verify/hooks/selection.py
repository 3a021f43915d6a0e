"""The selection of a run: the requested phases, their items, and which items do not run and why.

The items come from runbook.toml and the mark expression, never from the tests that pytest collected.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.hooks.checklist import Check, check_of
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.words import Phase

if TYPE_CHECKING:
    from kamiyo_verify.hooks.collecting.narrowing import Narrowing
    from kamiyo_verify.model.runbook import Item, Runbook


@dataclass(frozen=True)
class Selection:
    """The scope of a run, and the checks that pytest selected from it.

    Attributes:
        phases: the requested phases.
        scope: the runbook's items of these phases.
        chosen: the checks that will run, by the id of their test.
        expected: ids of automated items in scope that have a check, selected or not.
        no_check: ids of automated items for which a complete collection found no check and none is required.
        not_run: items that something other than the mark expression excluded, in whole or in part: the reason
            by item id.
    """

    phases: tuple[Phase, ...]
    scope: tuple[Item, ...]
    chosen: dict[str, Check]
    expected: tuple[str, ...]
    no_check: tuple[str, ...]
    not_run: Mapping[str, str] = field(default_factory=dict)

    def item_of(self, nodeid: str) -> Item | None:
        """Return the item that a test checks, if known; xdist may append a group name to the test's id."""
        check = self.chosen.get(nodeid) or self.chosen.get(nodeid.rpartition("@")[0])
        return check.item if check else None


def select(
    config: pytest.Config,
    runbook: Runbook,
    collected: Iterable[pytest.Item],
    chosen: Sequence[pytest.Item],
    asked: Sequence[tuple[Path, Path]],
    narrowing: Narrowing,
) -> Selection:
    """Return the selection of this command line.

    Args:
        config: holds the mark expression.
        runbook: holds all items.
        collected: every test that was found, before deselection.
        chosen: the tests that remain after deselection.
        asked: each path argument that contains checks, with the root folder of these checks.
        narrowing: what on this command line and in this collection excludes tests.
    """
    from kamiyo_verify.judge.evidence import NO_CHECK_FOUND  # noqa: PLC0415 - the judge's models take long

    expression = config.option.markexpr
    marked = phases_of_expression(expression)
    marked -= {phase for phase in marked if phase not in expression and not _has_items(runbook, phase)}
    foldered = {phase for path, root in asked for phase in _phases_of_path(path, root)}
    checks = {node.nodeid: check for node in chosen if (check := check_of(node))}
    phases = (marked & foldered) | {check.item.phase for check in checks.values()}
    scope = tuple(item for item in runbook.items if item.phase in phases)
    machine = [item for item in scope if not item.manual]
    nodes = _nodes_by_item(collected)
    # If only some files were requested, it is unknown whether the other items have a check. They count as
    # having one, so that a part of a phase cannot pass for the whole phase.
    whole = {phase for path, root in asked if _is_whole(path, root) for phase in _phases_of_path(path, root)}
    missing = [item for item in machine if item.id not in nodes]
    lost = [item for item in missing if narrowing.of_collection or item.phase not in whole]
    not_run = {item.id: f"not collected: {narrowing.collection_reasons}" for item in lost}
    required = [item for item in missing if item.impact in runbook.policy.required_impacts]
    not_run |= {item.id: NO_CHECK_FOUND for item in required if item not in lost}
    for item in machine:
        if item.id in nodes and (why := _left_out(nodes[item.id], checks, expression, narrowing)):
            not_run[item.id] = why
    return Selection(
        phases=tuple(phase for phase in Phase if phase in phases),
        scope=scope,
        chosen=checks,
        expected=tuple(item.id for item in machine if item not in missing or item.id in not_run),
        no_check=tuple(item.id for item in missing if item.id not in not_run),
        not_run=not_run,
    )


def _nodes_by_item(collected: Iterable[pytest.Item]) -> dict[str, list[pytest.Item]]:
    found: dict[str, list[pytest.Item]] = {}
    for node in collected:
        if check := check_of(node):
            found.setdefault(check.item.id, []).append(node)
    return found


def _left_out(
    nodes: Sequence[pytest.Item], chosen: Mapping[str, Check], expression: str, narrowing: Narrowing
) -> str:
    """Return why tests of an item are excluded, other than by the mark expression; "" if none are."""
    wanted = [node for node in nodes if _lets_through(expression, node)]
    missing = [node for node in wanted if node.nodeid not in chosen]
    if missing:
        part = "" if len(missing) == len(nodes) else f"{len(missing)} of {counted(len(nodes), 'test')} "
        return f"{part}not selected: {narrowing.selection_reasons}"
    if wanted and narrowing.names_one_variant(nodes):
        return f"some tests not selected: {narrowing.collection_reasons}"
    return ""


def _lets_through(expression: str, node: pytest.Item) -> bool:
    """Return whether the mark expression selects a test; False if only pytest can parse the expression."""
    tree = _tree(expression)
    if not expression:
        return True
    return tree is not None and _holds(tree, {mark.name for mark in node.iter_markers()})


def _has_items(runbook: Runbook, phase: Phase) -> bool:
    return any(item.phase is phase for item in runbook.items)


def _phases_of_path(path: Path, root: Path) -> set[Phase]:
    if root.is_relative_to(path):
        return set(Phase)
    folder = path.relative_to(root).parts[0]
    return {phase for phase in Phase if phase == folder}


def _is_whole(path: Path, root: Path) -> bool:
    return root.is_relative_to(path) or path.parent == root


def _tree(expression: str) -> ast.expr | None:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        return None


def phases_of_expression(expression: str) -> set[Phase]:
    """Return the phases that a mark expression selects, judged only by the markers of their folders."""
    if not expression:
        return set(Phase)
    tree = _tree(expression)
    if tree is None:
        return set()
    return {phase for phase in Phase if _holds(tree, {phase.value, "item"} | _also(phase))}


def first_phase_named(expression: str) -> Phase | None:
    """Return the first phase that a mark expression names and selects; None if there is none."""
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
