"""Which verdict a rollback follows: one that was named, or the newest that calls for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from plugins.baselines import BASELINE
from plugins.model.figures import duration
from plugins.model.rollback import CannotRollBack
from plugins.model.verdict import Verdict
from plugins.model.words import Action
from plugins.recording import run_id
from plugins.rollback.journal import Past

FILE = "verdict.json"
FRESH_S = 3600.0
"""A verdict tells how things were. After an hour somebody has to look again before acting on it."""
_UNFINISHED_S = 86_400.0
_AHEAD_S = 120.0
"""How far a clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A verdict to act on.

    Attributes:
        folder: of its report; the journal is kept there.
        run: the id of its run, or "".
        age_s: since it was concluded, in seconds.
        past: what was done about it before.
    """

    verdict: Verdict
    folder: Path
    run: str
    age_s: float
    past: Past

    def __str__(self) -> str:
        return f"{self.folder.name}, {duration(max(self.age_s, 0))} old"


def named(path: Path, environment: str) -> Subject:
    """The verdict in a report's folder, or in a file.

    Raises:
        CannotRollBack: there is none, or it is of another environment.
    """
    file = path if path.is_file() else path / FILE
    try:
        found = _subject(file)
    except (OSError, ValueError) as error:
        raise CannotRollBack(f"{file}: holds no verdict that can be read: {_first_line(error)}") from None
    if found.verdict.environment != environment:
        raise CannotRollBack(f"{file}: is a verdict about {found.verdict.environment}, not {environment}")
    return found


def newest(reports: Path, environment: str) -> Subject:
    """The verdict to act on where none is named: the newest that calls for a rollback.

    Unless a later run saw the same phases and says something else. It has to be fresh, or its rollback begun
    within a day and not finished.

    Raises:
        CannotRollBack: there is none such; the message says what to do.
    """
    found = list(_all(reports / environment, environment))
    verify = f"verify first: pytest -m postdeploy --env {environment}"
    subject = next((one for one in found if one.verdict.recommendation is Action.ROLL_BACK), None)
    if subject is None:
        last = f"; the newest verdict says {_call(found[0])} ({found[0]})" if found else ""
        raise CannotRollBack(
            f"no verdict of {environment} calls for a rollback{last}. To decide that, {verify}. To go back"
            " all the same, name each deploy: --to api=dep-… --to frontend=dep-…"
        )
    meant = f"If you mean that one all the same: --from {subject.folder}"
    for later in found[: found.index(subject)]:
        if _phases(later) >= _phases(subject):
            raise CannotRollBack(
                f"a later verdict says {_call(later)} ({later}); the one that says roll back is {subject}."
                f" {meant}"
            )
    if subject.age_s < -_AHEAD_S:
        raise CannotRollBack(f"the newest verdict is of a moment that is still to come ({subject}): {verify}")
    half_way = subject.past.sent and not subject.past.finished
    if subject.age_s > (_UNFINISHED_S if half_way else FRESH_S):
        raise CannotRollBack(
            f"the newest verdict that says roll back is too old to act on ({subject}); {verify}. {meant}"
        )
    return subject


def _all(folder: Path, environment: str) -> Iterator[Subject]:
    """Every verdict of an environment that can be read, the newest first; baselines and rollbacks apart."""
    found = []
    for file in folder.glob(f"*/{FILE}"):
        try:
            subject = _subject(file)
        except (OSError, ValueError):
            continue  # of another version, or broken; it can still be named, and is then told
        if subject.verdict.environment == environment and not (file.parent / BASELINE).exists():
            found.append(subject)
    yield from sorted(found, key=lambda one: one.age_s)


def _subject(file: Path) -> Subject:
    try:
        verdict = Verdict.from_json(json.loads(file.read_text(encoding="utf-8")))
        finished = datetime.fromisoformat(verdict.finished_at)
        age_s = (datetime.now(UTC) - finished).total_seconds()
    except (ValidationError, TypeError) as error:
        raise ValueError(_first_line(error)) from None
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


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
