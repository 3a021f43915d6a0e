"""Read the files of package managers: size-limited, decoded, and rejected by name if unsupported."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from kamiyo_verify.integrations.packages.local_paths import OUTSIDE, is_local, within_checkout
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer

MOST_BYTES = 32 * 1024 * 1024

_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+\.[A-Za-z]{2,}):(?!//)[^\\]")
_HOSTED = {
    "github": "github.com",
    "gitlab": "gitlab.com",
    "bitbucket": "bitbucket.org",
    "gist": "gist.github.com",
}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotRead(Unverified):
    """A file, or a part of it, has an unsupported format.

    Args:
        path: of the file.
        why: what is unsupported.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"not read: {path.name}: {why}")


def read_text(path: Path) -> str:
    """The text of a file, with or without a byte order mark.

    Raises:
        NoAnswer: it does not exist, cannot be read, or is larger than 32 MiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"{path.name} cannot be read: it is larger than 32 MiB")
        encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
        return content.decode(encoding)
    except (OSError, UnicodeDecodeError) as error:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{path.name} cannot be read: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        NoAnswer: see `read_text`.
        WrongAnswer: the file is not a JSON object.
    """
    return json_object(path, read_text(path))


def json_object(path: Path, text: str) -> dict[str, Any]:
    """Parse a text as a JSON object; raises WrongAnswer if it is not one."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WrongAnswer(f"{path.name} is not JSON") from error
    if not isinstance(content, dict):
        raise WrongAnswer(f"{path.name} is not a JSON object")
    return content


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML document; raises like `read_json`."""
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise WrongAnswer(f"{path.name} is not TOML: {error}") from error


def read_yaml(path: Path) -> list[dict[str, Any]]:
    """The YAML documents of a file that are mappings; raises like `read_json`."""
    try:
        documents = [*yaml.load_all(read_text(path), Loader=_Loader)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise WrongAnswer(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if any(not isinstance(document, dict) for document in documents if document is not None):
        raise WrongAnswer(f"{path.name} is not a YAML mapping")
    return [document for document in documents if document]


def table(path: Path, value: object, where: str) -> Mapping[str, Any]:
    """A mapping within a file, empty if it is missing; raises NotRead for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise NotRead(path, f"{where} is no table")
    return value


def rows(path: Path, value: object, where: str) -> list[Mapping[str, Any]]:
    """A list of mappings within a file; raises NotRead for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotRead(path, f"{where} is no list")
    return [table(path, each, where) for each in value]


def text_of(path: Path, value: object, where: str) -> str:
    """A text within a file; raises NotRead for anything else."""
    if not isinstance(value, str):
        raise NotRead(path, f"{where} is no text")
    return value


def address_in(path: Path, source: str) -> str | None:
    """The address of a package's source; None if it is in the checkout itself.

    Raises:
        NotRead: it is neither a URL, nor a short form of one, nor a path.
    """
    source = source.strip()
    if "${" in urlsplit_or_refuse(path, source).netloc.rpartition("@")[2]:
        raise NotRead(path, "an address whose host is a variable")
    if source.startswith("workspace:"):
        return None
    if is_local(source) and not source.startswith("file://"):
        return _local(path, source)
    if "://" in source:
        return source.removeprefix("git+") if source.startswith("git+https://") else source
    kind, colon, _ = source.partition(":")
    if colon and kind in _HOSTED:
        return f"https://{_HOSTED[kind]}"
    if found := _SCP.match(source):
        return f"ssh://{found[1]}"
    if colon and len(kind) > 1 and re.fullmatch(r"[a-z][a-z0-9+.-]*", kind):
        raise NotRead(path, f"a package from {kind}:")
    return None


def _local(path: Path, source: str) -> str | None:
    inside = within_checkout(path, source)
    if inside is None:
        raise NotRead(path, "a package from outside its folder, and no git checkout shows whose it is")
    return None if inside else OUTSIDE


def urlsplit_or_refuse(path: Path, address: str) -> Any:
    """The parts of an address; raises NotRead if it is not valid."""
    try:
        return urlsplit(address)
    except ValueError as error:
        raise NotRead(path, f"an address that is none: {error}") from None


def addresses_of(path: Path, sources: Iterator[str]) -> tuple[str, ...]:
    """The addresses among these sources, without duplicates, in their order."""
    found = (address_in(path, source) for source in dict.fromkeys(sources))
    return tuple(dict.fromkeys(address for address in found if address is not None))
