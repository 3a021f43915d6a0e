"""Read npm's package-lock.json and npm-shrinkwrap.json, versions 1 to 3, and bun.lock.

Sources: docs.npmjs.com/cli/configuring-npm/package-lock-json; bun.com/docs/pm/lockfile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semantic_version import NpmSpec, Version

from kamiyo_verify.integrations.packages.files import (
    NotRead,
    addresses_of,
    json_object,
    read_json,
    read_text,
    table,
    text_of,
)
from kamiyo_verify.integrations.packages.node_lock import NodeLock, wanted
from kamiyo_verify.integrations.packages.node_settings import catalogs_in, flat

_JSONC = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])')


def npm_lock(path: Path) -> NodeLock:
    """Read package-lock.json or npm-shrinkwrap.json.

    Raises:
        NoAnswer: it cannot be read.
        WrongAnswer: it is not JSON.
        NotRead: its version or an entry is unsupported.
    """
    lock = read_json(path)
    version = lock.get("lockfileVersion")
    if version == 1 and not isinstance(version, bool):
        return _first(path, lock)
    if version not in {2, 3} or isinstance(version, bool):
        raise NotRead(path, f"lockfileVersion {version!r}, where 1, 2 and 3 are known")
    packages = table(path, lock.get("packages"), "packages")
    if "" not in packages:
        raise NotRead(path, 'it has no packages[""], which says what it was made for')

    def made_for(folder: str, requested: Mapping[str, str]) -> Mapping[str, str]:
        entry = table(path, packages.get(folder), f'packages["{folder}"]')
        locked = wanted(path, entry)
        optional = table(path, entry.get("optionalDependencies"), "optionalDependencies")
        return {
            name: given
            for name, given in locked.items()
            if name in optional or requested.get(name) != given or _placed(packages, folder, name)
        }

    return NodeLock(f"npm lockfileVersion {version}", addresses_of(path, _sources(path, packages)), made_for)


def _placed(packages: Mapping[str, Any], folder: str, name: str) -> bool:
    """The lock has the package at a path where the folder's require() finds it."""
    parts = folder.split("/") if folder else []
    above = ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]
    return any(f"{place}/node_modules/{name}".lstrip("/") in packages for place in above)


def _sources(path: Path, packages: Mapping[str, Any]) -> Iterator[str]:
    for place, value in packages.items():
        entry = table(path, value, place)
        resolved = entry.get("resolved")
        if resolved is None or resolved is False:
            continue
        yield text_of(path, resolved, f'resolved of "{place}"')


def _first(path: Path, lock: Mapping[str, Any]) -> NodeLock:
    """Read version 1, which does not hold its ranges: match its versions with the manifest's."""
    top = table(path, lock.get("dependencies"), "dependencies")

    def made_for(folder: str, requested: Mapping[str, str]) -> Mapping[str, str]:
        if folder:
            raise NotRead(path, "lockfileVersion 1 in a workspace, of which it knows nothing")
        found = {name: table(path, top[name], name).get("version") for name in requested if name in top}
        return {
            name: requested[name] if _satisfies(path, str(version), requested[name]) else str(version)
            for name, version in found.items()
        }

    sources = [*_sources_of_first(path, top)]
    return NodeLock("npm lockfileVersion 1", addresses_of(path, iter(sources)), made_for)


def _sources_of_first(path: Path, packages: Mapping[str, Any]) -> Iterator[str]:
    for name, value in packages.items():
        entry = table(path, value, name)
        for key in ("resolved", "version"):
            source = entry.get(key)
            # A version is a source too, if a package comes from git or from an address.
            if isinstance(source, str) and (key == "resolved" or ":" in source):
                yield "" if source.startswith("npm:") else source
        yield from _sources_of_first(path, table(path, entry.get("dependencies"), name))


def _satisfies(path: Path, version: str, given: str) -> bool:
    if version == given or ":" in given or "/" in given:
        # An address or a tag is not a range; the lock repeats the address, or names the commit of the tag.
        return version == given or ":" in version or given.startswith("npm:")
    try:
        return bool(NpmSpec(given or "*").match(Version(version)))
    except ValueError:
        raise NotRead(path, f'the range "{given}", against which lockfileVersion 1 has to be held') from None


def bun_lock(path: Path) -> NodeLock:
    """Read bun.lock; raises like `npm_lock`."""
    lock = json_object(path, _without_comments(read_text(path)))
    version = lock.get("lockfileVersion")
    if version not in {0, 1, 2, 3} or isinstance(version, bool):
        raise NotRead(path, f"lockfileVersion {version!r}, where 0 to 3 are known")
    folders = table(path, lock.get("workspaces"), "workspaces")
    packages = table(path, lock.get("packages"), "packages")
    if "" not in folders:
        raise NotRead(path, 'it has no workspaces[""], which says what it was made for')

    def made_for(folder: str, requested: Mapping[str, str]) -> Mapping[str, str]:
        entry = table(path, folders.get(folder), f'workspaces["{folder}"]')
        locked = wanted(path, entry)
        optional = table(path, entry.get("optionalDependencies"), "optionalDependencies")
        owner = str(entry.get("name", ""))
        return {
            name: given
            for name, given in locked.items()
            if name in optional
            or requested.get(name) != given
            or name in packages
            or f"{owner}/{name}" in packages
        }

    return NodeLock(
        f"bun lockfileVersion {version}",
        addresses_of(path, _sources_of_bun(path, packages, folders)),
        made_for,
        catalogs=catalogs_in(path, lock),
        settings=lambda root: _bun_overrides(path, root, lock),
    )


def _bun_overrides(path: Path, root: Path, lock: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the overrides of the workspace are not those of the lock; bun reads `resolutions` without any."""
    manifest = read_json(root / "package.json")
    own = wanted(root / "package.json", manifest)
    declared = table(root / "package.json", manifest.get("overrides"), "overrides")
    declared = declared or table(root / "package.json", manifest.get("resolutions"), "resolutions")
    asked, locked = flat(declared, own), flat(table(path, lock.get("overrides"), "overrides"), own)
    return tuple(
        f"the override of {key}: wanted {asked.get(key, 'no more')}, locked for {locked.get(key, 'nothing')}"
        for key in sorted({*asked, *locked})
        if asked.get(key) != locked.get(key)
    )


def _sources_of_bun(path: Path, packages: Mapping[str, Any], folders: Mapping[str, Any]) -> Iterator[str]:
    for key, entry in packages.items():
        if not isinstance(entry, list) or not entry or not isinstance(entry[0], str):
            raise NotRead(path, f'the entry of "{key}"')
        name, at, reference = entry[0][1:].partition("@")
        if not at or not name:
            raise NotRead(path, f'the entry of "{key}"')
        if reference.startswith(("workspace:", "root:")):
            continue
        if re.match(r"\d", reference):
            # The second element is the registry, if it is not the default one.
            registry = entry[1] if len(entry) > 1 else ""
            yield text_of(path, registry, f'the registry of "{key}"')
        elif reference.startswith("."):
            # An archive's path is that of the member which asks for it, and of no other form.
            yield from _from_members(path, reference, folders)
        else:
            yield reference


def _from_members(path: Path, reference: str, folders: Mapping[str, Any]) -> list[str]:
    asking = [
        folder
        for folder, entry in folders.items()
        if reference
        in {given.removeprefix("file:") for given in wanted(path, table(path, entry, folder)).values()}
    ]
    return [f"file:{folder or '.'}/{reference}" for folder in asking or [""]]


def _without_comments(text: str) -> str:
    plain = _JSONC.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)
    return _TRAILING.sub(lambda found: found[0] if found[0].startswith('"') else "", plain)
