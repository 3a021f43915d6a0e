"""Run pytest in a child process, also from inside another pytest."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

_NOT_FOUND = 127


def run_child(words: Sequence[str], root: Path, tell: Callable[[str], object] | None = None) -> int:
    """Run a command to its end, and return its exit code; 127 if it cannot be started.

    Args:
        words: the command and its arguments.
        root: the working directory.
        tell: called with each line of output; if None, the child inherits our output streams.
    """
    # pytest's own variables apply only to the pytest that set them.
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
