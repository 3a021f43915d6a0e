"""Escape external text for Markdown, so that it is shown and has no effect."""

from __future__ import annotations

import re

from kamiyo_verify.reporting.inert import one_line

# Characters that CommonMark, and GitHub's tables, links, mentions and formulas, treat as markup.
_MARKUP = re.compile(
    r"([\\`*\[\]<>#|~@&$]|:(?=//)|(?<=www)\.|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]|(?<=^\d)[.)])"
)

# GitHub looks for these in the rendered page, where backslashes are gone: a mention notifies people, and an
# issue number adds a note to that issue. An invisible character after the sign prevents that.
_LINKED = re.compile(r"((?:\\[@#]|\b[Gg][Hh]-)(?=\w)|:(?=[\w+-]+:))")


def plain(text: str) -> str:
    """Return one bounded line without markup."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def unlinked(text: str) -> str:
    """Return the text as `plain` does, and without mentions or references that GitHub would notify."""
    return _LINKED.sub(r"\1&#8203;", plain(text))


def code(text: str) -> str:
    """Format commands and ids as code; also valid within a table."""
    shown = one_line(text).replace("|", "\\|")
    ticks = max((len(run) for run in re.findall("`+", shown)), default=0) + 1
    fence = "`" * ticks
    return f"{fence} {shown} {fence}" if ticks > 1 else f"`{shown}`"
