"""Nothing but the list of plugins."""

pytest_plugins = [
    "plugins.startup",
    "plugins.options",
    "plugins.evidence",
    "plugins.fixtures",
    "plugins.browser_fixtures",
    "plugins.outside_fixtures",
    "plugins.release_fixtures",
    "plugins.deploy_fixtures",
    "plugins.rollback_fixtures",
    "plugins.preflight_fixtures",
    "plugins.monitoring_fixtures",
    "plugins.vouching",
    "plugins.waits",
    "plugins.deployment",
    "plugins.verification",
    "plugins.drift",
]
