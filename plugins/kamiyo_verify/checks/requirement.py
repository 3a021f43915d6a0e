"""What a generic check requires of a measured value."""

from __future__ import annotations

from collections.abc import Callable

from kamiyo_verify.model.outcomes import WrongAnswer

Measure = Callable[..., None]
"""The fixture `measure`: takes a name, a value and a unit."""


def require(true: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as `assert`
    """Raise `WrongAnswer`: an assertion here would count as an error of this library, not of the platform."""
    if not true:
        raise WrongAnswer(otherwise)
