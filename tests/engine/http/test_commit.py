"""The commit that a service runs, from several of its answers."""

from __future__ import annotations

from itertools import cycle

import pytest

from kamiyo_verify.http.commit import commit_of_all_instances
from kamiyo_verify.model.outcomes import Unverified

NEW, OLD = "6da2ab9d093b", "686780cab026"


def test_answers_that_agree_tell_the_commit() -> None:
    assert commit_of_all_instances("api", lambda: NEW) == NEW


@pytest.mark.parametrize("turns", [(NEW, OLD), (NEW, NEW, OLD), (NEW, NEW, NEW, OLD)])
def test_instances_that_run_different_commits_are_no_commit(turns: tuple[str, ...]) -> None:
    answers = cycle(turns)
    with pytest.raises(Unverified, match=f"{NEW} and {OLD} by turns"):
        commit_of_all_instances("api", lambda: next(answers))
