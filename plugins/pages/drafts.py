"""Pages that people go on writing: a draft is replaced by a newer one only while nobody has touched it."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from plugins.report_dir import write_atomically

_SAYS = "drafted by kamiyo-verify; untouched while the text above has this SHA-256"
_MARK = re.compile(rf"\n<!-- {_SAYS}: ([0-9a-f]{{64}}) -->\n\Z")


@dataclass(frozen=True, slots=True)
class Written:
    """Where a draft went.

    Attributes:
        kept: the page that somebody has edited, and that stays as it is; None where there is none.
    """

    path: Path
    kept: Path | None


def write_draft(folder: Path, stem: str, text: str) -> Written:
    """Write a page, beside whatever people have made of an earlier one.

    Args:
        folder: made where it is not there.
        stem: of the file's name; what is no letter, digit, dot or hyphen becomes a hyphen.
        text: in Markdown, with a line feed at its end.

    Raises:
        OSError: it cannot be written.
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
