"""Read untrusted YAML files with size limits and the line of every key; write YAML files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from kamiyo_verify.config.draft import ConfigurationError, Draft, shown
from kamiyo_verify.config.mistakes import Loc

MOST_BYTES = 1 << 20
_MOST_NODES = 20_000
_DEEPEST = 40


class _Loader(yaml.SafeLoader):
    """Reads YAML 1.1 like PyYAML, but with rules of YAML 1.2: 1e-3 is a number, a date is text.

    What the two versions read as different numbers, such as 0500, 8:20 and 1_000, is text too.
    """


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or 1.2 would read as another type."""


_FLOAT = re.compile(
    r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
)
_INT = re.compile(r"[-+]?(?:0|[1-9]\d*)$|0x[0-9a-fA-F]+$")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if not tag.endswith((":timestamp", ":float", ":int"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
for _reader_or_writer in (_Loader, _Dumper):
    _reader_or_writer.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Represent text; use double quotes for unprintable characters, because only they allow escapes."""
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_of(documents: Iterable[object]) -> str:
    """Return plain data as the documents of one YAML file."""
    text: str = yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True, width=100
    )
    return text


def read_yaml(path: Path) -> list[Draft]:
    """Return every table of a file: one for each document, or several if a document is a list.

    Raises:
        ConfigurationError: the file cannot be read, is larger than 1 MB, is not valid YAML, has a duplicate
            key, or is too large after alias expansion; the message gives the line.
    """
    title = shown(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ConfigurationError(f"{title}: is larger than 1 MB; objectives are not that many")
        return [*_drafts(title, raw.decode("utf-8-sig"))]
    except OSError as error:
        raise ConfigurationError(f"{title}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{title}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(
            f"{title}{where}: is not valid YAML: {error.problem or error.context}"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigurationError(f"{title}: is not valid YAML: {what}") from None
    except RecursionError:
        raise ConfigurationError(f"{title}: is nested too deeply to be about objectives") from None


def _drafts(title: str, text: str) -> Iterator[Draft]:
    loader = _Loader(text)
    try:
        number = 0
        while loader.check_node():
            node = loader.get_node()
            number += 1
            if node is None:
                continue
            where = f"{title}, document {number}"
            lines = _Lines(title)
            lines.walk(node, (), 0)
            value = loader.construct_document(node)
            if isinstance(value, list):
                for nth, part in enumerate(value):
                    yield _draft(f"{where}, entry {nth + 1}", part, lines.below(nth))
            elif value is not None:
                yield _draft(where, value, lines.found)
    finally:
        loader.dispose()


def _draft(where: str, value: Any, lines: dict[Loc, int]) -> Draft:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigurationError(f"{where}: must be a table of keys and values")
    return Draft(where, value, lines)


class _Lines:
    """Records the line of each key of a document, and limits its size after alias expansion."""

    def __init__(self, title: str) -> None:
        self.found: dict[Loc, int] = {}
        self._title = title
        self._nodes = 0

    def below(self, nth: int) -> dict[Loc, int]:
        return {loc[1:]: line for loc, line in self.found.items() if loc and loc[0] == nth}

    def walk(self, node: yaml.Node, loc: Loc, depth: int) -> None:
        """Record a node and all nodes below it; aliases count each time.

        Raises:
            ConfigurationError: the document is too large or too deep, or has a duplicate key.
        """
        line = node.start_mark.line + 1
        self._nodes += 1
        if self._nodes > _MOST_NODES or depth > _DEEPEST:
            raise ConfigurationError(f"{self._title}, line {line}: is larger, written out, than can be meant")
        self.found.setdefault(loc, line)
        if isinstance(node, yaml.SequenceNode):
            for number, part in enumerate(node.value):
                self.walk(part, (*loc, number), depth + 1)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name, at = str(key.value), key.start_mark.line + 1
                if name in seen:
                    raise ConfigurationError(f'{self._title}, line {at}: the key "{name}" is there twice')
                seen.add(name)
                self.found[(*loc, name)] = at
                self.walk(value, (*loc, name), depth + 1)
