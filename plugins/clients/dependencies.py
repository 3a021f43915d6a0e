"""Whether a project's dependencies are pinned, and its lock files in step with its manifests."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from plugins.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Requirements:
    """A requirements file.

    Attributes:
        pinned: canonical name → the one version it is pinned to (`==`).
        loose: lines that name no one version.
        addresses: every address that it takes packages from.
    """

    pinned: Mapping[str, str]
    loose: tuple[str, ...]
    addresses: tuple[str, ...]

    def out_of_step(self, lock: Requirements) -> tuple[str, ...]:
        """What the lock has not, or has at another version, as "name 1.2 (locked: 1.3)"."""
        return tuple(
            f"{name} {version} (locked: {lock.pinned.get(name, 'not at all')})"
            for name, version in sorted(self.pinned.items())
            if lock.pinned.get(name) != version
        )


def requirements_in(path: Path) -> Requirements:
    """Read a requirements file, and those that it includes by -r or -c.

    Raises:
        NoAnswer: it is not there or cannot be read.
        WrongAnswer: a line is no requirement.
    """
    pinned: dict[str, str] = {}
    loose: list[str] = []
    addresses: list[str] = []
    for line in _lines(path, frozenset()):
        if line.startswith("-"):
            addresses += [word for word in line.replace("=", " ").split() if "://" in word]
            continue
        text = line.partition(" --hash")[0].strip()
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise WrongAnswer(f'{path.name}: "{text[:100]}" is no requirement') from error
        exact = [
            spec.version
            for spec in requirement.specifier
            if spec.operator in {"==", "==="} and "*" not in spec.version
        ]
        if requirement.url:
            addresses.append(requirement.url)
        if exact:
            pinned[canonicalize_name(requirement.name)] = exact[0]
        else:
            loose.append(text[:100])
    return Requirements(pinned, tuple(loose), tuple(addresses))


def _lines(path: Path, seen: frozenset[Path]) -> Iterator[str]:
    if path in seen:
        return
    for line in _read(path).replace("\\\n", " ").splitlines():
        line = line.partition(" #")[0].strip()  # noqa: PLW2901 - the line without its comment is the line
        if not line or line.startswith("#"):
            continue
        option, _, target = line.partition(" ")
        if option in {"-r", "--requirement", "-c", "--constraint"}:
            yield from _lines(path.parent / target.strip(), seen | {path})
        else:
            yield line


def node_lock(folder: Path) -> Path:
    """The lock file of a Node project.

    Raises:
        WrongAnswer: there is none, or two that may contradict each other.
    """
    found = [
        folder / name
        for name in ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock")
        if (folder / name).is_file()
    ]
    if len(found) != 1:
        names = " and ".join(path.name for path in found) or "no package-lock.json or yarn.lock"
        raise WrongAnswer(f"{folder.name} has {names}; exactly one lock file was expected")
    return found[0]


def node_drift(folder: Path) -> tuple[str, ...]:
    """Where package.json and its lock file disagree, as "name: wanted ^1.2, locked for ^1.1".

    Raises:
        NoAnswer: a file cannot be read.
        WrongAnswer: a file is not what its name says.
    """
    wanted = _wanted(_json(folder / "package.json"))
    lock = node_lock(folder)
    locked = _locked_by_yarn(lock, wanted) if lock.name == "yarn.lock" else _locked_by_npm(lock)
    return tuple(
        f"{name}: wanted {wanted.get(name, 'no more')}, locked for {locked.get(name, 'nothing')}"
        for name in sorted({*wanted, *locked})
        if wanted.get(name) != locked.get(name)
    )


def strange_addresses(addresses: Collection[str], registries: Collection[str]) -> tuple[str, ...]:
    """The addresses that lie outside the registries, each with its host alone: a URL may carry a token."""
    known = {urlsplit(registry).hostname for registry in registries}
    strange = {
        f"{urlsplit(address).scheme}://{urlsplit(address).hostname or ''}"
        for address in addresses
        if urlsplit(address).hostname not in known or urlsplit(address).scheme != "https"
    }
    return tuple(sorted(strange))


def node_addresses(folder: Path) -> tuple[str, ...]:
    """Every address that the lock file of a Node project takes a package from."""
    lock = node_lock(folder)
    if lock.name == "yarn.lock":
        marked = [line.strip().partition(" ") for line in _read(lock).splitlines()]
        return tuple(rest.strip('" ') for word, _, rest in marked if word == "resolved")
    packages = _json(lock).get("packages") or {}
    found = (entry.get("resolved") for entry in packages.values() if isinstance(entry, dict))
    return tuple(address for address in found if isinstance(address, str) and "://" in address)


_GROUPS = ("dependencies", "devDependencies", "optionalDependencies")


def _wanted(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(wanted) for group in _GROUPS for name, wanted in (manifest.get(group) or {}).items()}


def _locked_by_npm(lock: Path) -> dict[str, str]:
    packages = _json(lock).get("packages")
    if not isinstance(packages, dict) or not isinstance(packages.get(""), dict):
        raise WrongAnswer(f"{lock.name} is of a form before npm 7: it does not say what it was made for")
    return _wanted(packages[""])


def _locked_by_yarn(lock: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    keys = {
        key.strip().strip('"')
        for line in _read(lock).splitlines()
        if line.endswith(":") and not line.startswith((" ", "#"))
        for key in line[:-1].split(",")
    }
    # Since yarn 2 a key names its protocol: "left-pad@npm:^1.3.0".
    return {
        name: version
        for name, version in wanted.items()
        if not keys.isdisjoint({f"{name}@{version}", f"{name}@npm:{version}"})
    }


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise WrongAnswer(f"{path.name} is not JSON") from error
    if not isinstance(content, dict):
        raise WrongAnswer(f"{path.name} is not a JSON object")
    return content


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{path.name} cannot be read: {error}") from error
