"""Who has something done, by the command line, the CI, git, or the machine."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path


def actor(said: str, root: Path) -> str:
    """A name for the records; "somebody" where nothing tells one.

    Args:
        said: on the command line, or "".
        root: where git is asked.
    """
    by_ci = os.environ.get("GITHUB_ACTOR") or os.environ.get("GITLAB_USER_LOGIN")
    return said or by_ci or _by_git(root) or _by_login() or "somebody"


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


def _by_login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
