"""A measurement is recorded as plain data, because an xdist worker sends nothing else."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import pytest

from kamiyo_verify.evidence.recorder import AttemptRecorder
from kamiyo_verify.model.migrations import Effect


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Effect.ADDITIVE, "additive"),
        (Level.HIGH, 3),
        (np.float64(1.5), 1.5),
        (True, True),
        (None, None),
        ("text", "text"),
    ],
    ids=repr,
)
def test_a_member_of_an_enum_is_recorded_as_its_value(value: object, plain: object) -> None:
    recorder = AttemptRecorder()
    recorder.measure("effect", value)  # type: ignore[arg-type]
    taken = recorder.measurements["effect"].value
    assert taken == plain
    assert type(taken) is type(plain)
