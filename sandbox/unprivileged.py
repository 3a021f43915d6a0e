"""PostgreSQL refuses to run as root: which account stands in, and what that account can reach."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from pathlib import Path


def stand_in() -> pwd.struct_passwd | None:
    """The account for processes that must not be root's, or None when we are not root ourselves.

    Raises:
        LookupError: we are root, and the system has no account `nobody`.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise LookupError(
            "PostgreSQL refuses to run as root and there is no account 'nobody' to run it; "
            "start the sandbox as an ordinary user"
        ) from None


def anyone_can_reach(path: Path) -> bool:
    """Any account may enter every folder above it, and read and run (a folder: enter) it."""
    path = path.resolve()
    may_enter = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    wanted = stat.S_IROTH | stat.S_IXOTH
    return may_enter and path.stat().st_mode & wanted == wanted


def temporary_folder() -> Path:
    """A new folder of ours, in a place that the stand-in can reach too."""
    usual = Path(tempfile.gettempdir())
    base = usual if stand_in() is None or anyone_can_reach(usual) else Path("/tmp")  # noqa: S108
    return Path(tempfile.mkdtemp(prefix="kamiyo-sandbox-", dir=base))
