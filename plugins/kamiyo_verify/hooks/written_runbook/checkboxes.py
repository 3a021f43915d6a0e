"""Parse the checkboxes of a Markdown runbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kamiyo_verify.judge.preflight.drift import Box

_BOX = re.compile(r"\[[ xX]\](?:\s+|$)")


def boxes_in(markdown: str) -> Iterator[Box]:
    """Yield every checkbox of a list, in order, including nested lists and excluding code blocks."""
    section = ""
    before: tuple[str, str] = ("", "")
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type == "inline":
            text = " ".join("".join(_words(token.children or ())).split())
            if before[1] == "heading_open":
                section = text
            elif before == ("list_item_open", "paragraph_open") and (box := _BOX.match(text)):
                yield Box(section, text[box.end() :], line=(token.map or [0])[0] + 1)
        before = (before[1], token.type)


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in {"text", "code_inline", "image", "text_special"}:
            yield token.content
        elif token.type in {"softbreak", "hardbreak"}:
            yield " "
