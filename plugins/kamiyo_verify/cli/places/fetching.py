"""Unpack the report that a place sends, and nothing else: the archive is not trusted."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

MOST_BYTES = 512 * 1024 * 1024
MOST_FILES = 10_000
_LONGEST_PATH = 400


class BadArchive(Exception):
    """The archive cannot be a report; the message gives the reason."""


def unpack(stream: IO[bytes], name: str, folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Unpack an archive of one folder; leave nothing behind if it is refused.

    Args:
        stream: the tar archive, not compressed.
        name: the name of the folder in the archive.
        folder: the folder that receives its files; it must not exist.
        most_bytes: the largest archive, in bytes; no file can be larger than it.

    Raises:
        BadArchive: it holds something else than ordinary files and folders within that folder, or too much.
        OSError: a file cannot be written.
    """
    if not hasattr(tarfile, "data_filter"):  # before 3.11.4
        raise BadArchive("this Python cannot unpack it safely: take 3.11.4 or newer")
    folder.mkdir(parents=True)
    try:
        _unpack(_Bounded(stream, most_bytes), name, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpack(stream: _Bounded, name: str, folder: Path) -> None:
    count = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                count += 1
                if count > MOST_FILES:
                    raise BadArchive(f"the archive holds more than {MOST_FILES:,} files")
                within = _within(member, name)
                if within is None:
                    continue
                member.name, member.mode = within.as_posix(), 0o755 if member.isdir() else 0o644
                archive.extract(member, folder, set_attrs=False, filter="data")
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise BadArchive(f"the archive cannot be read: {type(error).__name__}") from error
    if not count:
        raise BadArchive("the archive is empty")


def _within(member: tarfile.TarInfo, name: str) -> PurePosixPath | None:
    """Return the path of a member within the folder; None for the folder itself.

    Raises:
        BadArchive: the member is no ordinary file or folder, or lies elsewhere.
    """
    path = PurePosixPath(member.name)
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise BadArchive("the archive holds a link, a device or something else that is no ordinary file")
    if path.is_absolute() or path.parts[:1] != (name,) or ".." in path.parts:
        raise BadArchive("the archive holds a file outside of the report")
    if len(member.name) > _LONGEST_PATH or not member.name.isprintable() or "\\" in member.name:
        raise BadArchive("the archive holds a file whose name no report has")
    return path.relative_to(name) if len(path.parts) > 1 else None


class _Bounded(io.RawIOBase):
    """Reads at most so many bytes of a stream."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = most

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes.

        Raises:
            BadArchive: they would be too many.
        """
        read = self._stream.read(size)
        self._left -= len(read)
        if self._left < 0:
            raise BadArchive("the report is too large to be one")
        return read
