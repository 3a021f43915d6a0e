"""Marks are validated at collection, all at once; the phase comes from the folder."""

from __future__ import annotations

import pytest

from tests.support.toy_project import ITEMS, MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

BY_HAND = """
[[sections]]
title = "1"

[[sections.items]]
id = "preflight.review"
title = "Reviewed"
impact = "process"
manual = true
"""


@MOSTLY_ALONE
def test_every_mistake_is_told_at_once(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.items(ITEMS, more=BY_HAND)
    toy.check(
        "postdeploy/test_a.py",
        """
def test_no_item(): ...

@pytest.mark.item("postdeploy.helth")
def test_unknown(): ...

@pytest.mark.item("postdeploy.health")
def test_first(): ...

@pytest.mark.item("postdeploy.health")
def test_second(): ...

@pytest.mark.item("preflight.tests")
def test_of_another_phase(): ...

@pytest.mark.item("preflight.review")
def test_by_hand(): ...

@pytest.mark.item("postdeploy.list")
@pytest.mark.needs("api.kee")
@pytest.mark.preflight
def test_marks(): ...

@pytest.mark.item("postdeploy.live")
@pytest.mark.needs
@pytest.mark.writes(3)
def test_arguments(): ...

@pytest.mark.item(id="postdeploy.data")
def test_keyword(): ...
""",
    )
    toy.check("test_b.py", '@pytest.mark.item("postdeploy.data")\ndef test_homeless(): ...\n')
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.code == 4
    for words in (
        "test_no_item: names no item",
        'test_unknown: runbook.toml has no item "postdeploy.helth"; did you mean "postdeploy.health"?',
        "test_second: postdeploy.health is checked by checks/postdeploy/test_a.py::test_first already",
        'test_of_another_phase: is in the folder "postdeploy", but preflight.tests is of the phase',
        "test_by_hand: preflight.review is manual",
        'test_marks: @pytest.mark.needs: no environment has a credential or a table "api.kee"',
        'test_marks: is marked "preflight"',
        "test_arguments: @pytest.mark.needs takes keys of credentials",
        "test_arguments: @pytest.mark.writes takes what is written",
        "test_keyword: @pytest.mark.item takes one item",
        "test_homeless: is in no phase's folder",
    ):
        assert words in ran.out, words
    assert "Traceback" not in ran.out
    assert ran.report is None
    assert not list((toy.folder / "reports").glob("toy/*")), "a run that never began leaves no report"


@MOSTLY_ALONE
def test_variants_of_one_function_are_one_item(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.list")
@pytest.mark.parametrize("origin", ["a", "b", "c"])
def test_origins(origin, measure):
    measure("seen", 1)
    assert origin != "b", "b is refused"
""",
    )
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.statuses["postdeploy.list"] == "failed"
    assert ran.message("postdeploy.list") == "b is refused"
    item = next(item for item in ran.verdict.items if item.id == "postdeploy.list")
    assert [taken.name for taken in item.measurements] == ["seen", "seen[b]", "seen[c]"]


def test_performance_belongs_to_postdeploy_too(toy: Toy) -> None:
    toy.check("performance/test_a.py", '@pytest.mark.item("performance.api")\ndef test_p95(): ...\n')
    toy.check("postdeploy/test_b.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')

    whole = toy.run("-m", "postdeploy")
    assert whole.statuses["performance.api"] == "passed"
    assert whole.verdict.phase == "postdeploy+performance"

    quick = toy.run("-m", "postdeploy and not performance")
    assert "performance.api" not in quick.statuses
    assert quick.verdict.phase == "postdeploy"


@MOSTLY_ALONE
def test_a_module_that_cannot_be_read_stops_the_run_without_a_good_word(
    toy: Toy, workers: tuple[str, ...]
) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')
    toy.check("postdeploy/test_b.py", "import no_such_module\n")
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.code == 2
    assert ran.verdict.recommendation == "inconclusive"
    assert ran.statuses == {"postdeploy.health": "error"}
    assert "no_such_module" in ran.out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("-m", "postdeploy", "-k", "health"), "unverified"),
        (("checks/postdeploy/test_a.py",), "unverified"),
        (("checks/postdeploy/test_a.py::test_health",), "unverified"),
        (("-m", "postdeploy"), "passed"),
        (("checks/postdeploy",), "passed"),
    ],
)
def test_a_part_of_a_phase_never_passes_for_the_whole(
    toy: Toy, arguments: tuple[str, ...], status: str
) -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')
    toy.check("postdeploy/test_b.py", '@pytest.mark.item("postdeploy.data")\ndef test_data(): ...\n')
    ran = toy.run(*arguments)

    assert ran.statuses == {"postdeploy.health": "passed", "postdeploy.data": status}
    assert ran.code == (0 if status == "passed" else 30)


def test_an_empty_selection_is_inconclusive(toy: Toy) -> None:
    ran = toy.run("-m", "rollback")

    assert ran.code == 30
    assert ran.verdict.recommendation == "inconclusive"


def test_a_person_can_vouch_for_what_only_a_person_can_see(toy: Toy) -> None:
    toy.items({"preflight.tests": "process"}, more=BY_HAND)
    toy.check("preflight/test_a.py", '@pytest.mark.item("preflight.tests")\ndef test_tests(): ...\n')

    waiting = toy.run("-m", "preflight")
    assert waiting.statuses["preflight.review"] == "unverified"
    assert "--attest" in waiting.message("preflight.review")

    vouched = toy.run("-m", "preflight", "--attest", "preflight.review=Ada: read every line")
    assert vouched.statuses["preflight.review"] == "passed"
    assert "Ada: read every line" in vouched.message("preflight.review")


def test_one_file_beside_the_folders_attests_manual_items_of_every_phase(toy: Toy) -> None:
    toy.items({"preflight.tests": "process"}, more=BY_HAND)
    toy.check("preflight/test_a.py", '@pytest.mark.item("preflight.tests")\ndef test_tests(): ...\n')
    toy.check(
        "test_attested.py",
        '@pytest.mark.item("preflight.review")\n'
        'def test_attested(attestation, measure): measure("who", attestation.who)\n',
    )

    waiting = toy.run("-m", "preflight")
    assert waiting.statuses["preflight.review"] == "unverified"

    vouched = toy.run("-m", "preflight", "--attest", "preflight.review=Ada: read every line")
    assert vouched.statuses["preflight.review"] == "passed"
