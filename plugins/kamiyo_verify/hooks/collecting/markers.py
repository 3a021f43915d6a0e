"""The markers of checks, registered with pytest so that strict mode accepts them in any project."""

import pytest

from kamiyo_verify.model.words import Phase

_PHASES = {
    Phase.PREFLIGHT: "before the deployment",
    Phase.DEPLOY: "while it is deployed",
    Phase.POSTDEPLOY: "after the deployment; the performance items carry this mark too",
    Phase.PERFORMANCE: "response times, error rate, slow queries",
    Phase.ROLLBACK: "after a rollback",
    Phase.FOLLOWUP: "an hour, a day and a week later",
}
_MARKERS = (
    "item(id): the item of runbook.toml that this test checks",
    'needs(*keys): credentials and tables without which the item is unverified, such as "api.key", "project"',
    "writes(what): the check writes to the platform; unverified where mutations are forbidden",
    "asks: the check reaches the platform by our clients only; its GETs may be sent while others run",
    *(f"{phase}: {when}" for phase, when in _PHASES.items()),
)


def pytest_configure(config: pytest.Config) -> None:
    """Register each marker with its meaning, for `pytest --markers` and strict mode."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
