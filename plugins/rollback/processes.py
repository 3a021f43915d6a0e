"""pytest in a process of its own, from here or from within another pytest."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

_NOT_FOUND = 127


def run_child(words: Sequence[str], root: Path, tell: Callable[[str], object] | None = None) -> int:
    """Run a command to its end; returns its exit code.

    Args:
        words: the command.
        root: where.
        tell: takes each line of its output; where it is None they go where ours go.
    """
    # pytest's own variables are about the pytest that set them.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            words,
            cwd=root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if tell else None,
            stderr=subprocess.STDOUT if tell else None,
            text=True,
            errors="replace",
        )
    except OSError:
        return _NOT_FOUND
    with process:
        for line in process.stdout or ():
            if tell is not None:
                tell(line.rstrip("\n"))
    return process.returncode
