"""--runbook: verify that each checkbox of the Markdown runbook has a check, and vice versa."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kamiyo_verify.model.runbook import Item


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the option --runbook."""
    parser.getgroup("kamiyo-verify").addoption(
        "--runbook",
        metavar="FILE.md",
        help="compare items and checks with the checkboxes of a written runbook; a gap ends the run (exit 4)",
    )


def refuse_another_runbook(config: pytest.Config, items: Iterable[Item]) -> None:
    """Refuse a --runbook that cannot be compared, before a platform is started.

    Raises:
        pytest.UsageError: it cannot be read, is another document, or the run does not include all checks.
    """
    if not config.getoption("runbook"):
        return
    # As below: these imports happen only if --runbook is given.
    from kamiyo_verify.hooks.options import argument_paths, verification_roots  # noqa: PLC0415
    from kamiyo_verify.hooks.written_runbook import document  # noqa: PLC0415

    path = config.invocation_params.dir / config.getoption("runbook")
    boxes = document.boxes_of(path)
    roots, asked = verification_roots(config), argument_paths(config)
    if not all(any(root.is_relative_to(path) for path in asked) for root in roots):
        raise pytest.UsageError("--runbook compares with every check: name no folder or file of them")
    document.refuse_another_document(path, boxes, items)


def pytest_configure(config: pytest.Config) -> None:
    """Register the comparison if --runbook is given; only the controller compares.

    Raises:
        pytest.UsageError: the runbook cannot be read.
    """
    if not config.getoption("runbook"):
        return
    # pytest imports this module in every run, so the following imports happen only if --runbook is given.
    from kamiyo_verify.hooks.run import RUN  # noqa: PLC0415
    from kamiyo_verify.hooks.written_runbook.comparison import DriftPlugin  # noqa: PLC0415
    from kamiyo_verify.hooks.written_runbook.document import boxes_of  # noqa: PLC0415

    run = config.stash.get(RUN, None)
    if run is None or run.is_worker:
        return
    path = config.invocation_params.dir / config.getoption("runbook")
    config.pluginmanager.register(DriftPlugin(run, path.name, boxes_of(path)), "kamiyo-verify-DriftPlugin")
