"""Differences between the written runbook and runbook.toml."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product

from kamiyo_verify.model.figures import percent
from kamiyo_verify.model.runbook import Item

_ALIKE = 0.6
"""The ratio from which two texts are close matches, by the rule of thumb in difflib's documentation."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """One checkbox of a written runbook.

    Attributes:
        section: the heading above it; "" before the first heading.
        text: its text without markup, on one line.
        line: line number, from 1.
    """

    section: str
    text: str
    line: int

    @property
    def key(self) -> _Key:
        """The part of the checkbox that an item repeats."""
        return self.section, self.text


@dataclass(frozen=True, slots=True)
class Moved:
    """A checkbox whose text or section differs from runbook.toml.

    Attributes:
        section, text: the section and text in runbook.toml.
        items: ids of the items that cover it.
        likeness: similarity of the two texts, 0 to 1.
    """

    box: Box
    section: str
    text: str
    items: tuple[str, ...]
    likeness: float


@dataclass(frozen=True, slots=True)
class Drift:
    """The result of the comparison.

    Attributes:
        boxes: number of checkboxes in the written runbook.
        covered: number of them with an item of the same text whose checks all exist.
        new: checkboxes without an item.
        moved: checkboxes whose item has a different text.
        gone: items whose checkbox is not in the written runbook.
        unchecked: ids of items without a check.
    """

    boxes: int
    covered: int
    new: tuple[Box, ...]
    moved: tuple[Moved, ...]
    gone: tuple[Item, ...]
    unchecked: tuple[str, ...]

    @property
    def gap(self) -> bool:
        """Whether the two differ, or there was nothing to compare."""
        return not self.boxes or bool(self.new or self.moved or self.gone or self.unchecked)

    @property
    def description(self) -> str:
        """The count, such as "57 of 57 checkboxes have a check"."""
        return f"{self.covered} of {self.boxes} checkboxes have a check"

    def lines(self) -> Iterator[str]:
        """Yield what to do about each difference, one line each."""
        for box in self.new:
            yield (
                f'line {box.line}: "{box.text}" has no item: add a row with checkbox = "{box.text}" and'
                f' section = "{box.section}" to runbook.toml, and its check'
            )
        for moved in self.moved:
            yield f"line {moved.box.line}: {_describe(moved)}"
        for item in self.gone:
            yield f'{item.id}: its checkbox "{item.checkbox}" is not in the runbook ("{item.section}")'
        for item_id in self.unchecked:
            yield f"{item_id} has no check: write one in checks/{item_id.partition('.')[0]}/"


def compare(boxes: Iterable[Box], items: Iterable[Item], checked: Collection[str]) -> Drift:
    """Compare a written runbook with the items.

    Args:
        boxes: checkboxes of the written runbook.
        items: items of runbook.toml.
        checked: ids of the items that have a check.
    """
    boxes, items = tuple(boxes), tuple(items)
    by_key: dict[_Key, list[str]] = {}
    for item in items:
        if item.checkbox:
            by_key.setdefault((item.section, item.checkbox), []).append(item.id)
    written = {box.key for box in boxes}
    strange = [box for box in boxes if box.key not in by_key]
    moved = tuple(_moved(strange, {key: ids for key, ids in by_key.items() if key not in written}))
    found = {moving.box for moving in moved}
    kept = written | {(moving.section, moving.text) for moving in moved}
    return Drift(
        boxes=len(boxes),
        covered=sum(box.key in by_key and all(one in checked for one in by_key[box.key]) for box in boxes),
        new=tuple(box for box in strange if box not in found),
        moved=moved,
        gone=tuple(item for item in items if item.checkbox and (item.section, item.checkbox) not in kept),
        unchecked=tuple(item.id for item in items if item.id not in checked),
    )


def _moved(boxes: list[Box], keys: dict[_Key, list[str]]) -> Iterator[Moved]:
    """Yield pairs of the unmatched checkboxes and items, the most similar first; each is used once."""
    pairs = sorted(
        ((_likeness(box, key), box, key) for box, key in product(boxes, keys)),
        key=lambda pair: (-pair[0], pair[1].line),
    )
    taken: set[Box | _Key] = set()
    for likeness, box, key in pairs:
        if likeness >= _ALIKE and box not in taken and key not in taken:
            taken |= {box, key}
            yield Moved(box, *key, items=tuple(keys[key]), likeness=likeness)


def _likeness(box: Box, key: _Key) -> float:
    """Return the similarity of the texts; under another heading they must be nearly the same."""
    likeness = SequenceMatcher(None, box.text.casefold(), key[1].casefold(), autojunk=False).ratio()
    return likeness if box.section == key[0] or likeness > 0.9 else 0.0


def _describe(moved: Moved) -> str:
    items = ", ".join(moved.items)
    if moved.text == moved.box.text:
        return (
            f'"{moved.text}" moved from "{moved.section}" to "{moved.box.section}":'
            f" set that section for {items}"
        )
    return (
        f'the wording moved ({percent(round(moved.likeness, 2))} alike): "{moved.box.text}" was'
        f' "{moved.text}": see that the check of {items} still fits, then set the new checkbox'
    )
