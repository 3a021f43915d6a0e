"""The reports as people open them: without a network, in light and in dark, on a desk and on a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests import example_reports
from tests.browsers import SCREENS, Opened, chromium  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The page of a deployment, written when it is first asked for."""
    made: dict[str, Path] = {}

    def page(name: str) -> Path:
        if name not in made:
            evidence = {"good": example_reports.good, "bad": example_reports.bad}[name]()
            made[name] = example_reports.write(tmp_path_factory.mktemp(name), evidence)
        return made[name]

    return page


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:  # noqa: F811
    context = chromium.new_context(viewport={"width": 1280, "height": 844}, offline=True)
    yield context
    context.close()


@pytest.mark.parametrize("name", ["good", "bad"])
def test_it_asks_for_nothing_breaks_nowhere_and_shuts_nobody_out(
    context: BrowserContext, reports: Callable[[str], Path], name: str
) -> None:
    opened = Opened(context.new_page(), reports(name))
    assert opened.page.locator("#results-table .col-result").count() > 60, "pytest-html's own table is there"
    assert not opened.grave()
    opened.page.emulate_media(color_scheme="dark")
    assert not opened.grave("color-contrast")
    opened.page.set_viewport_size({"width": 390, "height": 844})
    assert not opened.too_wide()
    assert opened.requests == [reports(name).as_uri()]
    assert not opened.complaints


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["good", "bad"])
@SCREENS
def test_every_rule_holds_in_every_way_of_looking_at_it(
    context: BrowserContext, reports: Callable[[str], Path], name: str, scheme: Scheme, width: int
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    assert not Opened(page, reports(name)).grave()


def test_it_needs_no_script_above_the_table(chromium: Browser, reports: Callable[[str], Path]) -> None:  # noqa: F811
    with chromium.new_context(java_script_enabled=False, offline=True) as context:
        page = context.new_page()
        page.goto(reports("bad").as_uri())
        assert page.locator("#kv-call").inner_text() == "ROLL BACK"
        assert page.locator("section:has(#kv-latency) svg").count() == 3
