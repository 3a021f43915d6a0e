"""Which commit answers, where a service tells."""

from __future__ import annotations

import re
from collections.abc import Callable

from plugins.clients.answer import Answer
from plugins.clients.readable import readable
from plugins.model.environment import CommitSource
from plugins.model.outcomes import Unverified, WrongAnswer

_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


def commit_told(service: str, source: CommitSource, get: Callable[[str], Answer], any_path: str) -> str:
    """The commit that a service says is answering, in lower case.

    Args:
        service: its table in the environment file, "api" or "frontend".
        source: where it tells.
        get: asks the service.
        any_path: what to ask where the source is a header of any answer.

    Raises:
        Unverified: the environment names no source.
        WrongAnswer: the source is silent, or what it says is no commit.
        NoAnswer: none came.
    """
    if not source.named:
        raise Unverified(f"{service}.commit names no header or path that tells which commit answers")
    answer = get(source.path or any_path)
    if source.header:
        place, value = f"the header {source.header}", answer.headers.get(source.header)
    elif answer.status != 200:
        raise WrongAnswer(answer.told("200 with the commit"))
    else:
        place, value = f"the field {source.field}", _field(answer.json(), source.field)
    if not isinstance(value, str) or not _COMMIT.fullmatch(value.strip()):
        said = "nothing" if value is None else f"{readable(str(value), longest=80)!r}, which is no commit"
        raise WrongAnswer(f"{answer.method} {source.path or any_path}: {place} says {said}")
    return value.strip().lower()


def _field(value: object, field: str) -> object:
    """The value at a field such as "commit" or "build.commit"."""
    for key in field.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
