"""Little search for garbage: none while a run is imported, none in what was imported, seldom in the rest.

Nearly all that importing makes stays to the end of the process, and so do tests, reports and results.
To search them again and again would take a sixth of the time of a run, be it short or long.
"""

import gc

import pytest

_NEW_OBJECTS = 100_000
"""A search begins after so many, not 700: some megabytes of garbage hurt nobody."""

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """From here on as usual, but for what is there already."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    gc.enable()
