"""The verdict that a rollback follows: the given one, or the newest that recommends a rollback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from kamiyo_verify.evidence.baselines import BASELINE
from kamiyo_verify.evidence.recording import run_id
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.rollback import CannotRollBack
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action
from kamiyo_verify.rollback.journal import Past

FILE = "verdict.json"
FRESH_S = 3600.0
"""A verdict describes the past. After an hour, verify again before a rollback."""
UNFINISHED_S = 86_400.0
_AHEAD_S = 120.0
"""How far another machine's clock may be ahead of this one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A verdict to act on.

    Attributes:
        folder: the folder of its report; the journal is written there.
        run: the id of its run, or "".
        age_s: seconds since the verdict was reached.
        past: the journal of earlier executions for this verdict.
    """

    verdict: Verdict
    folder: Path
    run: str
    age_s: float
    past: Past

    def __str__(self) -> str:
        return f"{self.folder.name}, {duration(max(self.age_s, 0))} old"


def named(path: Path, environment: str) -> Subject:
    """Read the verdict in a report's folder, or in a file.

    Raises:
        CannotRollBack: there is none, or it is about another environment.
    """
    file = path if path.is_file() else path / FILE
    try:
        found = _subject(file)
    except (OSError, ValueError) as error:
        raise CannotRollBack(f"{file}: holds no verdict that can be read: {first_line(error)}") from None
    if found.verdict.environment != environment:
        raise CannotRollBack(f"{file}: is a verdict about {found.verdict.environment}, not {environment}")
    return found


def newest(reports: Path, environment: str) -> Subject:
    """Find the newest verdict that recommends a rollback.

    A later run of the same phases must not say otherwise. The verdict must be at most an hour old, or its
    rollback started within a day and not finished.

    Raises:
        CannotRollBack: there is no such verdict; the message says what to do.
    """
    found = list(_all(reports / environment, environment))
    verify = f"verify first: pytest -m postdeploy --env {environment}"
    subject = next((one for one in found if one.verdict.recommendation is Action.ROLL_BACK), None)
    if subject is None:
        last = f"; the newest verdict says {_call(found[0])} ({found[0]})" if found else ""
        raise CannotRollBack(
            f"no verdict of {environment} calls for a rollback{last}. To decide that, {verify}. To go back"
            " all the same, name each deploy: --to api=DEPLOY --to frontend=DEPLOY"
        )
    for later in found[: found.index(subject)]:
        if _phases(later) >= _phases(subject):
            raise CannotRollBack(
                f"a later verdict says {_call(later)} ({later}); the one that says roll back is {subject}."
                f" {verify}"
            )
    if subject.age_s < -_AHEAD_S:
        raise CannotRollBack(f"the newest verdict is of a moment that is still to come ({subject}): {verify}")
    half_way = subject.past.sent and not subject.past.finished
    if subject.age_s > (UNFINISHED_S if half_way else FRESH_S):
        raise CannotRollBack(
            f"the newest verdict that says roll back is too old to act on ({subject}); {verify}"
        )
    return subject


def _all(folder: Path, environment: str) -> Iterator[Subject]:
    """Yield every readable verdict of an environment, newest first, except baselines and rollbacks."""
    found = []
    for file in folder.glob(f"*/{FILE}"):
        try:
            subject = _subject(file)
        except (OSError, ValueError):
            continue  # another version, or broken; if it is given explicitly, the error is reported
        if subject.verdict.environment == environment and not (file.parent / BASELINE).exists():
            found.append(subject)
    yield from sorted(found, key=lambda one: one.age_s)


def _subject(file: Path) -> Subject:
    try:
        verdict = Verdict.from_json(json.loads(file.read_text(encoding="utf-8")))
        finished = datetime.fromisoformat(verdict.finished_at)
        age_s = (datetime.now(UTC) - finished).total_seconds()
    except (ValidationError, TypeError) as error:
        raise ValueError(first_line(error)) from None
    evidence = file.parent / "evidence.jsonl"
    return Subject(
        verdict=verdict,
        folder=file.parent,
        run=run_id(evidence) if evidence.is_file() else "",
        age_s=age_s,
        past=Past.read(file.parent),
    )


def _phases(subject: Subject) -> frozenset[str]:
    return frozenset(subject.verdict.phase.split("+"))


def _call(subject: Subject) -> str:
    return subject.verdict.recommendation.value.replace("_", " ")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its type."""
    return (str(error).splitlines() or [type(error).__name__])[0]
