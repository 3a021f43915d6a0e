"""What several test modules share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from kamiyo_verify.evidence.recording import judged, read_recording
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.reporting.json import verdict_json
from tests.support.exhaustive import left_out, mostly_works
from tests.support.toy_project import Toy

settings.register_profile("on any machine", deadline=None)
settings.load_profile("on any machine")

collect_ignore = ["another_platform"]
"""A project of its own, which docs/project-files.md makes its reader's."""


@pytest.fixture(autouse=True, scope="session")
def _ledger_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is run from here is remembered in a ledger that goes with the tests, not in the project's own.

    In the end, every run in it is judged again, to the byte.
    """
    url = f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KAMIYO_LEDGER_URL", "SANDBOX_LEDGER_URL"):
            patch.setenv(name, url)
        yield
    with Store.opened(url) as store:
        for recording in store.recordings():
            _can_be_judged_again(Path(recording.run.folder))


@pytest.fixture
def toy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """A fresh toy project, without checks. Whatever verdict it leaves can be judged again, to the byte."""
    toy = Toy(pytester, monkeypatch)
    yield toy
    for verdict in sorted(toy.folder.rglob("verdict.json")):
        if not (verdict.parent / "watch.jsonl").exists():  # that of a watch is judged from its rounds
            _can_be_judged_again(verdict.parent)


def _can_be_judged_again(report: Path) -> None:
    verdict = report / "verdict.json"
    if verdict.exists():
        again = verdict_json(judged(read_recording(report / "evidence.jsonl")))
        assert again == verdict.read_text(encoding="utf-8"), f"{verdict} is not what its evidence gives"


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A warning is a failure in our own tests; a user's run is not ended by one of some library."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error"))
    for item in left_out(items):
        item.add_marker(pytest.mark.exhaustive)
    items.sort(key=mostly_works)
