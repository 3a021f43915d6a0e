"""Nothing but the list of plugins: those of Kamiyo's conftest.py whose fixtures these checks ask for."""

pytest_plugins = [
    "plugins.startup",
    "plugins.options",
    "plugins.evidence",
    "plugins.fixtures",
    "plugins.vouching",
    "plugins.verification",
    "plugins.drift",
]
