"""The fixtures of Kamiyo's own platform; the engine is loaded by its entry point."""

import importlib.metadata
import sys

import pytest

try:
    importlib.metadata.distribution("kamiyo-verify")
except importlib.metadata.PackageNotFoundError:
    sys.stderr.write(
        f"kamiyo-verify is not installed for {sys.executable}: run make setup, then . .venv/bin/activate\n"
    )
    raise SystemExit(4) from None

PARTS = (
    "kamiyo_platform.fixtures",
    "kamiyo_platform.browser_fixtures",
    "kamiyo_platform.sampling",
    "kamiyo_platform.data_fixtures",
    "kamiyo_platform.smoke_test",
    "kamiyo_platform.security_fixtures",
    "kamiyo_platform.variable_fixtures",
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixtures: `pytest_plugins` would search every installed package for each of them."""
    for part in PARTS:
        config.pluginmanager.import_plugin(part)
