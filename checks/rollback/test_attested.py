"""After a rollback: what only people can do, so that it does not happen again."""

import pytest

ITEMS = (
    "rollback.decision-recorded",
    "rollback.announced",
    "rollback.incident-reported",
    "rollback.reason-documented",
    "rollback.ticket-created",
    "rollback.process-reviewed",
    "rollback.root-cause-found",
    "rollback.checklist-extended",
    "rollback.fix-planned",
    "rollback.data-restored",
    "rollback.post-mortem-scheduled",
)


@pytest.mark.parametrize("item", [pytest.param(item, marks=pytest.mark.item(item)) for item in ITEMS])
def test_a_person_vouches_for_it(item, attestation, measure):
    """Someone says that it is done: who, when and what, about this commit and not too long ago."""
    for name, said in attestation.told.items():
        measure(name, said)

    assert attestation.item == item
