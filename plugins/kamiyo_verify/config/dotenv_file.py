"""Read a .env file: every line of it, or none."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from kamiyo_verify.config.draft import ConfigurationError, shown

Variables = Mapping[str, str | None]


def read_dotenv(path: Path | None) -> Variables:
    """Return the variables of a .env file, none if there is no such file.

    A value is taken as it is written: a password may contain a $.

    Raises:
        ConfigurationError: the file cannot be read, or a line of it; the message quotes nothing of it.
    """
    if path is None or not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{shown(path)}: is not UTF-8 text; save it as UTF-8") from None
    found: dict[str, str | None] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            written = binding.original.string
            blank = written[: len(written) - len(written.lstrip())].count("\n")
            raise ConfigurationError(
                f"{shown(path)}: line {binding.original.line + blank} is not NAME=value: correct it,"
                ' close its quotation mark, or put a "#" before it'
            )
        if binding.key is not None:
            found[binding.key] = binding.value
    return found
