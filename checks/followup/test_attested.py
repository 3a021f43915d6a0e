"""An hour, a day and a week later: what only people can do, and learn."""

import pytest

ITEMS = (
    "followup.user-reports",
    "followup.log-updated",
    "followup.lessons-documented",
    "followup.runbook-updated",
    "followup.retrospective-scheduled",
    "followup.alerts-tuned",
    "followup.improvements-planned",
    "followup.questions-answered",
)


@pytest.mark.parametrize("item", [pytest.param(item, marks=pytest.mark.item(item)) for item in ITEMS])
def test_a_person_vouches_for_it(item, attestation, measure):
    """Someone says that it is done: who, when and what, about this commit and not too long ago."""
    for name, said in attestation.told.items():
        measure(name, said)

    assert attestation.item == item
