"""A run after a rollback does not lead to the next one: a person names the deploy to go back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.judge.rollback.plan import plan_from_verdict
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.hosting.rollback import CannotRollBack
from kamiyo_verify.model.hosting.services import ROLLBACK
from kamiyo_verify.rollback import journal as kinds
from kamiyo_verify.rollback.journal import Journal, Past
from kamiyo_verify.rollback.repeated import refuse_after
from tests.engine.rollback.test_planning import API, BOTH, STATES, runbook, verdict

__all__ = ["runbook"]


def live_since() -> datetime:
    return max(one.live.created_at for one in STATES if one.live is not None)


@pytest.mark.parametrize("after_s", [0, 60, 3600])
def test_a_deploy_that_a_rollback_left_live_is_not_taken_back(runbook: Any, after_s: float) -> None:
    plan = plan_from_verdict(verdict(*BOTH), "run", STATES, runbook)
    with pytest.raises(CannotRollBack, match=r"the last run followed a rollback: .* --to "):
        refuse_after([live_since() + timedelta(seconds=after_s)], plan, STATES)


def test_a_deploy_that_is_newer_than_every_rollback_may_be_taken_back(runbook: Any) -> None:
    plan = plan_from_verdict(verdict(*BOTH), "run", STATES, runbook)
    refuse_after([], plan, STATES)
    refuse_after([live_since() - timedelta(days=1)], plan, STATES)


def test_what_a_rollback_started_is_not_taken_back_even_where_no_record_of_it_is_left(runbook: Any) -> None:
    plan = plan_from_verdict(verdict(*BOTH), "run", STATES, runbook)
    restored = [
        replace(one, deploys=tuple(each.model_copy(update={"trigger": ROLLBACK}) for each in one.deploys))
        for one in STATES
    ]
    with pytest.raises(CannotRollBack, match="which a rollback started, is live at the host"):
        refuse_after([], plan, restored)


def test_a_journal_tells_when_its_rollback_ended(tmp_path: Path) -> None:
    assert Past.read(tmp_path).rolled_back_at is None
    journal = Journal(tmp_path, Masker())
    journal.write(kinds.BEGUN)
    journal.write(kinds.CALL, service=API, what="auto_deploy")
    assert Past.read(tmp_path).rolled_back_at is None
    journal.write(kinds.CALL, service=API, what="rollback")
    journal.write(kinds.DONE)
    journal.close()
    done = Past.read(tmp_path)
    assert done.rolled_back_at == datetime.fromisoformat(str(done.lines[-1]["at"]))
