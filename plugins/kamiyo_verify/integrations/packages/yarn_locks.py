"""Read yarn.lock, of yarn 1 and of yarn 2 and later ("berry").

Sources: classic.yarnpkg.com/lang/en/docs/yarn-lock; yarnpkg.com/protocols.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from kamiyo_verify.integrations.packages.files import (
    NotRead,
    addresses_of,
    read_json,
    read_text,
    read_yaml,
    table,
    text_of,
)
from kamiyo_verify.integrations.packages.local_paths import is_local
from kamiyo_verify.integrations.packages.node_lock import PRODUCTION_FIRST, NodeLock, members
from kamiyo_verify.integrations.packages.node_settings import catalogs_declared, from_catalog

_KNOWN = range(4, 11)
_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",\s:][^",]*?)(?=\s*(?:,|:\s*$))')
_FIELD = re.compile(r'  ([A-Za-z]+) (?:"((?:[^"\\]|\\.)*)"|(\S+))\s*$')
_IDENT = re.compile(r"(@[^/@]+/[^@]+|[^@]+)@(.*)", re.DOTALL)


def yarn_lock(path: Path) -> NodeLock:
    """Read yarn.lock.

    Raises:
        NoAnswer: it cannot be read.
        WrongAnswer: it is not YAML, in a version where it should be.
        NotRead: its version or an entry is unsupported.
    """
    text = read_text(path)
    if re.search(r"^(?:<{7}|>{7}) ", text, re.MULTILINE):
        raise NotRead(path, "it holds the marks of a merge conflict")
    if re.search(r"^__metadata:", text, re.MULTILINE):
        return _berry(path)
    if text.strip() and "# yarn lockfile v1" not in text:
        raise NotRead(path, "neither of yarn 1 nor of a later one")
    return _classic(path, text)


def _classic(path: Path, text: str) -> NodeLock:
    entries = [*_entries(path, text)]
    keys = {key for names, _ in entries for key in names}
    own = {str(manifest.get("name")) for folder, manifest in members(path.parent) if folder}

    def made_for(folder: str, requested: Mapping[str, str]) -> Mapping[str, str]:
        # The lock contains neither links nor the workspace's own packages.
        return {
            name: given
            for name, given in requested.items()
            if not keys.isdisjoint(
                {f"{name}@{given}", f"{name}@npm:{given}", f"{name}@{_from_root(folder, given)}"}
            )
            or given.startswith("link:")
            or name in own
        }

    sources = (
        source
        for names, fields in entries
        for source in ([fields["resolved"]] if "resolved" in fields else _paths(path, names))
    )
    return NodeLock("yarn 1", addresses_of(path, sources), made_for, groups=PRODUCTION_FIRST)


def _from_root(folder: str, given: str) -> str:
    """A path of a workspace folder as yarn 1 writes it, from the root; anything else as it is."""
    if not given.startswith("file:"):
        return given
    return "file:" + os.path.normpath(f"{folder or '.'}/{given.removeprefix('file:')}")


def _paths(path: Path, names: list[str]) -> list[str]:
    """The paths that an entry without an address was requested by."""
    return [wanted for name in names if is_local(wanted := _parts(path, name)[1])]


def _entries(path: Path, text: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """For each entry its keys and its own fields."""
    names: list[str] = []
    fields: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] not in " \t":
            if names:
                yield names, fields
            names = [quoted or plain for quoted, plain in _KEY.findall(line)]
            fields = {}
            if not names or not line.rstrip().endswith(":"):
                raise NotRead(path, f"line {number}")
        elif not line.startswith("   ") and not line.rstrip().endswith(":"):
            found = _FIELD.match(line)
            if found is None:
                raise NotRead(path, f"line {number}")
            fields[found[1]] = found[2] or found[3] or ""
    if names:
        yield names, fields


def _berry(path: Path) -> NodeLock:
    entries = {key: value for document in read_yaml(path) for key, value in document.items()}
    version = table(path, entries.pop("__metadata"), "__metadata").get("version")
    number = int(str(version)) if str(version).isdigit() else None
    if number not in _KNOWN:
        raise NotRead(path, f"version {version!r}, where {_KNOWN[0]} to {_KNOWN[-1]} are known")
    packages = {key: table(path, value, key) for key, value in entries.items()}
    keys = {re.sub(r"(?<=@npm:)\s+", "", key).strip() for names in packages for key in names.split(", ")}
    folders: dict[str, Mapping[str, Any]] = {}
    for key, entry in packages.items():
        reference = _parts(path, text_of(path, entry.get("resolution"), f'resolution of "{key}"'))[1]
        if reference.startswith("workspace:"):
            folders[reference.removeprefix("workspace:").removeprefix(".")] = entry
    fixed = any("resolutions" in manifest for _, manifest in members(path.parent))
    catalogs = catalogs_declared(path.parent)

    def made_for(folder: str, requested: Mapping[str, str]) -> Mapping[str, str]:
        locked = table(path, folders.get(folder, {}).get("dependencies"), "dependencies")
        same = {
            name: requested[name]
            if name in requested and _plain(requested[name]) == _plain(str(given))
            else str(given)
            for name, given in locked.items()
        }
        return {
            name: given
            for name, given in same.items()
            if fixed
            or requested.get(name) != given
            or _has(keys, name, _plain(from_catalog(catalogs, name, given)))
        }

    sources = (each for entry in packages.values() for each in _sources(path, str(entry["resolution"])))
    return NodeLock(
        f"yarn, version {number} of its lock",
        addresses_of(path, sources),
        made_for,
        settings=lambda root: _resolutions(root, keys),
    )


def _resolutions(root: Path, keys: set[str]) -> tuple[str, ...]:
    """Resolutions of whole packages that the lock was not made with: it has them by other ranges alone.

    One of a parent's package, of a single range or by another protocol is not compared.
    """
    manifest = root / "package.json"
    declared = table(manifest, read_json(manifest).get("resolutions"), "resolutions")
    asked = {key.removeprefix("**/"): str(given) for key, given in declared.items()}
    return tuple(
        f"the resolution of {name}: wanted {given}, locked for another"
        for name, given in sorted(asked.items())
        if re.fullmatch(r"@[^/@]+/[^/@]+|[^/@]+", name)
        and ":" not in _plain(given)
        and any(key.startswith(f"{name}@") for key in keys)
        and not _has(keys, name, _plain(given))
    )


def _plain(given: str) -> str:
    """A range without the protocol that later versions write in front of it."""
    return given.strip().removeprefix("npm:").strip()


def _has(keys: set[str], name: str, given: str) -> bool:
    starts = (f"{name}@{given}", f"{name}@npm:{given}")
    return not keys.isdisjoint(starts) or any(
        key.startswith(tuple(f"{each}::" for each in starts)) for key in keys
    )


def _parts(path: Path, resolution: str) -> tuple[str, str]:
    found = _IDENT.fullmatch(resolution)
    if found is None:
        raise NotRead(path, f'the resolution "{resolution}"')
    return found[1], found[2]


def _sources(path: Path, resolution: str, depth: int = 0) -> Iterator[str]:
    """The source of a resolution, by its protocol; a patch has the source of the patched package."""
    reference, _, parameters = _parts(path, resolution)[1].partition("::")
    archives = parse_qs(parameters).get("__archiveUrl", [])
    yield from archives
    if reference.startswith("virtual:"):
        reference = reference.partition("#")[2]
    if reference.startswith("patch:"):
        if depth > 8:
            raise NotRead(path, "patches of patches")
        yield from _sources(path, unquote(reference.removeprefix("patch:").partition("#")[0]), depth + 1)
    elif reference.startswith("npm:"):
        # An alias names another package after its protocol; both come from the configured registry.
        return
    elif not reference.startswith("workspace:"):
        yield f"{reference}::{parameters}" if is_local(reference) else reference
