"""What is wrong with a file, in words instead of an error number."""

from __future__ import annotations

import re

_TEMPORARY = re.compile(r"(^|/)\.([^/]+)\.partial-\d+$")
"""A folder that is written under this name first, and then renamed."""


def problem_of(error: Exception, hint: str = "") -> str:
    """Return the message of an error on one line; of a file's error: its path, the reason and the hint."""
    if not isinstance(error, OSError) or not error.filename:
        return str(error)
    path = _TEMPORARY.sub(r"\1\2", str(error.filename))
    reason = error.strerror or type(error).__name__
    return f"{path}: {reason[:1].lower()}{reason[1:]}{hint and f'; {hint}'}"
