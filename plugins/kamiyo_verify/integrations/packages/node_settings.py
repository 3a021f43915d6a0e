"""What a workspace sets for all its members, and a lock file repeats: catalogs, overrides, pnpm's settings.

Sources: pnpm.io/catalogs, pnpm.io/settings; bun.com/docs/pm/catalogs; yarnpkg.com/features/catalogs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kamiyo_verify.integrations.packages.files import read_json, read_text, read_yaml, table

Catalogs = Mapping[str, Mapping[str, str]]
"""Name of a catalog ("default" for the one without a name) → package → its range."""

_PROTOCOL = "catalog:"
# "parent>name@range": the mark between them does not follow a range's own "@", " " or "|".
_PARTS = re.compile(r"@[^/>]+/[^/>]+|[^/>]+")
_TARGET = re.compile(r"(?:.*[^ |@]>)?(@?[^@]+)(?:@.*)?", re.DOTALL)


def catalogs_in(path: Path, settings: Mapping[str, Any]) -> Catalogs:
    """The catalogs of a mapping with `catalog` and `catalogs`: of a workspace, or of its lock file.

    Raises:
        NotRead: they are no tables.
    """
    given = {**table(path, settings.get("catalogs"), "catalogs")}
    if "catalog" in settings:
        given["default"] = {
            **table(path, given.get("default"), "catalogs.default"),
            **table(path, settings["catalog"], "catalog"),
        }
    return {
        name: {
            package: str(entry.get("specifier") if isinstance(entry, dict) else entry)
            for package, entry in table(path, packages, f"the catalog {name}").items()
        }
        for name, packages in given.items()
    }


def catalogs_declared(root: Path) -> Catalogs:
    """The catalogs that the files of a workspace's root declare; raises like `catalogs_in`."""
    found: dict[str, Mapping[str, str]] = {}
    for path, settings in _declaring(root):
        for name, packages in catalogs_in(path, settings).items():
            found[name] = {**found.get(name, {}), **packages}
    return found


def from_catalog(catalogs: Catalogs, name: str, given: str) -> str:
    """The range of a package, where "catalog:" or "catalog:NAME" stands for one; else what was given."""
    if not given.startswith(_PROTOCOL):
        return given
    catalog = given.removeprefix(_PROTOCOL).strip() or "default"
    return catalogs.get(catalog, {}).get(name, given)


def overridden(overrides: Mapping[str, Any], name: str) -> list[str]:
    """What overrides put in the place of a package's range, whatever its range and parent; "-" removes it."""
    found = ((_TARGET.fullmatch(key), value) for key, value in overrides.items())
    return [str(value) for match, value in found if match and match[1] == name]


def flat(overrides: Mapping[str, Any], own: Mapping[str, str], above: str = "") -> dict[str, str]:
    """Overrides in one form: "parent > name" → range, for "**/name", "parent/name", "parent>name" and tables.

    Args:
        overrides: as npm, yarn and bun write them; "." of a table is the package itself.
        own: the root's own ranges, to which "$name" refers.
        above: the parent of them all.
    """
    found: dict[str, str] = {}
    for key, value in overrides.items():
        parts = _PARTS.findall(key.replace("**/", "")) if key != "." else []
        name = " > ".join(filter(None, [above, *parts]))
        if isinstance(value, dict):
            found |= flat(value, own, name)
        elif value:
            found[name] = _referred(str(value), own)
    return found


def overrides_declared(root: Path, *, resolutions_beside: bool) -> list[dict[str, str]]:
    """What the overrides of a pnpm workspace may be: which file comes first depends on the version.

    Args:
        root: the folder of the workspace.
        resolutions_beside: `resolutions` count beside `pnpm.overrides`; before pnpm 8 only without them.
    """
    manifest = root / "package.json"
    content = read_json(manifest)
    pnpm = table(manifest, content.get("pnpm"), "pnpm")
    first = {**table(manifest, pnpm.get("overrides"), "pnpm.overrides")}
    if resolutions_beside or not first:
        first = {**table(manifest, content.get("resolutions"), "resolutions"), **first}
    second: dict[str, Any] = {}
    for path, settings in _workspace(root):
        second |= table(path, settings.get("overrides"), "overrides")
    own = {
        name: str(given)
        for group in ("devDependencies", "dependencies", "optionalDependencies")
        for name, given in table(manifest, content.get(group), group).items()
    }
    ways = ({**first, **second}, {**second, **first}, first, second)
    return [{key: _referred(str(value), own) for key, value in way.items()} for way in ways]


def extensions_declared(root: Path) -> set[str]:
    """The names of the packages whose manifests a pnpm workspace extends, whatever their versions."""
    manifest = root / "package.json"
    places = [(manifest, table(manifest, read_json(manifest).get("pnpm"), "pnpm")), *_workspace(root)]
    return {
        key[0] + key[1:].partition("@")[0]
        for path, settings in places
        for key in table(path, settings.get("packageExtensions"), "packageExtensions")
        if key
    }


def locks_apart(root: Path) -> bool:
    """Pnpm writes a lock file into the folder of each member, and none for them all."""
    settings = [settings.get("sharedWorkspaceLockfile") for _, settings in _workspace(root)]
    if any(value is not None for value in settings):
        return False in settings
    path = root / ".npmrc"
    lines = read_text(path).splitlines() if path.is_file() else []
    return any(re.fullmatch(r"\s*shared-workspace-lockfile\s*=\s*\"?false\"?\s*", line) for line in lines)


def _referred(value: str, own: Mapping[str, str]) -> str:
    """A value, where "$name" stands for the root's own range of that package."""
    return own.get(value[1:], value) if value.startswith("$") else value


def _workspace(root: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    path = root / "pnpm-workspace.yaml"
    yield from ((path, each) for each in (read_yaml(path) if path.is_file() else ()))


def _declaring(root: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each place that may declare catalogs: pnpm's, yarn's, and bun's two."""
    yield from _workspace(root)
    yarn = root / ".yarnrc.yml"
    yield from ((yarn, each) for each in (read_yaml(yarn) if yarn.is_file() else ()))
    manifest = root / "package.json"
    content = read_json(manifest)
    yield manifest, content
    if isinstance(content.get("workspaces"), dict):
        yield manifest, content["workspaces"]
