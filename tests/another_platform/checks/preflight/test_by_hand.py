"""Before: what only a person can say."""

import pytest


@pytest.mark.item("preflight.reviewed")
def test_somebody_vouches_for_the_review(attestation, measure):
    """Somebody says who has read the change."""
    for name, said in attestation.description.items():
        measure(name, said)
