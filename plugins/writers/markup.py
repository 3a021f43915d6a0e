"""Text that a target sent, as Markdown that shows it and does nothing else."""

from __future__ import annotations

import re

from plugins.writers.inert import one_line

# What CommonMark, and GitHub's tables, links, mentions and formulas, would take for markup.
_MARKUP = re.compile(
    r"([\\`*\[\]<>#|~@&$]|:(?=//)|(?<=www)\.|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]|(?<=^\d)[.)])"
)

# GitHub looks for these in the finished page, where no backslash is left: a mention notifies people, and a
# number leaves a note at that issue. Something invisible between the sign and what follows ends that.
_LINKED = re.compile(r"((?:\\[@#]|\b[Gg][Hh]-)(?=\w)|:(?=[\w+-]+:))")


def plain(text: str) -> str:
    """On one line, bounded, and with nothing that reads as markup."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def unlinked(text: str) -> str:
    """As `plain`, and nobody and nothing is notified where GitHub shows it as a comment."""
    return _LINKED.sub(r"\1&#8203;", plain(text))


def code(text: str) -> str:
    """As code, for commands and ids; also within a table."""
    shown = one_line(text).replace("|", "\\|")
    ticks = max((len(run) for run in re.findall("`+", shown)), default=0) + 1
    fence = "`" * ticks
    return f"{fence} {shown} {fence}" if ticks > 1 else f"`{shown}`"
