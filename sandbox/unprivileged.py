"""An unprivileged account for PostgreSQL, which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from pathlib import Path


def stand_in() -> pwd.struct_passwd | None:
    """Return the account for unprivileged processes, or None if this process is not root's.

    Raises:
        LookupError: the process is root's, and the system has no account `nobody`.
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
    """Whether every account may enter all parent folders, and read and execute the path."""
    path = path.resolve()
    may_enter = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    wanted = stat.S_IROTH | stat.S_IXOTH
    return may_enter and path.stat().st_mode & wanted == wanted


def temporary_folder() -> Path:
    """Create a temporary folder that the unprivileged account can reach too."""
    usual = Path(tempfile.gettempdir())
    base = usual if stand_in() is None or anyone_can_reach(usual) else Path("/tmp")  # noqa: S108
    return Path(tempfile.mkdtemp(prefix="kamiyo-sandbox-", dir=base))
