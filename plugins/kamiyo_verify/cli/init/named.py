"""Read what the command line of `init` names: services, addresses, paths."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from kamiyo_verify.model.tables import Address, Origin

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def named_url(text: str) -> tuple[str, str]:
    """Return the name and the origin of "NAME=URL" or "URL"; a service without a name is "web"."""
    name, found, url = text.partition("=") if re.match(r"[a-z][a-z0-9-]*=", text) else ("web", "=", text)
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise argparse.ArgumentTypeError("the URL is not valid, such as https://a.example") from None
    if "@" in parts.netloc:
        raise argparse.ArgumentTypeError(
            "the URL must hold no user or password: [credentials.NAME] is for them"
        )
    if not found or parts.scheme not in {"http", "https"} or not parts.hostname:
        shown = url.partition("?")[0]
        raise argparse.ArgumentTypeError(
            f"{shown!r} is not NAME=URL with an origin, such as https://a.example"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = f"{parts.scheme}://{host}{port}"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        what = "query" if "?" in url else "fragment"
        raise argparse.ArgumentTypeError(f"the URL must have no {what}: a service is its origin, {origin}")
    if path := parts.path.rstrip("/"):
        raise argparse.ArgumentTypeError(
            f"the URL must have no path: a service is its origin, so give {origin}, and {path} to its checks"
        )
    try:
        return name, TypeAdapter(Origin).validate_python(origin)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"the URL {_reason(error)}") from None


def named_path(text: str) -> tuple[str, str]:
    """Return the service and the path of "NAME=/PATH" or "/PATH"; without a name, the service is ""."""
    name, found, path = ("", "=", text) if text.startswith("/") else text.partition("=")
    if not found or not path.startswith("/") or path.startswith("//"):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=/PATH or /PATH, such as /ws")
    return name, path


def control_address(text: str) -> str:
    """Return an address that is not the platform's."""
    try:
        return TypeAdapter(Address).validate_python(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(_reason(error)) from None


def service_name(text: str) -> str:
    """Return the name of a service."""
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not small letters, digits and hyphens")
    return text


def require_consistent(asked: argparse.Namespace) -> None:
    """Require that names are distinct, and that no option lacks the one that it belongs to.

    Raises:
        ValueError: they are not; the message is one line.
    """
    _require_distinct([*(name for name, _ in asked.url), *asked.worker])
    if asked.sign_in is None:
        _require_none(asked, ("user", "user_field", "password", "sign_in_at", "sign_in_path"), "--sign-in")
    if asked.sign_in == "basic":
        _require_none(asked, ("user_field",), "--sign-in form or json")
    if asked.host != "kubernetes":
        _require_none(asked, ("namespace", "context"), "--host kubernetes")


def _require_distinct(names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(
                f"{count} services are called {name}: name each, such as --url NAME=URL or --worker NAME"
                " (a URL without a name is web)"
            )


def _require_none(asked: argparse.Namespace, names: Iterable[str], owner: str) -> None:
    for name in names:
        if getattr(asked, name):
            raise ValueError(f"--{name.replace('_', '-')} is of {owner}, which is not given")


def _reason(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")
