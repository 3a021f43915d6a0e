"""Read manifests of Python projects: pyproject.toml (also with Poetry's tables) and Pipfile.

Sources: packaging.python.org/specifications/pyproject-toml; python-poetry.org/docs/dependency-specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from kamiyo_verify.integrations.packages.files import (
    NotRead,
    addresses_of,
    read_toml,
    rows,
    table,
    text_of,
)
from kamiyo_verify.integrations.packages.pip_files import Requirements, manifest_of


def python_manifest(path: Path) -> Requirements:
    """Read pyproject.toml or a Pipfile: required packages, in ranges from which a lock pins one version.

    Raises:
        NoAnswer: it does not exist or cannot be read.
        WrongAnswer: it does not match its name.
        NotRead: a range in it has an unsupported format.
    """
    content = read_toml(path)
    if path.name == "Pipfile":
        groups = [table(path, content.get(group), group) for group in ("packages", "dev-packages")]
        listed = rows(path, content.get("source"), "source")
        ranges = {name: allowed for group in groups for name, allowed in _poetry_ranges(path, group)}
    else:
        ranges, listed = _pyproject(path, content)
    sources = [str(source["url"]) for source in listed if "url" in source]
    return Requirements({}, (), addresses_of(path, iter(sources)), ranges)


def _pyproject(path: Path, content: Mapping[str, Any]) -> tuple[dict[str, str], list[Mapping[str, Any]]]:
    tool = table(path, content.get("tool"), "tool")
    project = table(path, content.get("project"), "project")
    poetry = table(path, tool.get("poetry"), "tool.poetry")
    lines = project.get("dependencies") or []
    if not isinstance(lines, list):
        raise NotRead(path, "project.dependencies is no list")
    ranges = manifest_of(path, [text_of(path, line, "a dependency") for line in lines])
    for name, allowed in _poetry_ranges(
        path, table(path, poetry.get("dependencies"), "tool.poetry.dependencies")
    ):
        ranges.setdefault(name, allowed)
    listed = rows(path, poetry.get("source"), "tool.poetry.source")
    pdm = table(path, tool.get("pdm"), "tool.pdm")
    uv = table(path, tool.get("uv"), "tool.uv")
    return ranges, [
        *listed,
        *rows(path, pdm.get("source"), "tool.pdm.source"),
        *rows(path, uv.get("index"), "index"),
    ]


def _poetry_ranges(path: Path, group: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in group.items():
        if name.lower() == "python":
            continue
        given = value.get("version", "") if isinstance(value, dict) else value
        if isinstance(value, list) or (isinstance(value, dict) and value.get("optional")):
            continue  # for several platforms, or required only by an extra
        yield canonicalize_name(name), _as_specifier(path, name, text_of(path, given, name))


def _as_specifier(path: Path, name: str, given: str) -> str:
    """Convert Poetry's ^1.2, ~1.2, 1.* and alternatives to packaging's format; "*" is any version."""
    if "|" in given:
        return "||".join(_as_specifier(path, name, one) for one in re.split(r"\|\|?", given))
    parts = []
    for part in filter(None, (each.strip() for each in given.split(","))):
        found = re.fullmatch(r"([\^~]?)\s*(\d+(?:\.\d+)*(?:\.\*)?)", part)
        if part == "*":
            continue
        if found is None:
            parts.append(part)
        elif not found[1] or "*" in part:
            parts.append(f"=={found[2]}")
        else:
            parts.append(f">={found[2]},<{_next(found[1], found[2])}")
    specifier = ",".join(parts)
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        raise NotRead(path, f'the versions "{given}" of {name}') from None
    return specifier


def _next(mark: str, version: str) -> str:
    """The first version beyond ^version or ~version."""
    numbers = [int(number) for number in version.split(".")]
    if mark == "~":
        place = min(1, len(numbers) - 1)
    else:
        place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    return ".".join(map(str, [*numbers[:place], numbers[place] + 1]))
