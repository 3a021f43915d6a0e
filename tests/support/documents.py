"""The project's pages as a reader follows them: their commands, their links, and the names that they give."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]

SHELL = {"sh", "bash", "shell", "console"}
# Of a fence without a language: by its first word it holds commands, or it does not.
PROGRAMS = {
    *("make", "pytest", "python", "python3", "pip", "git", "gh", "npm", "curl", "psql", "hey", "playwright"),
    *("cd", "cp", "mv", "mkdir", "ls", "cat", "export", "source", ".", "apt-get", "chromium", "actionlint"),
    "docker",
}
_TOLD = re.compile(r"#\s*exit (\d+)\b")
_ASIDE = re.compile(r"<!--\s*run:\s*(?P<says>.*?)\s*-->", re.DOTALL)
_HTML_LINK = re.compile(r'\b(?:href|src)="([^"]+)"')
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page.

    Attributes:
        text: as it stands there, over several lines where it does.
        line: of the page, from 1.
        exit: the exit code that the page tells its reader, 0 where it tells none.
        why_not: why it is not run; "" where it is.
        first: what a reader has already, and the test has to bring about; a line of shell, or "".
    """

    page: str
    text: str
    line: int
    exit: int
    why_not: str = ""
    first: str = ""

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Link:
    line: int
    target: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page, read."""

    name: str
    text: str

    @property
    def folder(self) -> Path:
        return (ROOT / self.name).parent

    @property
    def tokens(self) -> list[Token]:
        return _parsed(self.text)

    def commands(self) -> Iterator[Command]:
        """In the order in which a reader meets them."""
        aside = ""
        for token in self.tokens:
            if token.type == "html_block":
                found = _ASIDE.search(token.content)
                aside = found["says"] if found else ""
            elif token.type == "fence":
                if edit := self._edit(token, aside):
                    yield edit
                elif holds_commands(token):
                    yield from self._of_block(token, aside)
                aside = ""
            elif token.type != "paragraph_close":
                aside = "" if token.type == "heading_open" else aside

    def code_spans(self) -> Iterator[tuple[int, str]]:
        """Every name in backticks, with the line of its paragraph."""
        for line, token in self._inline():
            if token.type == "code_inline":
                yield line, token.content

    def links(self) -> Iterator[Link]:
        """Of the page, pictures included."""
        for line, token in self._inline():
            target = token.attrGet("href" if token.type == "link_open" else "src")
            if token.type in {"link_open", "image"} and isinstance(target, str):
                yield Link(line, target)
            if token.type == "html_inline":
                yield from (Link(line, found) for found in _HTML_LINK.findall(token.content))
        for token in self.tokens:
            if token.type == "html_block":
                line = (token.map or [0])[0] + 1
                yield from (Link(line, found) for found in _HTML_LINK.findall(token.content))

    def anchors(self) -> set[str]:
        """What a link to a heading ends in, as GitHub names it."""
        seen: Counter[str] = Counter()
        found = set()
        for token, inline in zip(self.tokens, self.tokens[1:], strict=False):
            if token.type == "heading_open":
                words = "".join(
                    child.content for child in inline.children or () if child.type in {"text", "code_inline"}
                )
                slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
                found.add(slug if not seen[slug] else f"{slug}-{seen[slug]}")
                seen[slug] += 1
        return found

    def _inline(self) -> Iterator[tuple[int, Token]]:
        for token in self.tokens:
            for child in token.children or ():
                yield (token.map or [0])[0] + 1, child

    def _edit(self, token: Token, aside: str) -> Command | None:
        """What a reader does with a block that is no command: adds it to a file, or changes files by it."""
        does, _, file = aside.partition(" ")
        if does not in {"append", "apply"}:
            return None
        into = f"cat >> {file}" if does == "append" else "git apply -p0 -"
        text = f"{into} <<'END_OF_BLOCK'\n{token.content}END_OF_BLOCK"
        return Command(self.name, text, (token.map or [0])[0] + 2, 0)

    def _of_block(self, token: Token, aside: str) -> Iterator[Command]:
        says, _, rest = (part.strip() for part in aside.partition(":"))
        told = re.fullmatch(r"exit=(\d+)", aside)
        why_not = aside.partition("because")[2].strip() if aside.startswith("no, because") else ""
        assert not aside or told or why_not or says == "first", f"{self.name}: cannot read: run: {aside}"
        first = rest if says == "first" else ""
        for line, text in _split(token):
            own = _TOLD.search(text)
            code = int(own[1]) if own else int(told[1]) if told else 0
            yield Command(self.name, text, (token.map or [0])[0] + 2 + line, code, why_not, first)
            first = ""


def holds_commands(token: Token) -> bool:
    """Whether a fence is for a shell."""
    words = token.content.split()
    return token.info.strip() in SHELL or (not token.info.strip() and bool(words) and words[0] in PROGRAMS)


def pages() -> dict[str, Page]:
    """Every page that a reader is led to, by its path."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = (Page(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)
    return {page.name: page for page in found}


def _split(token: Token) -> Iterator[tuple[int, str]]:
    """Commands, each with its line in the block: continued lines and here-documents are one."""
    lines = token.content.splitlines()
    if token.info.strip() == "console":
        lines = [line.removeprefix("$ ") if line.startswith("$ ") else "" for line in lines]
    number = 0
    while number < len(lines):
        begun, text = number, lines[number]
        until = _HEREDOC.search(text)
        while number + 1 < len(lines) and (text.endswith("\\") or (until and lines[number] != until[1])):
            number += 1
            text += "\n" + lines[number]
        if text.strip() and not text.lstrip().startswith("#"):
            yield begun, text
        number += 1


@cache
def _parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)
