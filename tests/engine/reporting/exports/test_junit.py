"""junit.xml has the verdict's data as properties, as a third-party parser reads them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from kamiyo_verify.reporting.exports.junit import with_properties
from tests.engine.reporting.exports.verdicts import BAD, GOOD, HOSTILE_ONE, VERDICTS
from tests.support.evidence_for import DATA, SIGN_IN
from tests.support.hostile import LIVE_CHARACTERS
from tests.support.junit_files import Properties, properties


def written(*items: str, more: str = "") -> str:
    """A file as pytest writes it: some test cases name their item."""
    cases = "".join(
        f'<testcase classname="checks" name="test_{n}" time="0.1"><properties>'
        f'<property name="item" value="{item}"/></properties><failure message="no">no</failure></testcase>'
        for n, item in enumerate(items)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">'
        f'<testsuite name="pytest" errors="0" failures="{len(items)}" skipped="0" tests="{len(items)}" '
        f'time="1.0">{cases}{more}</testsuite></testsuites>'
    )


def read(text: str) -> tuple[Properties, list[Properties]]:
    suite, cases = properties(text.encode())
    return suite, [found for _, found in cases]


def test_a_suite_has_the_call_and_a_case_its_item() -> None:
    suite, [first, second] = read(with_properties(written(SIGN_IN, DATA), BAD))
    assert suite["recommendation"] == BAD.recommendation.value
    assert suite["exit_code"] == str(BAD.exit_code)
    assert (suite["environment"], suite["commit"]) == (BAD.environment, "9c41d07")
    assert (first["item"], first["impact"], first["status"]) == (SIGN_IN, "auth", "failed")
    assert (second["item"], second["impact"], second["status"]) == (DATA, "data", "error")
    attributions = {item.id: item.attribution for item in BAD.items}
    assert first["attribution"] == attributions[SIGN_IN]


def test_the_rest_of_the_file_stays_as_it_is() -> None:
    more = '<testcase classname="checks" name="other" time="0"><system-out>a &lt; b\n</system-out></testcase>'
    text = with_properties(written(SIGN_IN, more=more), BAD)
    before, after = (
        [
            (one.tag, one.attrib, one.text)
            for one in ElementTree.fromstring(xml).iter()  # noqa: S314 - of this test
            if one.tag[:4] != "prop"
        ]
        for xml in (written(SIGN_IN, more=more), text)
    )
    assert before == after
    _, cases = read(text)
    assert cases[1] == {}


def test_twice_is_the_same_as_once() -> None:
    once = with_properties(written(SIGN_IN), BAD)
    assert with_properties(once, BAD) == once


@pytest.mark.parametrize("name", VERDICTS)
def test_every_verdict_gives_a_file_that_can_be_read(name: str) -> None:
    text = with_properties(written(SIGN_IN, "postdeploy.unheard-of"), VERDICTS[name])
    suite, _ = read(text)
    assert suite["recommendation"] == VERDICTS[name].recommendation.value
    assert not set(LIVE_CHARACTERS) & set(text)
    assert text.encode()


def test_a_run_without_tests_has_the_call_too() -> None:
    suite, cases = read(with_properties(written(), GOOD))
    assert (suite["recommendation"], cases) == ("proceed", [])


def test_what_others_sent_is_text_and_no_markup() -> None:
    suite, _ = read(with_properties(written(SIGN_IN), HOSTILE_ONE))
    assert "<script>" in suite["commit"]
