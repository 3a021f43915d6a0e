"""What shows another commit is measured by the names that the judge reads."""

from __future__ import annotations

from typing import Any

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.model.outcomes import WrongAnswer
from kamiyo_verify.model.services import CommitSource
from tests.engine.checks.test_library import OK, Measured, opened, serving


@pytest.mark.parametrize(
    ("answer", "name"),
    [((200, {"X-Commit": "fedcba9876543210"}, ""), "commit"), (OK, "unread"), ((503, {}, ""), "silent")],
)
def test_what_shows_another_commit_is_measured(answer: Any, name: str) -> None:
    measured = Measured()
    with serving({"GET /": answer}) as origin, pytest.raises(WrongAnswer):
        library.serves_commit(opened(origin), "0123456789", CommitSource(header="X-Commit"), measured)
    assert set(measured) == {"expected", name}
