"""The base types of all tables of an environment file."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


class Table(BaseModel):
    """A frozen table that rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _absolute(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # `urlsplit` validates the port only on access
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


def _without_query(url: str) -> str:
    url = _absolute(url)
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("must have no query or fragment: a token belongs into the variable of a credential")
    return url


def _path_only(path: str) -> str:
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("must be a path that starts with one /")
    return path


Address = Annotated[str, AfterValidator(_absolute)]
"""An http(s) URL, optionally with a path, without a trailing slash."""

BaseAddress = Annotated[str, AfterValidator(_without_query)]
"""An `Address` without query or fragment, to which the paths of an API are added."""

Origin = Annotated[str, AfterValidator(_origin_only)]
"""An origin as browsers define it: scheme, host and port only."""

Path = Annotated[str, AfterValidator(_path_only)]
"""A path that starts with one slash."""


class Credential(Table):
    """A secret, referenced by variable name; its value is None if the process environment has none.

    A file contains only the name: `key = "KAMIYO_API_KEY"`.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    value: SecretStr | None = None

    @property
    def present(self) -> bool:
        """Whether there is a value that is not blank."""
        return self.value is not None and bool(self.value.get_secret_value().strip())

    def reveal(self) -> str:
        """Return the value, only for the call that sends it.

        Raises:
            LookupError: it is not set. This does not occur in checks: `needs` stops them first.
        """
        if self.value is None:
            raise LookupError(f"{self.name} is not set")
        return self.value.get_secret_value()
