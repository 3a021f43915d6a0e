"""The file format of runbook.toml: items under sections, and renamed keys of older files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kamiyo_verify.config.draft import Draft
from kamiyo_verify.config.mistakes import Loc
from kamiyo_verify.model.words import Phase

RENAMED = {
    "loses": "user_impact",
    "truer": "preferred_source",
    "by_hand": "manual",
    "by_clock": "clock_sensitive",
}
"""Keys of older runbooks and their current names; see docs/names.md."""


def flatten(draft: Draft) -> None:
    """Convert `[[sections]]` with their `[[sections.items]]` into the runbook's single list of items.

    Each item gets its section's title, and its phase from its id. Mistakes keep their line in the file.
    """
    table = draft.table
    if "items" in table:
        draft.refuse(("items",), "write each item as [[sections.items]], under a [[sections]] with its title")
    else:
        _gather_items(draft)
    _refuse_old_keys(draft)


def _gather_items(draft: Draft) -> None:
    table = draft.table
    sections = table.pop("sections", [])
    items: list[Any] = []
    for number, section in enumerate(sections if isinstance(sections, list) else [sections]):
        if not isinstance(section, dict):
            draft.refuse(("sections", number), "must be a table: [[sections]]")
            continue
        title, rows = section.get("title"), section.get("items", [])
        if not (isinstance(title, str) and title.strip()):
            draft.refuse(("sections", number, "title"), "is missing: the heading of the written runbook")
        for key in section.keys() - {"title", "items"}:
            draft.refuse(("sections", number, key), 'is unknown; a section has the keys "title" and "items"')
        items += [_item(draft, row, title, len(items) + n) for n, row in enumerate(rows)]
    table["items"] = items
    draft.lines = {**draft.lines, **dict(_lines(draft))}


def _item(draft: Draft, row: object, title: object, number: int) -> object:
    if not isinstance(row, dict):
        return row
    if "section" in row:
        draft.refuse(("items", number, "section"), "is the title of the [[sections]] above: delete this line")
    if "phase" in row:
        draft.refuse(("items", number, "phase"), "is the first part of the id: delete this line")
    if row.get("manual") is True and "user_impact" in row:
        draft.refuse(
            ("items", number, "user_impact"),
            "has no meaning for an item that only a person can do: delete this line",
        )
    phase = str(row.get("id", "")).partition(".")[0]
    if phase not in {*Phase}:
        draft.refuse(("items", number, "id"), f"must begin with a phase and a dot: {', '.join(Phase)}")
        phase = Phase.POSTDEPLOY
    return {**row, "section": title if isinstance(title, str) else "", "phase": phase}


def _lines(draft: Draft) -> Iterator[tuple[Loc, int]]:
    for loc, line in draft.lines.items():
        if loc[:2] == ("sections", "items"):
            yield ("items", *loc[2:]), line


def _refuse_old_keys(draft: Draft) -> None:
    for loc, table in _tables(draft.table, ()):
        for old, new in RENAMED.items():
            if old in table:
                draft.refuse((*loc, old), f'is called "{new}" now')
                table.setdefault(new, table.pop(old))


def _tables(value: object, loc: Loc) -> Iterator[tuple[Loc, dict[str, Any]]]:
    if isinstance(value, dict):
        yield loc, value
        for key, inner in list(value.items()):
            yield from _tables(inner, (*loc, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _tables(inner, (*loc, number))
