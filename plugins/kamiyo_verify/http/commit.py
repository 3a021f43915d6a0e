"""Read the commit that a service reports as running."""

from __future__ import annotations

import re
from collections.abc import Callable

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.overlap.side_by_side import side_by_side
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, ServerBroke, Unverified, WrongAnswer
from kamiyo_verify.model.services import CommitSource
from kamiyo_verify.model.writing.plain import plain

_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")

_ANSWERS = 4
"""Where two instances answer at random, four answers come from one of them in 12 % of runs."""


_SILENT = {
    NoAnswerKind.NAME,
    NoAnswerKind.REFUSED,
    NoAnswerKind.UNREACHABLE,
    NoAnswerKind.TLS,
    NoAnswerKind.TIMEOUT,
    NoAnswerKind.CUT,
}


def commit_in_answer(service: str, source: CommitSource, get: Callable[[str], Answer], any_path: str) -> str:
    """The commit that a service reports as running, in lower case.

    Args:
        service: its name in the environment file.
        source: where the service reports it.
        get: sends a request to the service.
        any_path: the path to request if the source is a header of any answer.

    Raises:
        Unverified: the environment names no source.
        ServerBroke: the service answers 5xx, without a commit.
        WrongAnswer: the source has no value, or the value is not a commit.
        NoAnswer: no answer came.
    """
    if not source.named:
        raise Unverified(
            f"[services.{service}] commit names no header or path that tells which commit answers"
        )
    answer = get(source.path or any_path)
    if not source.header and answer.status >= 500:
        raise ServerBroke(answer.mismatch("200 with the commit"))
    if not source.header and answer.status != 200:
        raise WrongAnswer(answer.mismatch("200 with the commit"))
    place = f"the header {source.header}" if source.header else f"the field {source.field}"
    value: object = (
        answer.headers.get(source.header) if source.header else _field(answer.json(), source.field)
    )
    if not isinstance(value, str) or not _COMMIT.fullmatch(value.strip()):
        if answer.status >= 500:
            raise ServerBroke(answer.mismatch(f"an answer in which {place} names the commit"))
        said = "nothing" if value is None else f"{readable(plain(value), longest=80)!r}, which is no commit"
        raise WrongAnswer(f"{answer.method} {source.path or any_path}: {place} says {said}")
    return value.strip().lower()


def commit_of_all_instances(service: str, read: Callable[[], str]) -> str:
    """The commit that several answers agree on: one answer shows one instance of a service.

    Args:
        service: its name in the environment file.
        read: reads the commit from one answer; raises like `commit_in_answer`.

    Raises:
        Unverified: the answers differ, as while a deploy has not reached every instance.
    """
    found = dict.fromkeys(side_by_side([read] * _ANSWERS))
    if len(found) > 1:
        description = " and ".join(commit[:12] for commit in found)
        raise Unverified(
            f"{service} answers with {description} by turns: not every instance runs the same commit"
        )
    return next(iter(found))


def is_silent(problem: Exception | None) -> bool:
    """Return whether the service gives no answer or a 5xx; other checks judge that failure."""
    return isinstance(problem, ServerBroke) or (isinstance(problem, NoAnswer) and problem.kind in _SILENT)


def _field(value: object, field: str) -> object:
    """The value at a field such as "commit" or "build.commit"."""
    for key in field.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
