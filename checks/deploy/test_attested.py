"""Step 1: what only a person can do before it begins."""

import pytest

ITEMS = ("deploy.team-told",)


@pytest.mark.parametrize("item", [pytest.param(item, marks=pytest.mark.item(item)) for item in ITEMS])
def test_a_person_vouches_for_it(item, attestation, measure):
    """Someone says that it is done: who, when and what, about this commit and not too long ago."""
    for name, said in attestation.told.items():
        measure(name, said)

    assert attestation.item == item
