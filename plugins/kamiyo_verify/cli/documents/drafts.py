"""Drafts that people edit: a newer draft replaces an older one only if nobody has edited it."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.hooks.report_dir import write_atomically

_SAYS = "drafted by kamiyo-verify; untouched while the text above has this SHA-256"
_MARK = re.compile(rf"\n<!-- {_SAYS}: ([0-9a-f]{{64}}) -->\n\Z")


@dataclass(frozen=True, slots=True)
class Written:
    """The path of a draft.

    Attributes:
        kept: an earlier draft that was edited and is left unchanged, or None.
    """

    path: Path
    kept: Path | None


def write_draft(folder: Path, stem: str, text: str) -> Written:
    """Write a draft; an edited earlier draft is kept, and the new one gets a numbered name.

    Args:
        folder: the folder; it is created if it does not exist.
        stem: the file name without suffix; all but letters, digits and dots become hyphens.
        text: Markdown that ends with a line feed.

    Raises:
        OSError: the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9.-]+", "-", stem)
    kept = None
    for number in itertools.count(1):
        path = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
        if not path.exists() or _untouched(path):
            write_atomically(path, f"{text}\n<!-- {_SAYS}: {_digest(text)} -->\n")
            return Written(path, kept)
        kept = path
    raise AssertionError("counting never ends")


def _untouched(path: Path) -> bool:
    text = path.read_bytes().decode("utf-8", errors="replace")
    mark = _MARK.search(text)
    return mark is not None and mark[1] == _digest(text[: mark.start()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
