"""Check that dependencies are pinned, and that lock files match their manifests.

The files in the checkout decide which reader is used. A format or version that is not supported is reported
as not read: it counts neither as an empty list, nor as a failure of the project.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kamiyo_verify.integrations.packages.files import NotRead, addresses_of, read_json
from kamiyo_verify.integrations.packages.node_lock import NodeLock, drift, registries_set
from kamiyo_verify.integrations.packages.npm_locks import bun_lock, npm_lock
from kamiyo_verify.integrations.packages.pip_files import Requirements, requirements_in
from kamiyo_verify.integrations.packages.pnpm_locks import pnpm_lock
from kamiyo_verify.integrations.packages.python_locks import LOCKS, python_lock
from kamiyo_verify.integrations.packages.python_manifests import python_manifest
from kamiyo_verify.integrations.packages.yarn_locks import yarn_lock
from kamiyo_verify.model.outcomes import Unverified, WrongAnswer

__all__ = [
    "Requirements",
    "node_addresses",
    "node_drift",
    "node_lock",
    "node_root",
    "python_locked",
    "python_wanted",
    "requirements_in",
    "strange_addresses",
]

_NODE: Mapping[str, Callable[[Path], NodeLock]] = {
    # npm itself prefers the first, and bun prefers its text lock to its binary one.
    "npm-shrinkwrap.json": npm_lock,
    "package-lock.json": npm_lock,
    "yarn.lock": yarn_lock,
    "pnpm-lock.yaml": pnpm_lock,
    "bun.lock": bun_lock,
}
_NODE_NOT_READ = {"bun.lockb": "bun's binary form", "deno.lock": "Deno's form", "vlt-lock.json": "vlt's form"}
_OF_MANAGER = {
    "npm": ("npm-shrinkwrap.json", "package-lock.json"),
    "yarn": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock", "bun.lockb"),
}


def python_wanted(folder: Path, requirements: str, lock: str) -> Requirements:
    """The Python packages that a checkout requires.

    Args:
        folder: the checkout.
        requirements: its requirements file, as the environment names it.
        lock: its lock file, likewise.

    Raises:
        NoAnswer: a file does not exist or cannot be read.
        WrongAnswer: a file does not match its name.
        NotRead: a file has an unsupported format.
    """
    given = folder / requirements
    source = given.with_suffix(".in")
    if given.is_file() and not (folder / lock).is_file() and source.is_file():
        return requirements_in(source, manifest=True)
    if given.is_file():
        return requirements_in(given, manifest=given.suffix == ".in")
    for name in ("Pipfile", "pyproject.toml"):
        if (folder / name).is_file():
            return python_manifest(folder / name)
    return requirements_in(given)


def python_locked(folder: Path, requirements: str, lock: str) -> Requirements:
    """The contents of a checkout's Python lock file; for arguments and errors see `python_wanted`."""
    given = folder / requirements
    if (folder / lock).is_file():
        return python_lock(folder / lock)
    if given.is_file() and given.with_suffix(".in").is_file():
        return requirements_in(given)
    found = [folder / name for name in LOCKS if (folder / name).is_file()]
    found += [path for path in sorted(folder.glob("pylock.*.toml")) if not found]
    return python_lock(found[0]) if found else python_lock(folder / lock)


def node_root(folder: Path, checkout: Path) -> Path:
    """The folder with the lock file of a Node project: its own, or that of its workspace."""
    locks = (*_NODE, *_NODE_NOT_READ)
    if not folder.is_dir() and (checkout / "package.json").is_file():
        return checkout
    if (folder / "package.json").is_file():
        for place in (folder, *folder.parents):
            if any((place / name).is_file() for name in locks):
                return place
            if place == checkout:
                break
    return folder


def node_lock(folder: Path) -> Path:
    """The lock file of a Node project.

    Raises:
        WrongAnswer: there is none, or two that may contradict each other.
        NotRead: the only one has an unsupported format.
    """
    found = [name for name in _NODE if (folder / name).is_file()]
    unread = [name for name in _NODE_NOT_READ if (folder / name).is_file()]
    if {"package-lock.json", "npm-shrinkwrap.json"} <= {*found}:
        found.remove("package-lock.json")
    if "bun.lock" in found and "bun.lockb" in unread:
        unread.remove("bun.lockb")
    if len(found) + len(unread) > 1:
        named = _OF_MANAGER.get(_manager(folder), ())
        found, unread = ([name for name in names if name in named] or names for names in (found, unread))
        unread = [] if len(found) == 1 and found[0] in named else unread
    if len(found) == 1 and not unread:
        return folder / found[0]
    if not found and len(unread) == 1:
        raise NotRead(folder / unread[0], _NODE_NOT_READ[unread[0]])
    names = " and ".join([*found, *unread]) or "no package-lock.json, yarn.lock, pnpm-lock.yaml or bun.lock"
    raise WrongAnswer(f"{folder.name} has {names}; exactly one lock file was expected")


def node_drift(folder: Path) -> tuple[str, ...]:
    """Differences between package.json and its lock file, as "name: wanted ^1.2, locked for ^1.1".

    Raises:
        NoAnswer: a file cannot be read.
        WrongAnswer: a file does not match its name.
        NotRead: a file has an unsupported format.
    """
    lock = node_lock(folder)
    return drift(folder, _NODE[lock.name](lock))


def node_addresses(folder: Path) -> tuple[str, ...]:
    """Every package source in the lock files and settings of a Node project.

    Every lock file counts, also if there are several: the installer chooses which one is used.
    """
    found = [folder / name for name in _NODE if (folder / name).is_file()] or [node_lock(folder)]
    settings = addresses_of(folder / ".npmrc", iter(registries_set(folder)))
    return tuple(
        dict.fromkeys([*(each for path in found for each in _NODE[path.name](path).addresses), *settings])
    )


def strange_addresses(addresses: Collection[str], registries: Collection[str]) -> tuple[str, ...]:
    """The addresses outside the registries, each shown by its host alone: a URL may contain a token."""
    known = {urlsplit(registry).hostname for registry in registries}
    strange = {
        f"{urlsplit(address).scheme}://{urlsplit(address).hostname or ''}"
        for address in addresses
        if urlsplit(address).hostname not in known or urlsplit(address).scheme != "https"
    }
    return tuple(sorted(strange))


def all_strange(
    sources: Collection[Callable[[], Collection[str]]], registries: Collection[str]
) -> tuple[str, ...]:
    """The addresses outside the registries in all these sources, even if one of them cannot be read.

    Raises:
        Unverified: no such address was found, and one source was not read.
        NoAnswer, WrongAnswer: from the sources.
    """
    addresses: list[str] = []
    unread: list[str] = []
    for source in sources:
        try:
            addresses += source()
        except Unverified as why:
            unread.append(str(why))
    strange = strange_addresses(addresses, registries)
    if unread and not strange:
        raise Unverified("; ".join(dict.fromkeys(unread)))
    return strange


def _manager(folder: Path) -> str:
    """The package manager that package.json names, such as "pnpm"; "" if it names none."""
    manifest = read_json(folder / "package.json") if (folder / "package.json").is_file() else {}
    return str(manifest.get("packageManager", "")).partition("@")[0]
