"""Parts of the sandbox that are easier to see alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import cache
from sandbox.cache import AnswerCache
from sandbox.faults import FAULTS, Faults, UnknownFault
from sandbox.unprivileged import anyone_can_reach


def test_an_answer_is_kept_and_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = AnswerCache()
    kept = answers.put(("/chains",), {"total_chains": 0})
    assert answers.get(("/chains",)) == kept
    assert answers.get(("/stats",)) is None
    monkeypatch.setattr(cache, "KEPT_S", 0.0)
    assert answers.get(("/chains",)) is None


def test_an_etag_follows_the_content() -> None:
    answers = AnswerCache()
    one, same, other = (answers.put((path,), path[0]) for path in ("a1", "a2", "b"))
    assert one.etag == same.etag != other.etag


def test_a_private_folder_is_out_of_reach(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "program"
    program.parent.mkdir(mode=0o755)
    program.touch()
    program.chmod(0o755)
    program.parent.chmod(0o700)
    assert not anyone_can_reach(program)


def test_what_all_may_run_is_in_reach() -> None:
    assert anyone_can_reach(Path("/bin/sh"))


def test_a_fault_must_be_declared() -> None:
    with pytest.raises(UnknownFault, match="api-down"):
        Faults(["no-such"])


def test_faults_are_told_in_order() -> None:
    faults = Faults(["slow", "api-down"])
    assert list(faults) == ["api-down", "slow"]
    faults.switch_off("slow")
    faults.switch_off("slow")
    assert list(faults) == ["api-down"]
    faults.clear()
    assert not any(name in faults for name in FAULTS)
