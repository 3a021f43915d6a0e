"""--runbook: does every checkbox of the written runbook have its check, and the other way round?"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.getgroup("kamiyo-verify").addoption(
        "--runbook",
        metavar="FILE.md",
        help="compare items and checks with the checkboxes of a written runbook; a gap ends the run (exit 4)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Compare where a run is told to; workers leave it to their controller.

    Raises:
        pytest.UsageError: there is no such runbook, or not all checks were asked for.
    """
    if not config.getoption("runbook"):
        return
    # pytest imports this module in every run of every project, and what follows only where it is asked for.
    from plugins.options import argument_paths, verification_roots  # noqa: PLC0415
    from plugins.run import RUN  # noqa: PLC0415
    from plugins.written_runbook import DriftPlugin, boxes_of  # noqa: PLC0415

    run = config.stash.get(RUN, None)
    if run is None or run.is_worker:
        return
    path = config.invocation_params.dir / config.getoption("runbook")
    boxes = boxes_of(path)
    roots, asked = verification_roots(config), argument_paths(config)
    if not all(any(root.is_relative_to(path) for path in asked) for root in roots):
        raise pytest.UsageError("--runbook compares with every check: name no folder or file of them")
    config.pluginmanager.register(DriftPlugin(run, path.name, boxes), "kamiyo-verify-DriftPlugin")
