"""The page of deployments as people open it: without a network, in light and in dark, on a telephone too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from kamiyo_verify.cli.documents.history import write_history
from tests.support.browsers import SCREENS, Opened, chromium  # noqa: F401 - a fixture
from tests.support.pages_project import filled_project, without_addresses

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = filled_project(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        without_addresses(patch)
        write_history(project, "", most=100)
    return project / "reports" / "index.html"


@SCREENS
def test_it_asks_for_nothing_breaks_nowhere_and_shuts_nobody_out(
    chromium: Browser,  # noqa: F811
    path: Path,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True
    )
    opened = Opened(context.new_page(), path)
    assert opened.requests == [path.as_uri()]
    assert not opened.complaints
    assert not opened.grave()
    assert opened.too_wide() == 0
    context.close()


def test_a_row_leads_to_its_report(chromium: Browser, path: Path) -> None:  # noqa: F811
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.locator("#deployments-1 ~ table a").first.click()
    assert page.url.endswith("/report.html")
    context.close()
