"""The shapes that every table of an environment file is made of."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


class Table(BaseModel):
    """A frozen table that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _absolute(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only when asked for, and refused only then
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.:-]+", parts.hostname or ""):
        raise ValueError("must be an http(s) URL with a host, such as https://api.example.com")
    if parts.username or parts.password:
        raise ValueError("must hold no user or password")
    return url.rstrip("/")


def _origin_only(url: str) -> str:
    url = _absolute(url)
    parts = urlsplit(url)
    if parts.path or parts.query or parts.fragment:
        raise ValueError("must be an origin alone: no path, query or fragment")
    return url


def _path_only(path: str) -> str:
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("must be a path that starts with one /")
    return path


Address = Annotated[str, AfterValidator(_absolute)]
"""An http(s) URL, perhaps with a path, without a slash at its end."""

Origin = Annotated[str, AfterValidator(_origin_only)]
"""Scheme, host and port alone, as a browser names an origin."""

Path = Annotated[str, AfterValidator(_path_only)]
"""A path that starts with one slash."""


class Credential(Table):
    """A secret by name; its value is None where the process environment has none.

    In a file it is written as the name alone: `key = "KAMIYO_API_KEY"`.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    value: SecretStr | None = None

    @property
    def present(self) -> bool:
        """A value was found, and it is not blank."""
        return self.value is not None and bool(self.value.get_secret_value().strip())

    def reveal(self) -> str:
        """The value itself, for the one call that sends it.

        Raises:
            LookupError: it is not set. Checks never meet this: `needs` stops them before.
        """
        if self.value is None:
            raise LookupError(f"{self.name} is not set")
        return self.value.get_secret_value()
