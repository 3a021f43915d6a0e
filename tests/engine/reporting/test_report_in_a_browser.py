"""The reports as people open them: without a network, in light and in dark, on a desk and on a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.support import example_reports
from tests.support.browsers import SCREENS, Opened, chromium  # noqa: F401 - a fixture
from tests.support.example_reports import EXAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

ALL = EXAMPLES | {"very-bad": example_reports.very_bad}

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The page of a deployment, written when it is first asked for."""
    made: dict[str, Path] = {}

    def page(name: str) -> Path:
        if name not in made:
            made[name] = example_reports.write(tmp_path_factory.mktemp(name), ALL[name]())
        return made[name]

    return page


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:  # noqa: F811
    context = chromium.new_context(viewport={"width": 1280, "height": 844}, offline=True)
    yield context
    context.close()


@pytest.mark.parametrize("name", ["proceed", "roll-back"])
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
@pytest.mark.parametrize("name", ["proceed", "roll-back"])
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
        page.goto(reports("roll-back").as_uri())
        assert page.locator("#kv-call").inner_text() == "ROLL BACK"
        assert page.locator("section:has(#kv-latency) svg").count() == 3


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_first_screen_tells_what_is_broken_what_to_do_how_sure_and_who_acts(
    context: BrowserContext, reports: Callable[[str], Path], name: str, width: int, height: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(reports(name).as_uri())
    acts = {"roll-back": ("kv-back", "kv-who"), "fix-forward": ("kv-who",)}.get(name, ())
    assert page.locator("#kv-back").count() == (name == "roll-back")
    tops = []
    for part in ("kv-call", "kv-cause", "kv-do", *acts[:-1], "kv-confidence", *acts[-1:]):
        box = page.locator(f"#{part}").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, part
        tops.append(box["y"])
    assert tops == sorted(tops)


@pytest.mark.parametrize("name", ALL)
def test_a_page_is_short_and_small_while_it_is_folded(
    context: BrowserContext, reports: Callable[[str], Path], name: str
) -> None:
    page = context.new_page()
    page.goto(reports(name).as_uri())
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollHeight") < 6_000, width
    assert reports(name).stat().st_size < 400_000


def test_what_folds_on_a_phone_stands_open_on_a_desk(
    context: BrowserContext, reports: Callable[[str], Path]
) -> None:
    page = context.new_page()
    page.goto(reports("very-bad").as_uri())
    fold = page.locator("section:has(#kv-evidence) > .kv-narrow")
    summary, inside = fold.locator("> summary"), fold.locator("> ol")
    assert inside.is_visible()
    assert not summary.is_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert summary.is_visible()
    assert not inside.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert inside.is_visible()


def test_folds_open_by_keyboard_and_print_open(
    context: BrowserContext, reports: Callable[[str], Path]
) -> None:
    page = context.new_page()
    page.goto(reports("roll-back").as_uri())
    tests, items = page.locator("#results-table"), page.locator(".kv-item")
    assert not tests.is_visible()
    assert not items.first.is_visible()
    page.locator(".kv-tests > summary").focus()
    page.keyboard.press("Enter")
    assert tests.is_visible()
    page.keyboard.press("Enter")
    assert not tests.is_visible()
    page.emulate_media(media="print")
    assert tests.is_visible()
    assert all(item.is_visible() for item in items.all())
