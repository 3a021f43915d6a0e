"""What several test modules share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.ledger.store import Store
from plugins.recording import judged, read_recording
from plugins.writers.json import verdict_json
from tests.toy_project import Toy

collect_ignore = ["another_platform"]
"""A project of its own, which docs/another-platform.md makes its reader's."""


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
        _can_be_judged_again(verdict.parent)


def _can_be_judged_again(report: Path) -> None:
    verdict = report / "verdict.json"
    if verdict.exists():
        again = verdict_json(judged(read_recording(report / "evidence.jsonl")))
        assert again == verdict.read_text(encoding="utf-8"), f"{verdict} is not what its evidence gives"


# Each takes seconds, and goes over ground that a neighbour, which `make test` runs, has gone over as well.
EXHAUSTIVE = re.compile(
    r"""
      walks/test_stories\.py::(?!test_what_failed_before|test_where_only_the_api)
    | walks/test_preflight_faults\.py::test_(?:a_destructive|each_fault)
    | walks/test_release_faults\.py::.*\[deploy-
    | test_client_hostile\.py::test_every_client_survives\[.*(?<!health)(?<!sign_in\.sign_in)(?<!connect)\]$
    | test_sampler_truth\.py::(?!test_a_stall_is_seen_in_full$)
    | test_client_outside_hostile\.py::.*(?<!issues)(?<!pulls_of)\]$
    | test_plugin_masking\.py::test_no_canary_comes_out(?:\[(?!-s-|-l)|_of_a_crash\[(?!report)|_of_a_module)
    | test_plugin_(?:background|deadline|launching)\.py::.*workers1\]$
    | test_plugin_verdict\.py::.*-n2\]$
    | test_replay\.py::test_every_kind_of_run
    | test_ledger_runs\.py::test_(?:kill_9|a_ledger_that_is_away)
    | test_drift\.py::.*arguments[12]\]$
    | test_client_browser\.py::test_(?:a_filter|a_session_that|a_stranger|a_tour_sees|a_slow)
    | test_client_browser\.py::test_(?:another|the_session)
    | test_client_browser\.py::test_a_fault_.*(?<!dashboard-empty)(?<!cors-own-origin-refused)\]$
    | test_client_browser_pages\.py::.*(?:dialogs|own_page|limited-data|nowhere|download|endless)
    | test_sandbox_faults\.py::test_(?:some_faults|slow_takes)
    """,
    re.VERBOSE,
)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A warning is a failure in our own tests; a user's run is not ended by one of some library."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error"))
        if EXHAUSTIVE.search(item.nodeid):
            item.add_marker(pytest.mark.exhaustive)
