"""List the mutants of a module, and draw a sample of them.

Cosmic Ray's operators make the mutants. A place is one number, comparison, operator, condition, loop or
decorator in the code. Some places have many mutants (a `-` has eleven) and some have one (a condition), so
one mutant is drawn of each place: else arithmetic, which any test notices, would outvote the decisions.
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

LEFT_OUT = re.compile(
    r"NoOp$|VariableReplacer$|VariableInserter$"  # these need arguments, or change nothing
    r"|_(?:Eq_Is|Eq_IsNot|NotEq_Is|NotEq_IsNot)$"  # equal numbers may be identical
    r"|_(?:Is|IsNot)_(?:Eq|NotEq|Lt|LtE|Gt|GtE)$"  # members of an enum have no order; their negation is kept
)
FLAGS = ("@dataclass", "@lru_cache")
"""Decorators of which one test asks all, or by whose arguments only the memory that is used changes."""

KIND = re.compile(r"core/(?:Replace)?(BinaryOperator|ComparisonOperator|UnaryOperator|\w+)")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one place.

    Attributes:
        path: the module, from the project's root.
        operator: Cosmic Ray's name of the change.
        occurrence: which of the operator's positions in the module, from 0.
        line: the first line of the place, from 1.
    """

    path: str
    operator: str
    occurrence: int
    line: int

    def source(self, original: str) -> str:
        """Return the mutated module.

        Raises:
            ValueError: the module is not the one that the mutant was listed for.
        """
        mutated = mutate_code(original, get_operator(self.operator)(), self.occurrence)
        if mutated is None:
            raise ValueError(f"{self.path} has no such place any more")
        return str(mutated)


def sampled(modules: list[Path], root: Path, size: int, seed: int) -> list[Mutant]:
    """Draw `size` places, spread over the modules in proportion to their number, and one mutant of each.

    A systematic sample with a random start: every place is as likely as any other.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    found = []
    for module in modules:
        places = [*_places(module, module.relative_to(root).as_posix())]
        chance.shuffle(places)
        found += places
    if size < len(found):
        step = len(found) / size
        start = chance.random() * step
        found = [found[int(start + number * step)] for number in range(size)]
    drawn = []
    for mutants in found:
        chance.shuffle(mutants)
        drawn += [*islice((one for one in mutants if _is_code(one, root)), 1)]
    return drawn


def _is_code(mutant: Mutant, root: Path) -> bool:
    """Return whether Python can read it: `*` among parameters is an operator to Cosmic Ray, for example.

    With `/` in its place every call still works, as the judge calls no such parameter by its place.
    """
    try:
        tree = ast.parse(mutant.source((root / mutant.path).read_text(encoding="utf-8")))
    except SyntaxError:
        return False
    return not any(node.posonlyargs for node in ast.walk(tree) if isinstance(node, ast.arguments))


def _places(module: Path, name: str) -> Iterator[list[Mutant]]:
    """Yield the mutants of each place that runs.

    Annotations are never evaluated. That every dataclass is frozen and has slots, one test asks of all. The
    size of a cache changes no result.
    """
    source = module.read_text(encoding="utf-8")
    nodes = [*ast_nodes(get_ast(source))]
    flags = {number for number, line in enumerate(source.splitlines(), 1) if line.startswith(FLAGS)}
    annotations = [*_annotations(nodes)]
    places: dict[tuple[str, object, object], list[Mutant]] = defaultdict(list)
    for operator in operator_names():
        if LEFT_OUT.search(operator):
            continue
        found = get_operator(operator)()
        positions = [position for node in nodes for position in found.mutation_positions(node)]
        for occurrence, (start, end) in enumerate(positions):
            if start[0] not in flags and not any(first <= start < last for first, last in annotations):
                kind = KIND.match(operator)
                place = (kind[1] if kind else operator, start, end)
                places[place].append(Mutant(name, operator, occurrence, start[0]))
    yield from (places[place] for place in sorted(places, key=lambda place: (place[1], place[2], place[0])))


def _annotations(nodes: list[Any]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for node in nodes:
        match getattr(node, "type", ""):
            case "tfpdef":
                annotation = node.children[2]
            case "annassign":
                annotation = node.children[1]
            case "funcdef":
                annotation = node.annotation
            case _:
                annotation = None
        if annotation is not None:
            yield annotation.start_pos, annotation.end_pos


def statement_lines(source: str, line: int) -> range:
    """Return the lines of the innermost statement at `line`: of a compound one only its head."""
    lines = range(line, line + 1)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            last = (
                max(first, body[0].lineno - 1) if isinstance(body, list) else node.end_lineno or node.lineno
            )
            if first <= line <= last:
                lines = range(first, last + 1)
    return lines
