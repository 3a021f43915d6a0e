"""Row counts as people report them: endpoints that contradict each other, and rows that a deployment lost.

Each case is named by the public report that it comes from, with the numbers of the report.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.rules.data_loss import COUNTS_ITEM
from kamiyo_verify.model.words import Action
from tests.engine.judge.test_data_loss import counts, verdict

Report = pytest.param


@pytest.mark.parametrize(
    ("one", "other"),
    [
        Report(414, 139, id="DataBiosphere/azul#186"),
        Report(33, 16, id="gabriprat/hoshinplan#121"),
        Report(25, 0, id="DoSomethingArchive/legacy-website#5874"),
        Report(93, 79, id="markmhendrickson/neotoma#2467"),
        Report(53, 23, id="oasisprotocol/nexus#489"),
    ],
)
def test_two_endpoints_that_count_the_same_rows_differently_contradict(one: int, other: int) -> None:
    for pair in ((one, other), (other, one)):
        assert counts(*[pair] * 3).contradiction != ""


def test_a_few_rows_between_two_requests_are_no_contradiction() -> None:
    """GSA/project-open-data-dashboard#15: one of the two is a count of the night before."""
    for pair in ((1570, 1600), (1600, 1570)):
        assert counts(*[pair] * 3).contradiction == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        Report(15_424_020, 11_810_653, id="ustaxcourt/ef-cms#537"),
        Report(80, 0, id="nextcloud/tables#1294"),
        Report(4, 2, id="umami-software/umami#1960"),
        Report(55, 23, id="nilsteampassnet/TeamPass#4135"),
    ],
)
def test_rows_that_are_gone_after_a_deployment_are_lost_data(before: int, after: int) -> None:
    found = verdict({"health": before, "exploits": before}, {"health": after, "exploits": after})
    assert found.recommendation is Action.ROLL_BACK
    [reason] = [one for one in found.reasons if one.item == COUNTS_ITEM]
    assert f"counts {after:,} where the baseline has {before:,}" in reason.message


def test_a_count_that_rose_is_no_lost_data() -> None:
    """square/shift#56: rows seemed to be missing after a migration, and the count was an estimate."""
    assert verdict({"health": 986_408}, {"health": 986_473}).recommendation is Action.PROCEED
