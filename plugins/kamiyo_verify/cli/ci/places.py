"""Line numbers of the items in runbook.toml, so that annotations can link to them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from kamiyo_verify.config.toml_lines import lines_of
from kamiyo_verify.reporting.github import Place


def places(runbook: Path, workspace: Path | None = None) -> dict[str, Place]:
    """Return the items' places by id; empty if the file cannot be read, which the run reports itself.

    Args:
        runbook: the path of runbook.toml.
        workspace: the checkout's folder; GitHub finds files by their paths within it.
    """
    try:
        text = runbook.read_text(encoding="utf-8")
        sections = tomllib.loads(text).get("sections", [])
        rows = [row for section in sections for row in section.get("items", [])]
    except (OSError, ValueError, AttributeError):
        return {}
    lines = lines_of(text)
    whole, within = runbook.resolve(), workspace.resolve() if workspace else runbook.resolve().parent
    name = whole.relative_to(within).as_posix() if whole.is_relative_to(within) else runbook.name
    return {
        str(row.get("id")): Place(name, lines.get(("sections", "items", number), 1))
        for number, row in enumerate(rows)
        if isinstance(row, dict)
    }
