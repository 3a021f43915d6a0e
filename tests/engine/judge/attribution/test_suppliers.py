"""A supplier excuses only by a component that is in the request's path: its whole name, and our region."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.attribution.suppliers import counts, region_of
from kamiyo_verify.model.runbook import SupplierRow
from kamiyo_verify.model.words import Supplier

RENDER = SupplierRow(
    id=Supplier.RENDER, name="Render", page="render", components=("Web Services", "PostgreSQL")
)
STRIPE = SupplierRow(id=Supplier.STRIPE, name="Stripe", page="stripe", components=("API", "Webhooks"))


@pytest.mark.parametrize(
    ("component", "row", "regions", "does"),
    [
        ("Web Services", RENDER, (), True),
        (" web services ", RENDER, (), True),
        ("Static Sites", RENDER, ("oregon",), False),
        ("PostgreSQL (Oregon)", RENDER, ("oregon",), True),
        ("PostgreSQL - Oregon", RENDER, ("oregon", "frankfurt"), True),
        ("PostgreSQL (Singapore)", RENDER, ("oregon",), False),
        ("PostgreSQL (Singapore)", RENDER, (), False),
        ("Web Services in Oregon", RENDER, ("oregon",), False),
        ("API", STRIPE, (), True),
        ("Capital API", STRIPE, (), False),
        ("Capital", STRIPE, (), False),
        ("API Keys Dashboard", STRIPE, (), False),
        ("", STRIPE, (), False),
    ],
)
def test_a_component_counts_by_its_whole_name_and_region(
    component: str, row: SupplierRow, regions: tuple[str, ...], *, does: bool
) -> None:
    assert counts(component, row, regions) is does


@pytest.mark.parametrize(
    ("component", "region"),
    [("PostgreSQL (Ohio)", "Ohio"), ("Redis – Frankfurt", "Frankfurt"), ("Webhooks", ""), ("Re-runs", "")],
)
def test_the_region_stands_behind_the_name(component: str, region: str) -> None:
    assert region_of(component) == region
