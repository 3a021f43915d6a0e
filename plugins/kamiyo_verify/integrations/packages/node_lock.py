"""The common form of every Node lock file, and the manifests that it was made for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kamiyo_verify.integrations.packages.files import (
    NotRead,
    read_json,
    read_text,
    read_toml,
    read_yaml,
    table,
)
from kamiyo_verify.integrations.packages.node_settings import (
    Catalogs,
    catalogs_declared,
    from_catalog,
    locks_apart,
)

_GROUPS = ("dependencies", "devDependencies", "optionalDependencies")
PRODUCTION_FIRST = ("devDependencies", "dependencies", "optionalDependencies")
"""The order of a manager for which a package's own dependency counts more than that of development."""
_MOST_MEMBERS = 1_000

MadeFor = Callable[[str, Mapping[str, str]], Mapping[str, str]]
"""Takes a workspace folder ("" for its root) and its manifest's ranges; returns those of the lock."""


@dataclass(frozen=True, slots=True)
class NodeLock:
    """A lock file.

    Attributes:
        form: such as "npm lockfileVersion 3".
        addresses: every address of a package source.
        made_for: returns the ranges that the lock was made for, to compare with the manifests.
        groups: of a manifest's dependencies; of a package in several the last one counts.
        catalogs: as the lock has them; None if it has ranges in their place.
        settings: compares the workspace's settings with those of the lock, given the workspace's root.
        rewritten: why the manifests may differ from what the manager reads, if they may.
    """

    form: str
    addresses: tuple[str, ...]
    made_for: MadeFor
    groups: tuple[str, ...] = _GROUPS
    catalogs: Catalogs | None = None
    settings: Callable[[Path], tuple[str, ...]] = field(default=lambda _: ())
    rewritten: str = ""


def wanted(path: Path, manifest: Mapping[str, Any], groups: tuple[str, ...] = _GROUPS) -> dict[str, str]:
    """Name → range of a manifest's dependencies; later groups override earlier ones."""
    return {
        name: str(given)
        for group in groups
        for name, given in table(path, manifest.get(group), group).items()
    }


def drift(root: Path, lock: NodeLock) -> tuple[str, ...]:
    """Differences between the manifests and their lock, as "name: wanted ^1.2, locked for ^1.1".

    Raises:
        NoAnswer: a manifest cannot be read.
        WrongAnswer: it is not JSON.
        NotRead: the lock or a manifest has an unsupported format.
    """
    apart = [*lock.settings(root)]
    catalogs = catalogs_declared(root)
    for folder, manifest in members(root):
        path = root / folder / "package.json"
        needed = wanted(path, manifest, lock.groups)
        locked = lock.made_for(folder, needed)
        # pnpm installs what a package expects of those that use it, and lists it with the rest.
        peers = wanted(path, manifest, ("peerDependencies",))
        needed |= {name: given for name, given in peers.items() if name in locked and name not in needed}
        if lock.catalogs is not None:
            needed = {name: from_catalog(catalogs, name, given) for name, given in needed.items()}
            locked = {name: from_catalog(lock.catalogs, name, given) for name, given in locked.items()}
        where = f"{folder}: " if folder else ""
        apart += [
            f"{where}{name}: wanted {needed.get(name, 'no more')}, locked for {locked.get(name, 'nothing')}"
            for name in sorted({*needed, *locked})
            if needed.get(name) != locked.get(name)
        ]
    if apart and lock.rewritten:
        raise NotRead(root / "package.json", lock.rewritten)
    return tuple(apart)


def members(root: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The manifests of the root and of each workspace folder, each with the folder's path."""
    first = read_json(root / "package.json")
    yield "", first
    for number, folder in enumerate(_folders(root, first)):
        if number >= _MOST_MEMBERS:
            raise NotRead(root / "package.json", f"a workspace of more than {_MOST_MEMBERS} folders")
        yield folder, read_json(root / folder / "package.json")


def _folders(root: Path, manifest: Mapping[str, Any]) -> list[str]:
    given = manifest.get("workspaces")
    patterns = given.get("packages") if isinstance(given, dict) else given
    pnpm = root / "pnpm-workspace.yaml"
    if locks_apart(root):
        return []
    if pnpm.is_file():
        patterns = [each for document in read_yaml(pnpm) for each in document.get("packages") or []]
    if patterns is None:
        return []
    if not isinstance(patterns, list) or not all(isinstance(each, str) for each in patterns):
        raise NotRead(root / "package.json", "workspaces that are no list")
    found: set[Path] = set()
    for pattern in (one for each in patterns for one in _expanded(each)):
        if re.search(r"[(){}|]", pattern):
            raise NotRead(root / "package.json", f'the workspace pattern "{pattern}"')
        plain = pattern.lstrip("!").removeprefix("./").rstrip("/")
        if plain in {"", "."} or plain.startswith(("/", "..")):
            continue
        folders = {
            path.parent for path in root.glob(f"{plain}/package.json") if "node_modules" not in path.parts
        }
        found = found - folders if pattern.startswith("!") else found | folders
    return sorted(folder.relative_to(root).as_posix() for folder in found)


def _expanded(pattern: str) -> list[str]:
    """The patterns that one with braces stands for: "{apps,packages}/*" for two."""
    found = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if found is None:
        return [pattern]
    ways = [pattern[: found.start()] + way + pattern[found.end() :] for way in found[1].split(",")]
    return [one for way in ways[:_MOST_MEMBERS] for one in _expanded(way)]


def registries_set(root: Path) -> tuple[str, ...]:
    """The registries in the checkout's own settings: .npmrc, .yarnrc, .yarnrc.yml, bunfig.toml."""
    found: list[str] = []
    for name in (".npmrc", ".yarnrc"):
        if (root / name).is_file():
            found += _from_lines(read_text(root / name))
    if (root / ".yarnrc.yml").is_file():
        for settings in read_yaml(root / ".yarnrc.yml"):
            scopes = table(root / ".yarnrc.yml", settings.get("npmScopes"), "npmScopes").values()
            found += [
                str(each["npmRegistryServer"]) for each in (settings, *scopes) if "npmRegistryServer" in each
            ]
    if (root / "bunfig.toml").is_file():
        found += _from_bunfig(root / "bunfig.toml")
    return tuple(dict.fromkeys(found))


def _from_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.lstrip().startswith(("#", ";")):
            continue
        name, _, value = line.strip().replace(" ", "=", 1).partition("=")
        key = name.strip().strip('"')
        if key == "registry" or key.endswith(":registry"):
            yield value.strip(" =\"'")


def _from_bunfig(path: Path) -> Iterator[str]:
    install = table(path, read_toml(path).get("install"), "install")
    scopes = table(path, install.get("scopes"), "install.scopes")
    for given in (install.get("registry"), *scopes.values()):
        address = given.get("url") if isinstance(given, dict) else given
        if isinstance(address, str):
            yield address
