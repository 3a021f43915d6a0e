"""Step 7: what only a person can do once all is well."""

import pytest

ITEMS = (
    "postdeploy.success-announced",
    "postdeploy.issues-documented",
    "postdeploy.on-call-adjusted",
)


@pytest.mark.parametrize("item", [pytest.param(item, marks=pytest.mark.item(item)) for item in ITEMS])
def test_a_person_vouches_for_it(item, attestation, measure):
    """Someone says that it is done: who, when and what, about this commit and not too long ago."""
    for name, said in attestation.told.items():
        measure(name, said)

    assert attestation.item == item
