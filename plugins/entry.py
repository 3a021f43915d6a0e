"""pytest's way in when the command line misleads it about where the project is.

pytest looks for its configuration above every path on the command line, and before it knows our options it
takes their values for such paths: `pytest --runbook ../RUNBOOK.md --plan` would run without pyproject.toml.
This module is installed as a plugin of its own, so it is there even then, and begins again with the
configuration of the folder that pytest was called in.
"""

from __future__ import annotations

from pathlib import Path

import pytest

# The second beginning meets modules of the first.
_KNOWN = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> pytest.ExitCode | int | None:
    """Begin again where pytest missed the configuration beside the runbook that it was called at."""
    folder = config.invocation_params.dir
    settings = folder / "pyproject.toml"
    if not missed(config.inipath, settings):
        return None
    arguments = ["-c", str(settings), "-W", _KNOWN, *config.invocation_params.args]
    return pytest.main(arguments, plugins=list(config.invocation_params.plugins or ()))


def missed(found: Path | None, settings: Path) -> bool:
    """No configuration was found, though a project of ours is right here."""
    return found is None and settings.is_file() and (settings.parent / "runbook.toml").is_file()
