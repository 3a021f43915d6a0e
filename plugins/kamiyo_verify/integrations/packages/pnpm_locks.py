"""Read pnpm-lock.yaml of versions 5, 6 and 9.

Source: github.com/pnpm/spec, the lock file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kamiyo_verify.integrations.packages.files import NotRead, addresses_of, read_yaml, table, text_of
from kamiyo_verify.integrations.packages.node_lock import PRODUCTION_FIRST, NodeLock, members, wanted
from kamiyo_verify.integrations.packages.node_settings import (
    catalogs_in,
    extensions_declared,
    overridden,
    overrides_declared,
)

_GROUPS = ("dependencies", "devDependencies", "optionalDependencies")


def pnpm_lock(path: Path) -> NodeLock:
    """Read pnpm-lock.yaml.

    Raises:
        NoAnswer: it cannot be read.
        WrongAnswer: it is not YAML.
        NotRead: its version or an entry is unsupported.
    """
    documents = read_yaml(path)
    # Since version 11 a first document may hold the package manager's own packages.
    lock = next((each for each in reversed(documents) if "importers" in each or "specifiers" in each), None)
    lock = lock or (documents[-1] if documents else {})
    version = str(lock.get("lockfileVersion"))
    major = version.partition(".")[0]
    if major not in {"5", "6", "9"}:
        raise NotRead(path, f"lockfileVersion {version}, where 5, 6 and 9 are known")
    importers = table(path, lock.get("importers", {".": lock}), "importers")
    overrides = table(path, lock.get("overrides"), "overrides")
    ignored = [str(one) for one in lock.get("ignoredOptionalDependencies") or []]

    def made_for(folder: str, requested: Mapping[str, str]) -> Mapping[str, str]:
        importer = table(path, importers.get(folder or "."), f'importers["{folder or "."}"]')
        locked = _fifth(path, importer) if major == "5" else _later(path, importer)
        removed = [
            name
            for name in {*requested} - {*locked}
            if "-" in overridden(overrides, name) or any(fnmatchcase(name, one) for one in ignored)
        ]
        return {name: requested[name] for name in removed} | {
            name: requested[name] if name in requested and replaced(folder, name, given) else given
            for name, given in locked.items()
        }

    def replaced(folder: str, name: str, given: str) -> bool:
        return any(
            given == value or _same_path(folder, given, value) for value in overridden(overrides, name)
        )

    def settings(root: Path) -> tuple[str, ...]:
        ways = overrides_declared(root, resolutions_beside=major != "5")
        locked = {key: str(value) for key, value in overrides.items()}
        # Before version 5.4 a lock does not have them.
        if (major == "5" and "overrides" not in lock) or any(_same(way, locked) for way in ways):
            return ()
        return tuple(
            f"the override of {key}: wanted {ways[0].get(key, 'no more')}, "
            f"locked for {locked.get(key, 'nothing')}"
            for key in sorted({*ways[0], *locked})
            if ways[0].get(key) != locked.get(key)
        )

    every = [each for document in documents for each in _sources(path, document)]
    every += [
        each for folder, one in importers.items() for each in _links(path, folder, table(path, one, folder))
    ]
    return NodeLock(
        f"pnpm lockfileVersion {version}",
        addresses_of(path, iter(every)),
        made_for,
        groups=PRODUCTION_FIRST,
        catalogs=catalogs_in(path, lock),
        settings=settings,
        rewritten=_rewritten(path, lock),
    )


def _rewritten(path: Path, lock: Mapping[str, Any]) -> str:
    """Why pnpm may read other manifests than those that lie there; "" if it does not."""
    if "pnpmfileChecksum" in lock:
        return "a .pnpmfile.cjs may rewrite it"
    if "packageExtensionsChecksum" not in lock:
        return ""
    extended = extensions_declared(path.parent)
    own = {str(manifest.get("name")) for _, manifest in members(path.parent)}
    return "packageExtensions rewrite a member of the workspace" if own & extended else ""


def _same_path(folder: str, given: str, override: str) -> bool:
    """Whether a member's path is that of an override, from the root; before pnpm 9 it is absolute."""
    protocol, _, target = override.partition(":")
    wanted_path = os.path.normpath(target)
    if protocol not in {"link", "file"} or not given.startswith(f"{protocol}:"):
        return False
    path = given.removeprefix(f"{protocol}:")
    found = os.path.normpath(f"{folder or '.'}/{path}")
    return found == wanted_path or (path.startswith("/") and path.endswith(f"/{wanted_path}"))


def _same(declared: Mapping[str, str], locked: Mapping[str, str]) -> bool:
    """Whether the lock has these overrides; it may have the range that a catalog stands for."""
    return {*declared} == {*locked} and all(
        value == locked[key] or value.startswith("catalog:") for key, value in declared.items()
    )


def _fifth(path: Path, importer: Mapping[str, Any]) -> dict[str, str]:
    locked = wanted(path, importer)
    specifiers = table(path, importer.get("specifiers"), "specifiers")
    return {name: str(given) for name, given in specifiers.items() if name in locked}


def _later(path: Path, importer: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(table(path, entry, name).get("specifier"))
        for group in _GROUPS
        for name, entry in table(path, importer.get(group), group).items()
    }


def _links(path: Path, folder: str, importer: Mapping[str, Any]) -> Iterator[str]:
    """The linked folders of a member, from the folder of the lock file."""
    for group in _GROUPS:
        for entry in table(path, importer.get(group), group).values():
            version = str(entry.get("version") if isinstance(entry, dict) else entry)
            if version.startswith("link:"):
                target = version.removeprefix("link:")
                yield f"link:{target if target.startswith('/') else f'{folder}/{target}'}"


def _sources(path: Path, lock: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table(path, lock.get("packages"), "packages").items():
        entry = table(path, value, key)
        resolution = table(path, entry.get("resolution"), f"the resolution of {key}")
        if "tarball" in resolution:
            tarball = text_of(path, resolution["tarball"], f"the tarball of {key}")
            yield tarball
        elif resolution.get("type") == "git" or "repo" in resolution:
            yield text_of(path, resolution.get("repo"), f"the repository of {key}")
        elif resolution.get("type") == "directory" or "directory" in resolution:
            yield f"file:{text_of(path, resolution.get('directory'), f'the directory of {key}')}"
        elif "integrity" not in resolution:
            raise NotRead(path, f"the resolution of {key}")
        if "registry" in resolution:
            yield text_of(path, resolution["registry"], f"the registry of {key}")
        # Before version 9 a package of another registry begins with its host.
        host = key.partition("/")[0]
        if "." in host and not key.startswith(("/", "@", "file:")) and "@" not in host:
            yield f"https://{host}"
