"""Where in runbook.toml each item is written down, for annotations that lead there."""

from __future__ import annotations

import tomllib
from pathlib import Path

from plugins.toml_lines import lines_of
from plugins.writers.github import Place


def places(runbook: Path) -> dict[str, Place]:
    """The items' places by id; none where the file cannot be read, of which the run itself complains."""
    try:
        text = runbook.read_text(encoding="utf-8")
        rows = tomllib.loads(text).get("items", [])
    except (OSError, ValueError):
        return {}
    lines = lines_of(text)
    return {
        str(row.get("id")): Place(runbook.name, lines.get(("items", number), 1))
        for number, row in enumerate(rows)
        if isinstance(row, dict)
    }
