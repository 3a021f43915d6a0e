"""What is written after a rollback says what the run after it called for."""

from __future__ import annotations

import pytest

from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.hosting.rollback import End, Outcome, Plan, Record
from kamiyo_verify.reporting.rollback import ending_lines, rollback_md

AT = "2026-11-23T14:10:00+00:00"


def record(verified: int | None) -> Record:
    plan = Plan(environment="prod", run="r1", targets=())
    outcome = Outcome(end=End.DONE, why="", services=(), began_at=AT, ended_at=AT)
    return Record(plan=plan, outcome=outcome, by="Ada", how="by hand", verified=verified, report="reports/x")


@pytest.mark.parametrize(
    ("code", "call"),
    [
        (ExitCode.PROCEED, "proceed"),
        (ExitCode.HOLD_OR_FIX_FORWARD, "fix forward"),
        (ExitCode.ROLL_BACK, "roll back"),
        (ExitCode.INCONCLUSIVE, "inconclusive"),
        (ExitCode.USAGE_ERROR, "inconclusive"),
    ],
)
def test_the_run_after_a_rollback_is_told_as_it_called(code: ExitCode, call: str) -> None:
    assert f"the run after it says {call.upper()}: reports/x" in "\n".join(ending_lines(record(code), "j"))
    assert f"Rollback phase: {call}, reports/x" in rollback_md(record(code))


def test_a_run_that_was_not_made_is_told() -> None:
    assert "Rollback phase: not run" in rollback_md(record(None))
