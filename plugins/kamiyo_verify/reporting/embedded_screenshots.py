"""Screenshots as `data:` URLs, up to a size limit, so that the report stays a single file."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

MOST = 60
MOST_BYTES = 8_000_000
"""Limit for all screenshots together, before encoding; the report links to the others."""

_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
"""Image formats by the first bytes of a file."""


def embedded(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """Return the `data:` URL of each screenshot, by its file name.

    A file is left out if it is missing, not PNG or JPEG, outside of the folder, or over the limit.

    Args:
        folder: the folder of the report.
        files: file names within the folder.
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
    """Read a file; empty if it cannot be read or is larger than `at_most` bytes."""
    try:
        path = (folder / file).resolve()
        if not path.is_relative_to(folder.resolve()) or path.stat().st_size > at_most:
            return b""
        return path.read_bytes()
    except (OSError, ValueError):
        return b""
