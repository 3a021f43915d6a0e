"""Recognise errors of a disk or terminal that accepts no more output. They do not change a verdict."""

from __future__ import annotations

import errno

_FULL_OR_GONE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EPIPE,
        errno.EROFS,
        errno.EBADF,
        errno.ESTALE,
    }
)


def unwritable(error: BaseException) -> bool:
    """Return whether the error means that the disk is full or failing, or the terminal is closed."""
    return isinstance(error, OSError) and error.errno in _FULL_OR_GONE
