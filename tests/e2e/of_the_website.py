"""A plugin that marks the checks of the website's times, so that -m can leave them out."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "website: what the website takes")


def pytest_itemcollected(item: pytest.Item) -> None:
    if "first_byte" in item.name:
        item.add_marker("website")
