"""Screenshots as `data:` addresses, so that the report stays one file; up to a bound."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

MOST = 60
MOST_BYTES = 8_000_000
"""Of all of them together, before they are written as text: what is beyond is linked to."""

_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
"""By how a file begins."""


def embedded(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """The address of each screenshot, by its name.

    What is missing, is neither PNG nor JPEG, lies outside of the folder, or is beyond the bound, is left out.

    Args:
        folder: of the report.
        files: names within it.
    """
    found: dict[str, str] = {}
    left = MOST_BYTES
    for file in dict.fromkeys(files):
        data = _read(folder, file, left) if len(found) < MOST else b""
        kind = next((name for start, name in _KINDS.items() if data.startswith(start)), "")
        if kind:
            left -= len(data)
            found[file] = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return found


def _read(folder: Path, file: str, at_most: int) -> bytes:
    """Its bytes; none where it is not to be had, or is larger than that."""
    try:
        path = (folder / file).resolve()
        if not path.is_relative_to(folder.resolve()) or path.stat().st_size > at_most:
            return b""
        return path.read_bytes()
    except (OSError, ValueError):
        return b""
