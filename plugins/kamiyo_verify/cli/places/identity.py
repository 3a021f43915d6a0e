"""Compare what two places have: runs of different code or checks say nothing about each other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import kamiyo_verify
from kamiyo_verify.cli.places.protocol import Identity
from kamiyo_verify.reporting.inert import one_line

_READ = frozenset({".py", ".toml", ".ini", ".cfg", ".yaml", ".yml"})
"""Suffixes of the files that decide what is checked and how it is judged: checks, runbook, objectives."""

_PASSED_OVER = frozenset({"__pycache__", "environments", "node_modules", "reports"})
"""Folders that do not decide it. Environments may differ: each place has its own control addresses."""

_DIGITS = 16


def identity_of(root: Path) -> Identity:
    """Return the identity of this installation and of the project in this folder.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        number = version("kamiyo-verify")
    except PackageNotFoundError:
        number = "not installed"
    return Identity(version=number, code=_code(), files=dict(_hashes(root)))


def difference(ours: Identity, theirs: Identity) -> str:
    """Return how a place differs from this one, in words; "" if it does not."""
    if theirs.version != ours.version:
        return f"it has kamiyo-verify {one_line(theirs.version, 40)}, and here is {ours.version}"
    if theirs.code != ours.code:
        return f"it has another build of kamiyo-verify {ours.version}: install the same one"
    if theirs.files == ours.files:
        return ""
    paths = sorted(ours.files.keys() | theirs.files.keys())
    different = [path for path in paths if ours.files.get(path) != theirs.files.get(path)]
    more = f" and {len(different) - 1} more" if len(different) > 1 else ""
    named = f"{one_line(different[0], 120)}{more}"
    return f"it has another commit of the checks: {named} {'differ' if more else 'differs'}"


@cache
def _code() -> str:
    """Return a hash of the modules of this installation."""
    package = Path(kamiyo_verify.__file__).parent
    modules = sorted(found for found in _hashes(package) if found[0].endswith(".py"))
    return hashlib.sha256(repr(modules).encode()).hexdigest()[:_DIGITS]


def _hashes(root: Path) -> Iterator[tuple[str, str]]:
    for path in _files(root):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
        yield path.relative_to(root).as_posix(), digest


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(_kept(here, folders))
        yield from (here / name for name in sorted(files) if _is_read(here / name))


def _kept(here: Path, folders: Iterable[str]) -> Iterator[str]:
    for name in folders:
        is_environment = (here / name / "pyvenv.cfg").exists()
        if not (name.startswith(".") or name in _PASSED_OVER or name.endswith(".egg-info") or is_environment):
            yield name


def _is_read(path: Path) -> bool:
    return path.suffix in _READ and not path.name.startswith(".") and path.is_file()
