"""Read a JUnit file by a third-party parser."""

from __future__ import annotations

from typing import Any

from junitparser.xunit2 import JUnitXml

Properties = dict[str, str]


def properties(content: bytes) -> tuple[Properties, list[tuple[str, Properties]]]:
    """The properties of its only suite, and those of each test case, with its name."""
    # The parser has types for some of its parts.
    suites: Any = JUnitXml.fromstring(content)
    [suite] = suites
    cases = [(case.name, {one.name: one.value for one in case.properties()}) for case in suite]
    return {one.name: one.value for one in suite.properties()}, cases
