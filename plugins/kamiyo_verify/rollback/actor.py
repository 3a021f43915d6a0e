"""Name of the person who starts an action, from the command line, the CI, git or the login."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

from kamiyo_verify.model.outside.own_job import started_by


def actor(named: str, root: Path) -> str:
    """Return a name for the records; "somebody" if no source gives one.

    Args:
        named: the name given on the command line, or "".
        root: the folder in which git reads its configuration.
    """
    return named or started_by(os.environ) or _by_git(root) or login() or "somebody"


def _by_git(root: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "config", "user.name"],  # noqa: S607 - whichever git the user has
            cwd=root,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def login() -> str:
    """Return the logged-in user; "" if the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
