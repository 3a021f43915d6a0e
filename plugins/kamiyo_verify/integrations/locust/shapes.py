"""The result that our locustfile writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kamiyo_verify.model.load.steps import LoadRun, LoadStep
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class _Counts(_Shape):
    """What one worker counted in one step."""

    step: int
    durations_ms: tuple[float, ...]
    late_ms: tuple[float, ...]
    limited: int
    failures: dict[str, int]


class _Step(_Shape):
    step: int
    seconds: float = Field(gt=0)
    workers: tuple[_Counts, ...]


class _Result(_Shape):
    steps: tuple[_Step, ...] = Field(min_length=1)


def result_of(written: bytes, users: Sequence[int], offered_per_s: Sequence[float], workers: int) -> LoadRun:
    """Return the load run that a result describes.

    Args:
        written: the file.
        users: planned for each step.
        offered_per_s: planned for each step.
        workers: that had to take part.

    Raises:
        NoAnswer: UNUSABLE: it has another shape, or a worker is missing from a step.
    """
    try:
        result = _Result.model_validate_json(written)
    except ValidationError:
        raise NoAnswer(NoAnswerKind.UNUSABLE, "the result of Locust has another shape") from None
    lost = [step.step for step in result.steps if len(step.workers) != workers]
    if lost or any(step.step >= len(users) for step in result.steps):
        message = f"a worker of Locust was lost: step {lost[0] + 1 if lost else '?'} lacks its counts"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message)
    steps = tuple(_step_of(step, users[step.step], offered_per_s[step.step]) for step in result.steps)
    return LoadRun(steps, offered_per_s[-1], workers)


def _step_of(step: _Step, users: int, offered_per_s: float) -> LoadStep:
    failures: Counter[str] = Counter()
    for one in step.workers:
        failures.update(one.failures)
    late = sorted(ms for one in step.workers for ms in one.late_ms)
    return LoadStep(
        users=users,
        offered_per_s=offered_per_s,
        seconds=step.seconds,
        durations_ms=tuple(ms for one in step.workers for ms in one.durations_ms),
        failed=failures.total(),
        limited=sum(one.limited for one in step.workers),
        failures=tuple(failures.most_common()),
        late_ms=late[int(0.95 * len(late))] if late else 0.0,
    )
