"""Verdicts that every export has to survive."""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.judge.conclusion import broken
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.result import Attempt
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Attribution, Phase
from tests.support.evidence_for import (
    COMMIT,
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    LATENCY,
    LOOKS,
    NOT_APPLICABLE,
    PASSED,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    evidence,
    measured,
    result,
)
from tests.support.hostile import HOSTILE

BEGAN, ENDED = "2026-03-01T10:00:00.000+00:00", "2026-03-01T10:02:30.500+00:00"

TRIES = (
    Attempt(FAILED, "503", BEGAN, 0.25),
    Attempt(PASSED, "", BEGAN, 0.5),
)

GOOD = replace(decide(evidence()), started_at=BEGAN, finished_at=ENDED)

BAD = decide(
    evidence(
        result(SIGN_IN, FAILED, "sign-in answers 500", attribution=Attribution.INTRODUCED),
        result(DATA, ERROR, "no answer", attribution=Attribution.PROBER),
        result(LOOKS, UNVERIFIED, "nobody looked"),
        result(WEBHOOK, NOT_APPLICABLE),
        result(HEALTH, PASSED, attempts=TRIES),
        measured(LATENCY, response_times=(100.0,) * 60),
        commit="9c41d07",
    )
)

HOSTILE_ONE = decide(
    evidence(
        result(SIGN_IN, FAILED, HOSTILE),
        commit=HOSTILE,
        project=HOSTILE,
        environment=HOSTILE,
        place=HOSTILE,
    )
)

EMPTY = replace(decide(evidence(expected=())), items=(), slos=(), unverified=())

BROKEN = broken(
    project="Small",
    environment="test",
    phases=(Phase.POSTDEPLOY,),
    commit="",
    started_at=BEGAN,
    finished_at=ENDED,
    problem="the report could not be made: MemoryError",
    place="",
)

VERDICTS: dict[str, Verdict] = {
    "good": GOOD,
    "bad": BAD,
    "hostile": HOSTILE_ONE,
    "empty": EMPTY,
    "broken": BROKEN,
}

__all__ = ["BAD", "BEGAN", "BROKEN", "COMMIT", "EMPTY", "ENDED", "GOOD", "HOSTILE_ONE", "VERDICTS"]
