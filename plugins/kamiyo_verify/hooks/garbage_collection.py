"""Tune the garbage collector: off during imports, imported objects frozen, few collections afterwards.

Nearly all objects that imports create live until the process ends, and so do tests, reports and results.
Scanning them repeatedly takes a sixth of the time of a run, short or long.
"""

import gc

import pytest

_NEW_OBJECTS = 100_000
"""Collect after this many new objects instead of 700; a few megabytes of garbage are harmless."""

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Enable the garbage collector again, and exclude all objects that exist now."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    gc.enable()
