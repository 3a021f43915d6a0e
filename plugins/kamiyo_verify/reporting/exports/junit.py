"""Add the verdict to junit.xml, which pytest writes: as properties of each test case and of the suite.

pytest writes what it knows when a test ends. The attribution of a failure and the recommendation are known
only when the run is judged, so they are added to the file afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from kamiyo_verify.model.verdict import ItemReport, Verdict
from kamiyo_verify.model.writing.text import visible

ITEM = "item"
"""The property with the id of the item that a test case checks; the run sets it."""

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'

_Properties = Iterable[tuple[str, str]]


def with_properties(xml: str, verdict: Verdict) -> str:
    """Return the JUnit XML with the verdict's properties; a property that is there already is replaced.

    Args:
        xml: a file as pytest writes it, whose test cases name their items.
        verdict: the verdict of the same run.

    Raises:
        xml.etree.ElementTree.ParseError: it is not XML.
    """
    root = ElementTree.fromstring(xml)  # noqa: S314 - written by pytest in this run
    items = {item.id: item for item in verdict.items}
    for suite in root.iter("testsuite"):
        _set(suite, _of_run(verdict))
        for case in suite.iter("testcase"):
            item = items.get(_item_of(case))
            if item is not None:
                _set(case, _of_item(item))
    return _HEAD + ElementTree.tostring(root, encoding="unicode")


def _of_run(verdict: Verdict) -> _Properties:
    yield "recommendation", verdict.recommendation.value
    yield "exit_code", str(verdict.exit_code)
    yield "headline", verdict.headline
    yield "environment", verdict.environment
    yield "phase", verdict.phase
    if verdict.commit:
        yield "commit", verdict.commit
    if verdict.place:
        yield "place", verdict.place


def _of_item(item: ItemReport) -> _Properties:
    yield ITEM, item.id
    yield "status", item.status.value
    yield "impact", item.impact.value
    if item.attribution is not None:
        yield "attribution", item.attribution.value


def _item_of(case: ElementTree.Element) -> str:
    return next((one.get("value", "") for one in case.iterfind("properties/property[@name='item']")), "")


def _set(parent: ElementTree.Element, properties: _Properties) -> None:
    """Set properties in the parent's list, which comes first in it."""
    held = parent.find("properties")
    if held is None:
        held = ElementTree.Element("properties")
        parent.insert(0, held)
    there = {one.get("name"): one for one in held.iterfind("property")}
    for name, value in properties:
        known = there.get(name)
        if known is None:
            known = ElementTree.SubElement(held, "property", name=name)
        known.set("value", visible(value))
