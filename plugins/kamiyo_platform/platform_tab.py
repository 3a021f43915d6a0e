"""A browser tab on Kamiyo's pages that can be signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.integrations.browser.page_events import Watch
from kamiyo_verify.integrations.browser.screenshots import Pictures
from kamiyo_verify.integrations.browser.tab import Tab

if TYPE_CHECKING:
    from playwright.async_api import Page


class PlatformTab(Tab):
    """A tab with access to the whole environment.

    Args:
        environment: the address of the pages and the test account.
    """

    def __init__(self, page: Page, environment: Environment, watch: Watch, pictures: Pictures) -> None:
        super().__init__(page, environment, watch, pictures)
        self.environment = environment
