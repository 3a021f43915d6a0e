"""Read the Markdown runbook of --runbook, and refuse a file that is none, or another one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from kamiyo_verify.hooks.written_runbook.checkboxes import boxes_in
from kamiyo_verify.judge.preflight.drift import Box, compare
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.writing.text import cut


def boxes_of(path: Path) -> tuple[Box, ...]:
    """Return the checkboxes of a Markdown runbook.

    Raises:
        pytest.UsageError: the file cannot be read, is not UTF-8, or has no checkbox.
    """
    try:
        boxes = tuple(boxes_in(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise pytest.UsageError(f"--runbook {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise pytest.UsageError(f"--runbook {path}: is not UTF-8 text") from None
    if not boxes:
        raise pytest.UsageError(f"--runbook {path}: has no checkbox in a list, such as - [ ] All tests pass")
    return boxes


def refuse_another_document(path: Path, boxes: tuple[Box, ...], items: Iterable[Item]) -> None:
    """Refuse a document of other checkboxes: every one of them, and every item, would be a gap of its own.

    Raises:
        pytest.UsageError: no checkbox is like that of an item.
    """
    found = compare(boxes, items, ())
    if not found.moved and len(found.new) == len(boxes):
        first = f'"{cut(boxes[0].text, 60)}" in line {boxes[0].line}'
        raise pytest.UsageError(
            f"--runbook {path}: is another document: none of its checkboxes, the first {first}, is an item"
        )
