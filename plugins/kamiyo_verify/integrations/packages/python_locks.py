"""Read lock files of Python projects: pylock.toml, uv, Poetry, PDM and Pipenv.

Sources: packaging.python.org/specifications/pylock-toml; the lock formats of docs.astral.sh/uv,
python-poetry.org, pdm-project.org and pipenv.pypa.io.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.pylock import (
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
    is_valid_pylock_path,
)
from packaging.utils import canonicalize_name

from kamiyo_verify.integrations.packages.files import (
    NotRead,
    addresses_of,
    read_json,
    read_toml,
    rows,
    table,
    text_of,
)
from kamiyo_verify.integrations.packages.pip_files import Requirements, exact_versions, requirements_in

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")


def python_lock(path: Path) -> Requirements:
    """Read a lock file by its name.

    Raises:
        NoAnswer: it does not exist or cannot be read.
        WrongAnswer: it does not match its name.
        NotRead: its version or format is unsupported.
    """
    if is_valid_pylock_path(path):
        return _pylock(path)
    return _READERS.get(path.name, requirements_in)(path)


def _pylock(path: Path) -> Requirements:
    try:
        lock = Pylock.from_dict(read_toml(path))
    except PylockUnsupportedVersionError as error:
        raise NotRead(path, str(error)) from None
    except PylockValidationError as error:
        raise NotRead(path, f"not of the form of PEP 751: {error}") from None
    versions: dict[str, tuple[str, ...]] = {}
    sources: list[str] = []
    loose: list[str] = []
    own: list[str] = []
    for package in lock.packages:
        archives = [*(package.wheels or ()), package.sdist, package.archive, package.vcs]
        sources += [str(package.index)] if package.index else []
        sources += [str(each.url) for each in archives if each is not None and each.url]
        local = [*archives, package.directory]
        sources += [
            f"file:{each.path}" for each in local if each is not None and each.path and not _address(each)
        ]
        if package.version is not None:
            _add(versions, package.name, str(package.version))
        elif package.vcs is not None:
            _add(versions, package.name, package.vcs.commit_id)
        elif package.archive is not None:
            _add(versions, package.name, "one archive, by its hash")
        elif package.directory is None:
            loose.append(package.name)
        else:
            own.append(package.name)
    return Requirements(
        versions, tuple(loose), addresses_of(path, iter(sources)), own=frozenset(map(canonicalize_name, own))
    )


def _address(archive: object) -> bool:
    """It comes from an address; a path beside that is where a copy of it may be."""
    return bool(getattr(archive, "url", None))


def _uv(path: Path) -> Requirements:
    lock = read_toml(path)
    _known(path, lock.get("version"), (1,), "version")
    versions: dict[str, tuple[str, ...]] = {}
    sources: list[str] = []
    loose: list[str] = []
    own: set[str] = set()
    for package in rows(path, lock.get("package"), "package"):
        name = text_of(path, package.get("name"), "the name of a package")
        source = table(path, package.get("source"), f"the source of {name}")
        if not source or not {*source} & {
            "registry",
            "git",
            "url",
            "path",
            "directory",
            "editable",
            "virtual",
        }:
            raise NotRead(path, f"{name} from {', '.join(source) or 'nowhere'}")
        sources += [str(source[kind]) for kind in ("registry", "git", "url") if kind in source]
        local = ("path", "directory", "editable", "virtual")
        sources += [f"file:{source[kind]}" for kind in local if kind in source]
        files = [*rows(path, package.get("wheels"), "wheels"), table(path, package.get("sdist"), "sdist")]
        sources += [str(file["url"]) for file in files if "url" in file]
        if isinstance(package.get("version"), str):
            _add(versions, name, package["version"])
        elif {*source} & {"directory", "editable", "virtual"}:
            own.add(canonicalize_name(name))
        else:
            loose.append(name)
    return Requirements(versions, tuple(loose), addresses_of(path, iter(sources)), own=frozenset(own))


def _poetry(path: Path) -> Requirements:
    lock = read_toml(path)
    metadata = table(path, lock.get("metadata"), "metadata")
    _known(path, str(metadata.get("lock-version", "")).partition(".")[0], ("1", "2"), "lock-version")
    versions: dict[str, tuple[str, ...]] = {}
    sources: list[str] = []
    for package in rows(path, lock.get("package"), "package"):
        name = text_of(path, package.get("name"), "the name of a package")
        _add(versions, name, text_of(path, package.get("version"), f"the version of {name}"))
        source = table(path, package.get("source"), f"the source of {name}")
        if source:
            address = text_of(path, source.get("url"), f"the source of {name}")
            sources.append(f"file:{address}" if source.get("type") in {"directory", "file"} else address)
    return Requirements(versions, (), addresses_of(path, iter(sources)))


def _pdm(path: Path) -> Requirements:
    lock = read_toml(path)
    metadata = table(path, lock.get("metadata"), "metadata")
    _known(path, str(metadata.get("lock_version", "")).partition(".")[0], ("4",), "lock_version")
    versions: dict[str, tuple[str, ...]] = {}
    own: set[str] = set()
    sources: list[str] = []
    for package in rows(path, lock.get("package"), "package"):
        name = text_of(path, package.get("name"), "the name of a package")
        version = package.get("version") or package.get("revision")
        sources += [f"file:{package['path']}"] if "path" in package else []
        if version is None and "path" in package:
            own.add(canonicalize_name(name))
            continue
        _add(versions, name, text_of(path, version, f"the version of {name}"))
        sources += [str(package[kind]) for kind in ("git", "hg", "svn", "url") if kind in package]
        files = rows(path, package.get("files"), f"the files of {name}")
        sources += [str(file["url"]) for file in files if "url" in file]
    return Requirements(versions, (), addresses_of(path, iter(sources)), own=frozenset(own))


def _pipenv(path: Path) -> Requirements:
    lock = read_json(path)
    meta = table(path, lock.get("_meta"), "_meta")
    _known(path, meta.get("pipfile-spec"), (6,), "pipfile-spec")
    versions: dict[str, tuple[str, ...]] = {}
    loose: list[str] = []
    sources: list[str] = []
    own: set[str] = set()
    for index in rows(path, meta.get("sources"), "sources"):
        address = text_of(path, index.get("url"), "the url of a source")
        # Without verification of its certificate it counts as http.
        sources.append(address if index.get("verify_ssl", True) else address.replace("https://", "http://"))
    for group, packages in lock.items():
        for name, entry in table(path, packages, group).items() if group != "_meta" else ():
            package = table(path, entry, name)
            sources += [str(package[kind]) for kind in ("git", "hg", "svn", "file") if kind in package]
            sources += [f"file:{package['path']}"] if "path" in package else []
            exact = [*exact_versions(str(package.get("version", "")))] or [
                *filter(None, (package.get("ref"),))
            ]
            if exact:
                _add(versions, name, str(exact[0]))
            elif "path" in package:
                own.add(canonicalize_name(name))
            else:
                loose.append(name)
    return Requirements(versions, tuple(loose), addresses_of(path, iter(sources)), own=frozenset(own))


_READERS: Mapping[str, Callable[[Path], Requirements]] = {
    "uv.lock": _uv,
    "poetry.lock": _poetry,
    "pdm.lock": _pdm,
    "Pipfile.lock": _pipenv,
}


def _add(versions: dict[str, tuple[str, ...]], name: str, version: str) -> None:
    known = canonicalize_name(name)
    versions[known] = tuple(dict.fromkeys((*versions.get(known, ()), version)))


def _known(path: Path, version: object, known: tuple[object, ...], name: str) -> None:
    if version not in known or isinstance(version, bool):
        raise NotRead(path, f"{name} {version!r}, where {' or '.join(map(str, known))} is known")
