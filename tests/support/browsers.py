"""A real Chromium for our own tests. Where there is none they are skipped, and say so.

Where `KAMIYO_REQUIRES_BROWSER` is 1, as in CI, its absence is a failure instead.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.integrations.browser.chromium import lacking

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENS = pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)], ids=["light", "dark", "phone"]
)
"""A desk by day, a desk by night, and a telephone."""

_GRAVE = {"serious", "critical"}

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # containers run tests as root, for whom Chromium refuses to start otherwise
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Opened:
    """A page, and what it asked for and complained of."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path.as_uri())

    def grave(self, *rules: str) -> list[str]:
        """What shuts people out: axe's serious and critical findings, with everything unfolded.

        By all of its rules, or by these alone.
        """
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - see `chromium`

        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        options = {"runOnly": [*rules]} if rules else {}
        found = Axe().run(self.page, options=options).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in _GRAVE]

    def too_wide(self) -> int:
        """By how many px the page is wider than the screen."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(0, wide)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for a module; let each test have a context of its own.

    While it is there this thread has a running event loop, so no module may have it that runs one of its own.
    """
    for package in ("playwright", "axe_playwright_python"):
        if importlib.util.find_spec(package) is None:
            _go_without(f"{package} is not installed: pip install 'kamiyo-verify[browser-dev]'")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        _go_without("there is no Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        yield browser
        browser.close()


def required() -> None:
    """Whoever goes on has what the suite itself looks at pages with."""
    if why := lacking(""):
        _go_without(why)


def _go_without(why: str) -> None:
    if os.environ.get("KAMIYO_REQUIRES_BROWSER") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
