"""Packages that a lock file takes from a folder or an archive on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote

_PROTOCOLS = ("file:", "link:", "portal:")
OUTSIDE = "file:///"
"""The address of a package that lies outside the checkout: it is of no registry."""


def is_local(source: str) -> bool:
    """Whether a source is a path: by its protocol, or as it begins with ".", "/" or "~"."""
    return source.startswith((*_PROTOCOLS, "./", "../", "/", "~"))


def within_checkout(lock: Path, source: str) -> bool | None:
    """Whether a local source lies in the checkout of its lock file.

    Args:
        lock: the lock file, or the manifest.
        source: such as "file:../part"; yarn adds the workspace to which the path is relative, as in
            "link:../part::locator=shop%40workspace%3Apackages%2Fapp".

    Returns:
        None if it leads out of the folder of the lock file, and no git checkout around shows whose it is.
    """
    for protocol in _PROTOCOLS:
        source = source.removeprefix(protocol)
    place, _, parameters = source.partition("::")
    target = unquote(place.partition("#")[0])
    member = "".join(parse_qs(parameters).get("locator", [])).partition("@workspace:")[2]
    folder = lock.parent.absolute()
    found = Path(os.path.normpath(folder / member / target))
    if target.startswith("~"):
        return False
    if found.is_relative_to(folder):
        return True
    checkout = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    return None if checkout is None else found.is_relative_to(checkout)
