"""Components of suppliers' status pages as people report them: names that resemble ours, other regions.

Each case is named by the public report that it comes from. A component that is not in the path of our
requests explains no failure of ours.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.attribution.suppliers import counts
from kamiyo_verify.model.runbook import SupplierRow
from kamiyo_verify.model.words import Supplier

Report = pytest.param


def supplier(*components: str) -> SupplierRow:
    return SupplierRow(id=Supplier.RENDER, name="A supplier", page="render", components=components)


@pytest.mark.parametrize(
    ("ours", "degraded"),
    [
        Report("Voice Agent API", "Voice Agent API: Downstream Providers", id="bentleypark/aiwatch#692"),
        Report("AI Platform", "AI Platform China", id="bentleypark/aiwatch#700"),
        Report("Junie", "Grazie", id="bentleypark/aiwatch#683"),
        Report("API", "Website", id="bentleypark/aiwatch#625"),
        Report("API", "Chat Completions API", id="bentleypark/aiwatch#623"),
        Report("Claude API", "claude.ai", id="bentleypark/aiwatch#228"),
    ],
)
def test_a_component_with_a_similar_name_explains_nothing(ours: str, degraded: str) -> None:
    for regions in ((), ("oregon",)):
        assert not counts(degraded, supplier(ours), regions)
        assert counts(ours, supplier(ours), regions)


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        Report("API - {}", "US East", "EU West", id="bentleypark/aiwatch#89"),
        Report("CDN/Cache - ({})", "MRU", "ROB", id="inket/stts#117"),
        Report("Web Services ({})", "Oregon", "Singapore", id="sintaxi/surge#573"),
    ],
)
def test_a_component_of_another_region_explains_nothing(name: str, ours: str, theirs: str) -> None:
    row = supplier(name.format("").rstrip("() -"))
    assert counts(name.format(ours), row, (ours.lower(),))
    assert not counts(name.format(theirs), row, (ours.lower(),))
    assert not counts(name.format(theirs), row, ())
