"""A sample that another one replaces stays in the evidence: leaving out the bad ones would be choosing."""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.model.result import Attempt, Measurement, Result
from tests.support.evidence_for import ERRORS, FAILED, PASSED, result

NODE = "checks/performance/test_b.py::test_api"


def sampled(pattern: str, *, known: bool = True) -> Result:
    bad = tuple(float(one == "x") for one in pattern)
    counts = (Measurement("errors", int(sum(bad)), "count"), Measurement("requests", len(bad), "count"))
    times = (
        Measurement("sent_at", tuple(map(float, range(len(bad)))), "s"),
        Measurement("outcomes", bad),
        Measurement("failed[/x]", "1 of 2"),
        Measurement("stopping", "sequential"),
    )
    tried = result(ERRORS, PASSED if "x" not in pattern else FAILED, measurements=counts + times * known)
    return replace(tried, nodeids=(NODE,), attempts=(Attempt(tried.status, "", "", 0.1),))


def after(*patterns: str, known: bool = True) -> dict[str, object]:
    """The item's measurements after its sample was replaced so often."""
    results = Results()
    first, *others = (sampled(pattern, known=known) for pattern in patterns)
    results.restore(first)
    for other in others:
        results.replace_evidence(other)
    return {taken.name: taken.value for taken in results.of_items()[ERRORS].measurements}


def test_what_was_replaced_stays_under_other_names() -> None:
    found = after("xx.", "....")
    assert (found["errors"], found["requests"]) == (0, 4)
    assert (found["errors[first sample]"], found["requests[first sample]"]) == (2, 3)
    assert found["outcomes[first sample]"] == (1.0, 1.0, 0.0)
    assert "stopping[first sample]" not in found
    assert "failed[/x][first sample]" not in found


def test_several_replaced_samples_are_one() -> None:
    found = after("xx.", "x...", "....")
    assert (found["errors"], found["requests"]) == (0, 4)
    assert (found["errors[first sample]"], found["requests[first sample]"]) == (3, 7)
    assert found["outcomes[first sample]"] == (1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    assert found["sent_at[first sample]"] == (0.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0)


def test_the_same_sample_again_counts_once() -> None:
    assert "errors[first sample]" not in after("xx.", "xx.")
    found = after("xx.", "x...", "x...")
    assert (found["errors[first sample]"], found["requests[first sample]"]) == (2, 3)


def test_counts_without_times_stay_too() -> None:
    assert after("xx.", "....", known=False) == {
        "errors": 0,
        "requests": 4,
        "errors[first sample]": 2,
        "requests[first sample]": 3,
    }
