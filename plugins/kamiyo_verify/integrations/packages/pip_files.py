"""Read pip's requirements files with pip's own parser: options, includes, constraints, hashes, markers.

Source: pip.pypa.io/en/stable/reference/requirements-file-format; the parser is pip's, as the package
pip-requirements-parser has it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pip_requirements_parser import InstallRequirement, RequirementsFile

from kamiyo_verify.integrations.packages.files import NotRead, addresses_of, read_text
from kamiyo_verify.integrations.packages.local_paths import OUTSIDE, within_checkout
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from kamiyo_verify.model.writing.text import cut

_MOST_FILES = 200
_COMMIT = re.compile(r"@[0-9a-f]{40}(?:[#?]|\Z)")
# Options that are newer than this version of pip's parser, and not about package sources.
_YOUNGER = re.compile(
    r"(?m)(?:^|(?<=\s))--(?:config-settings?|use-feature|no-proxy-env|uploaded-prior-to|all-releases"
    r"|only-final)(?:=|[ \t]+)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\\]+)"
)
_ADDRESS_OPTIONS = ("index_url", "extra_index_urls", "find_links")


@dataclass(frozen=True, slots=True)
class Requirements:
    """The packages of a requirements file, a manifest or a lock.

    Attributes:
        versions: canonical name → the versions it is pinned to (`==`); several if markers distinguish them.
        loose: lines that do not pin one version, where each should.
        addresses: every address of a package source.
        ranges: canonical name → the versions that a manifest allows, of which the lock pins one.
        own: canonical names that a lock takes from a folder of the checkout, which need no version.
    """

    versions: Mapping[str, tuple[str, ...]]
    loose: tuple[str, ...]
    addresses: tuple[str, ...]
    ranges: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    @property
    def pinned(self) -> dict[str, str]:
        """Canonical name → its version, or its versions with "or" between."""
        return {name: " or ".join(versions) for name, versions in self.versions.items()}

    @property
    def found(self) -> bool:
        """The file requires at least one package."""
        return bool(self.versions or self.loose or self.ranges)

    def out_of_step(self, lock: Requirements) -> tuple[str, ...]:
        """Packages missing from the lock, or locked at another version, as "name 1.2 (locked: 1.3)"."""
        wanted = {name: ", ".join(versions) for name, versions in self.versions.items()}
        wanted |= self.ranges
        apart = [
            name
            for name, versions in self.versions.items()
            if not {_canonical(version) for version in versions}
            <= {_canonical(v) for v in lock.versions.get(name, ())}
        ]
        apart += [
            name
            for name, allowed in self.ranges.items()
            if name not in lock.own
            and not any(_allows(allowed, version) for version in lock.versions.get(name, ()))
        ]
        return tuple(
            f"{name} {wanted[name] or 'any version'} (locked: {lock.pinned.get(name, 'not at all')})"
            for name in sorted(apart)
        )


def requirements_in(path: Path, *, manifest: bool = False) -> Requirements:
    """Read a requirements file, with those that it includes by -r and -c.

    Args:
        path: of the file.
        manifest: it is the source of a lock, so that it may contain ranges.

    Raises:
        NoAnswer: a file does not exist or cannot be read.
        WrongAnswer: a line is not a requirement.
        NotRead: a line has an unsupported option.
    """
    found = _Found()
    _collect(path, found, frozenset(), constraint=False)
    versions: dict[str, tuple[str, ...]] = {}
    loose: list[str] = []
    ranges: dict[str, str] = {}
    for name, exact, text, allowed in found.wanted:
        pins = exact or found.constraints.get(name, ())
        if pins:
            versions[name] = tuple(dict.fromkeys((*versions.get(name, ()), *pins)))
        elif manifest and name:
            ranges[name] = ",".join(filter(None, (ranges.get(name, ""), allowed)))
        else:
            loose.append(text)
    return Requirements(versions, tuple(loose), addresses_of(path, iter(found.sources)), ranges)


@dataclass(slots=True)
class _Found:
    """For each requirement its name, exact versions, line and specifiers; constraints; sources; files."""

    wanted: list[tuple[str, tuple[str, ...], str, str]] = field(default_factory=list)
    constraints: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    files: int = 0


def _collect(path: Path, found: _Found, above: frozenset[Path], *, constraint: bool) -> None:
    place = path.resolve()
    if place in above:
        return
    found.files += 1
    if found.files > _MOST_FILES:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{path.name} includes more than {_MOST_FILES} files")
    parsed = _parsed(path)
    for options in parsed.options:
        values = options.options
        for name in _ADDRESS_OPTIONS:
            given = values.get(name) or ()
            found.sources += [given] if isinstance(given, str) else [*given]
        # Its certificate is not verified, whatever the scheme of its address; so it counts as http.
        found.sources += [f"http://{host}" for host in values.get("trusted_hosts") or ()]
        for key, constrains in (("requirements", constraint), ("constraints", True)):
            for target in values.get(key) or ():
                if "://" in target:
                    found.sources.append(target)
                    raise NotRead(
                        path, f"it includes {urlsplit(target).scheme}://{urlsplit(target).hostname}"
                    )
                _collect(path.parent / target, found, above | {place}, constraint=constrains)
    for requirement in parsed.requirements:
        _take(path, requirement, found, constraint=constraint)


def _parsed(path: Path) -> RequirementsFile:
    text = _YOUNGER.sub("", read_text(path).replace("\r\n", "\n").replace("\r", "\n"))
    if "\0" in text:
        raise WrongAnswer(f"{path.name} is no text")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "requirements.txt")
        copy.write_text(text, encoding="utf-8")
        parsed = RequirementsFile.from_file(str(copy), include_nested=False)
    for line in parsed.invalid_lines:
        description = cut(" ".join(line.line.split()), 100)
        if "no such option" in line.error_message or "ambiguous option" in line.error_message:
            raise NotRead(path, f'the line "{description}" has an option that is not known here')
        raise WrongAnswer(f'{path.name}: "{description}" is no requirement')
    return parsed


def _take(path: Path, requirement: InstallRequirement, found: _Found, *, constraint: bool) -> None:
    text = cut(" ".join(str(requirement.requirement_line.line).split(" --hash")[0].split()), 100)
    name = canonicalize_name(requirement.name) if requirement.name else ""
    url = str(requirement.link.url) if requirement.link else ""
    # pip's parser calls a URL local as well; only a path has no scheme.
    if url and "://" in url:
        found.sources.append(url)
    exact = _exact(requirement, url)
    if constraint:
        if exact:
            found.constraints[name] = (*found.constraints.get(name, ()), *exact)
        return
    if url and "://" not in url:
        if not within_checkout(path, url):
            found.sources.append(OUTSIDE)
        return
    if not name and not url:
        raise WrongAnswer(f'{path.name}: "{text}" is no requirement')
    found.wanted.append((name or text, exact, text, str(requirement.specifier or "")))


def _exact(requirement: InstallRequirement, url: str) -> tuple[str, ...]:
    if url:
        fixed = _COMMIT.search(url) or "#sha256=" in url or "&sha256=" in url or requirement.hash_options
        return (url,) if fixed else ()
    return tuple(exact_versions(str(requirement.specifier or "")))


def exact_versions(specifier: str) -> Iterator[str]:
    """The versions that a specifier pins: `==1.2` and `===1.2`, and not `==1.*`."""
    try:
        found = [*SpecifierSet(specifier)]
    except InvalidSpecifier:
        return
    yield from (each.version for each in found if each.operator in {"==", "==="} and "*" not in each.version)


def manifest_of(path: Path, lines: Iterable[str]) -> dict[str, str]:
    """Parse requirements of a pyproject.toml into canonical name → allowed versions.

    Raises:
        WrongAnswer: one of them is not a requirement.
    """
    ranges: dict[str, str] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            raise WrongAnswer(f'{path.name}: "{cut(line, 100)}" is no requirement') from error
        name = canonicalize_name(requirement.name)
        # Several lines for a name are for several platforms, which a lock distinguishes.
        ranges[name] = str(requirement.specifier) if name not in ranges else ""
    return ranges


def _canonical(version: str) -> object:
    try:
        return Version(version)
    except InvalidVersion:
        return version


def _allows(allowed: str, version: str) -> bool:
    try:
        # Poetry knows alternatives.
        return any(SpecifierSet(one).contains(version, prereleases=True) for one in allowed.split("||"))
    except (InvalidSpecifier, InvalidVersion):
        return not allowed
