"""The whole suite with a browser: nothing is wrong with a healthy platform, and what pages show is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs import CANARIES, EXHAUSTIVE, Ran, brief_environment, variables, verify
from tests.e2e.test_faults import BEAT_S, BROWSER_DESERTS, items_checked
from tests.support import browsers
from tests.support.sandbox_process import Sandbox, request, started

pytestmark = pytest.mark.usefixtures("_a_browser")

BROWSER_ITEMS = {item for item in items_checked("postdeploy") if "browser" in item}


@pytest.fixture(scope="module")
def _a_browser() -> None:
    browsers.required()


@pytest.fixture(scope="module")
def running(_a_browser: None) -> Iterator[Sandbox]:
    with started("--heartbeat", str(BEAT_S), environment=CANARIES) as sandbox:
        yield sandbox


@pytest.fixture
def fresh(running: Sandbox) -> Sandbox:
    """The running sandbox, healthy again, with full allowances."""
    request("DELETE", f"{running.control}/faults").raise_for_status()
    return running


def walk(sandbox: Sandbox, folder: Path, *arguments: str) -> Ran:
    environment = brief_environment(folder, sandbox, browser=True)
    text = environment.read_text(encoding="utf-8")
    environment.write_text(text.replace("attempts = 3", "attempts = 2"), encoding="utf-8")
    return verify(folder / "r", f"--env={environment}", *arguments, variables=variables(sandbox))


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=EXHAUSTIVE)]
)
def test_a_healthy_platform_passes_and_is_pictured(
    workers: tuple[str, ...], fresh: Sandbox, tmp_path: Path
) -> None:
    # Without the response times: on a machine that others use as well they are whatever these make of them.
    ran = walk(fresh, tmp_path, "-m", "postdeploy and not performance", *workers)

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert {item: ran.statuses[item] for item in BROWSER_ITEMS} == dict.fromkeys(BROWSER_ITEMS, "passed")
    assert ran.leaks == []
    pictures = {shot["file"] for item in ran.verdict["items"] for shot in item["screenshots"]}
    assert len(pictures) == 9
    assert pictures == {path.relative_to(ran.folder).as_posix() for path in ran.folder.glob("screenshots/*")}
    assert all(path.stat().st_size <= 80_000 for path in ran.folder.glob("screenshots/*"))
    assert not (ran.folder / "traces").exists()


@EXHAUSTIVE
@pytest.mark.parametrize("fault", BROWSER_DESERTS)
def test_a_fault_that_pages_show_gets_the_call_that_it_deserves(
    fault: str, fresh: Sandbox, tmp_path: Path
) -> None:
    with fresh.fault(fault):
        ran = walk(fresh, tmp_path, "-m", "postdeploy")

    deserved = BROWSER_DESERTS[fault]
    assert ran.leaks == []
    assert ran.call == deserved.call, ran.output
    assert set(deserved.red) <= ran.red, ran.output
    assert set(deserved.impacts) <= ran.impacts, ran.output
    [loads] = [item for item in ran.verdict["items"] if item["id"] == "performance.browser-load-time"]
    taken = [len(one["value"]) for one in loads["measurements"] if one["name"] == "load_times"]
    assert taken == [3] or loads["id"] in ran.red
    for item in deserved.red:
        if ran.statuses[item] == "failed" and item not in {
            "postdeploy.browser-scripts",
            "postdeploy.browser-requests",
        }:
            assert (ran.folder / "traces" / f"{item}.zip").stat().st_size > 1_000


@EXHAUSTIVE
@pytest.mark.parametrize(
    ("fault", "status"), [("dashboard-empty", "unverified"), ("frontend-script-error", "failed")]
)
def test_until_pages_are_proven_only_what_breaks_has_failed(
    fault: str, status: str, fresh: Sandbox, tmp_path: Path
) -> None:
    environment = brief_environment(tmp_path, fresh, browser=True)
    text = environment.read_text(encoding="utf-8")
    assert "proven = true" in text
    environment.write_text(text.replace("proven = true", "proven = false"), encoding="utf-8")
    arguments = (f"--env={environment}", "-m", "postdeploy", "-k", "browser_flows")
    with fresh.fault(fault):
        ran = verify(tmp_path / "r", *arguments, variables=variables(fresh))

    assert ran.statuses["postdeploy.browser-dashboard"] == status, ran.output
    assert ("proven = true" in ran.output) is (status == "unverified")


@EXHAUSTIVE
def test_what_writes_is_left_out_where_nothing_may_be_written(fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh, browser=True)
    text = environment.read_text(encoding="utf-8")
    environment.write_text(text.replace('mutations = "allowed"', 'mutations = "forbidden"'), encoding="utf-8")
    ran = verify(
        tmp_path / "r",
        f"--env={environment}",
        "-m",
        "postdeploy",
        "-k",
        "browser_flows",
        variables=variables(fresh),
    )

    assert ran.statuses["postdeploy.browser-subscribe"] == "unverified"
    assert ran.statuses["postdeploy.browser-dashboard"] == "passed"
