"""Five thousand items in one run: what they cost beside plain pytest, and the page that tells of them."""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.reporting.html_page import mended
from tests.support.browsers import chromium
from tests.support.many_items import ManyItems

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium"]

# The goal is 1.20, and `make bench` measures 1.5 in peace.
MOST = 2.0
OPENS_S = 2.0
WRITTEN_S = 5.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ManyItems:
    return ManyItems.written(tmp_path_factory.mktemp("many"))


@pytest.mark.exhaustive
@pytest.mark.undisturbed
def test_our_plugin_costs_little_beside_pytest_html(project: ManyItems) -> None:
    pairs = [(project.verified(), project.plainly_tested()) for _ in range(3)]
    for ours, theirs in pairs:
        assert (ours.code, theirs.code) == (0, 0), ours.output + theirs.output
        assert f"{project.count} passed" in ours.output
    ratio = statistics.median(ours.cpu_s / theirs.cpu_s for ours, theirs in pairs)
    assert ratio < MOST


@pytest.mark.exhaustive
def test_the_report_is_soon_written_and_soon_open(project: ManyItems, chromium: Browser) -> None:
    done = project.verified()
    page = chromium.new_page()
    page.goto(done.report.as_uri())
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    opened_ms = page.evaluate(
        "Math.max(performance.getEntriesByType('navigation')[0].loadEventEnd,"
        " performance.getEntriesByName('first-contentful-paint')[0].startTime)"
    )
    # pytest's own table is folded.
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    rows = page.locator("#results-table tbody.passed")
    assert rows.count() == 0
    # What is not shown at first is one click away.
    assert not page.locator("input[data-test-result=passed]").is_checked()
    assert page.locator("span.passed").inner_text() == "5000 Passed,"
    page.locator("input[data-test-result=passed]").click()
    assert rows.count() == project.count
    assert opened_ms < OPENS_S * 1000
    assert done.writing_s < WRITTEN_S


ROW = r"&lt;td class=\&#34;col-result\&#34;&gt;{}&lt;/td&gt;"


@pytest.mark.parametrize(
    ("rows", "visible"),
    [
        ({"Passed": 500}, None),
        ({"Passed": 501}, "failed,error,rerun,xpassed,xfailed,skipped"),
        ({"Passed": 4_000, "Failed": 3}, "failed,error,rerun,xpassed,xfailed,skipped"),
        ({"Skipped": 600, "Failed": 3}, "failed,error,rerun,xpassed,xfailed"),
        ({"Failed": 450, "Error": 60}, "failed"),
        ({"Failed": 501}, ""),
    ],
)
def test_a_long_table_begins_with_the_gravest_results(rows: dict[str, int], visible: str | None) -> None:
    table = "".join(ROW.format(result) * count for result, count in rows.items())
    page = mended(f'<html><body><div id="data-container" data-jsonblob="{table}"></body></html>')
    found = re.search(r"\?visible=([a-z,]*)", page)
    assert (found[1] if found else None) == visible


def test_every_table_of_ordinary_length_is_shown_whole(tmp_path: Path) -> None:
    done = ManyItems.written(tmp_path, 3).verified()
    assert done.code == 0, done.output
    assert "?visible=" not in done.report.read_text(encoding="utf-8")
