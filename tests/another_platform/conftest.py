"""The fixtures that these checks ask for, beside those of the engine."""

pytest_plugins = ["kamiyo_platform.fixtures"]
