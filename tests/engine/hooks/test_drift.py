"""A written runbook and runbook.toml are held against each other, box by box."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kamiyo_verify.hooks.written_runbook.checkboxes import boxes_in
from kamiyo_verify.judge.preflight.drift import Box, Drift, compare
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Impact, Phase
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

MARKDOWN = """\
- [ ] Before any heading

# 1. **Code** `quality`

- [ ] All tests pass
  ```bash
  - [ ] no box, but code
  ```
- [x] **Bold** and `code` and a [link](https://example.com/x)
- [X] Two
  lines
* [ ] **Flows**
  - [ ] nested
    1. [ ] deeper
- no box
- [] none either
- [y] nor this

Setext heading
--------------

+ [ ] last one &amp; done
+ [ ]

      - [ ] indented code

<!-- - [ ] a comment -->
"""


def test_boxes_are_read_as_they_are_rendered() -> None:
    assert [(box.section, box.text, box.line) for box in boxes_in(MARKDOWN)] == [
        ("", "Before any heading", 1),
        ("1. Code quality", "All tests pass", 5),
        ("1. Code quality", "Bold and code and a link", 9),
        ("1. Code quality", "Two lines", 10),
        ("1. Code quality", "Flows", 12),
        ("1. Code quality", "nested", 13),
        ("1. Code quality", "deeper", 14),
        ("Setext heading", "last one & done", 22),
        ("Setext heading", "", 23),
    ]


def test_line_ends_of_windows_make_no_difference() -> None:
    assert [*boxes_in(MARKDOWN.replace("\n", "\r\n"))] == [*boxes_in(MARKDOWN)]


def item(name: str, checkbox: str = "", section: str = "1") -> Item:
    return Item(
        id=f"postdeploy.{name}",
        title=name,
        section=section,
        phase=Phase.POSTDEPLOY,
        impact=Impact.CORE,
        checkbox=checkbox,
    )


def drift(*boxes: tuple[str, str], items: tuple[Item, ...], but_not: str = "") -> Drift:
    found = [Box(section, text, number) for number, (section, text) in enumerate(boxes, start=1)]
    return compare(found, items, {one.id for one in items} - {f"postdeploy.{but_not}"})


def test_every_box_with_its_checks_is_no_gap() -> None:
    found = drift(("1", "A"), ("1", "B"), items=(item("a", "A"), item("a2", "A"), item("b", "B"), item("c")))

    assert (found.gap, found.description, [*found.lines()]) == (False, "2 of 2 checkboxes have a check", [])


def test_a_new_box_is_named_with_its_line() -> None:
    found = drift(("1", "A"), ("2", "Something else entirely"), items=(item("a", "A"),))

    assert (found.gap, found.description) == (True, "1 of 2 checkboxes have a check")
    [line] = found.lines()
    assert line.startswith('line 2: "Something else entirely" has no item')
    assert 'section = "2"' in line


def test_a_box_is_not_covered_while_one_of_its_items_has_no_check() -> None:
    found = drift(("1", "A"), items=(item("a", "A"), item("a2", "A")), but_not="a2")

    assert found.description == "0 of 1 checkboxes have a check"
    assert [*found.lines()] == ["postdeploy.a2 has no check: write one in checks/postdeploy/"]


def test_an_item_whose_box_is_gone_is_named() -> None:
    found = drift(("1", "A"), items=(item("a", "A"), item("b", "Quite another matter")))

    assert [*found.lines()] == [
        'postdeploy.b: its checkbox "Quite another matter" is not in the runbook ("1")'
    ]


def test_a_wording_that_moved_is_told_with_both_wordings() -> None:
    found = drift(
        ("1", "All tests pass in CI"), items=(item("a", "All tests pass"), item("b", "All tests pass"))
    )

    assert (found.gap, found.description, found.new, found.gone) == (
        True,
        "0 of 1 checkboxes have a check",
        (),
        (),
    )
    [line] = found.lines()
    assert 'line 1: the wording moved (82 % alike): "All tests pass in CI" was "All tests pass"' in line
    assert "postdeploy.a, postdeploy.b" in line


def test_a_box_under_another_heading_is_told_so() -> None:
    found = drift(("2", "All tests pass"), items=(item("a", "All tests pass"),))

    assert [*found.lines()] == [
        'line 1: "All tests pass" moved from "1" to "2": set that section for postdeploy.a'
    ]


def test_the_most_alike_are_paired_and_each_once() -> None:
    found = drift(
        ("1", "Check the API now"),
        ("1", "Check the API twice"),
        items=(item("now", "Check the API now!"), item("twice", "Check the API twice!")),
    )

    assert {moved.box.text: moved.items for moved in found.moved} == {
        "Check the API now": ("postdeploy.now",),
        "Check the API twice": ("postdeploy.twice",),
    }


def test_nothing_to_compare_is_a_gap() -> None:
    assert drift(items=()).gap


CHECK = '@pytest.mark.item("postdeploy.list")\ndef test_list(): ...\n'


@pytest.fixture
def listed(toy: Toy) -> Toy:
    toy.items({}, more=_ROW)
    toy.check("postdeploy/test_a.py", CHECK)
    toy.write("BOOK.md", "## Step 4\n\n- [ ] The list is there\n")
    return toy


_ROW = """
[[sections]]
title = "Step 4"

[[sections.items]]
id = "postdeploy.list"
title = "List"
impact = "core"
checkbox = "The list is there"
"""


@pytest.mark.parametrize("arguments", [("--plan",), ("-m", "postdeploy"), ("-m", "postdeploy", "-n", "2")])
def test_without_a_gap_the_run_goes_on(listed: Toy, arguments: tuple[str, ...]) -> None:
    ran = listed.run("--runbook=BOOK.md", *arguments)

    assert ran.code == 0, ran.out
    assert "BOOK.md: 1 of 1 checkboxes have a check" in ran.out


@pytest.mark.parametrize("arguments", [("--plan",), ("-m", "postdeploy"), ("-m", "postdeploy", "-n", "2")])
def test_a_gap_ends_the_run_before_it_begins(listed: Toy, arguments: tuple[str, ...]) -> None:
    listed.write("BOOK.md", "## Step 4\n\n- [ ] The list is there\n- [ ] Nobody thought of it\n")
    ran = listed.run("--runbook=BOOK.md", *arguments)

    assert ran.code == 4, ran.out
    assert "BOOK.md: 1 of 2 checkboxes have a check" in ran.out
    assert '"Nobody thought of it" has no item' in ran.out
    assert "Traceback" not in ran.out
    assert not list((listed.folder / "reports").glob("toy/*")), "a run that never began leaves no report"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--runbook=NONE.md",), "cannot be read: No such file"),
        (("--runbook=checks",), "cannot be read: Is a directory"),
        (("--runbook=BOOK.md", "checks/postdeploy"), "--runbook compares with every check"),
    ],
)
def test_what_cannot_be_compared_is_told(listed: Toy, arguments: tuple[str, ...], told: str) -> None:
    ran = listed.run("--plan", *arguments)

    assert ran.code == 4, ran.out
    assert told in ran.out


@pytest.fixture
def written() -> Path:
    """The written runbook, which is no part of the project."""
    path = Path(os.environ.get("KAMIYO_RUNBOOK") or ROOT / "../shared/runbook/DEPLOYMENT_RUNBOOK.md")
    if not path.is_file():
        pytest.skip("the written runbook is not here; KAMIYO_RUNBOOK names its file")
    return path


def plan(runbook: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"--runbook={runbook}", "--plan", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_our_own_runbook_is_covered(written: Path) -> None:
    ran = plan(written)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "57 of 57 checkboxes have a check" in ran.stdout


def test_one_more_checkbox_is_noticed(written: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(written, tmp_path / "COPY.md"))
    copy.write_text(copy.read_text(encoding="utf-8") + "\n- [ ] Water the plants\n", encoding="utf-8")
    ran = plan(copy)

    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "57 of 58 checkboxes have a check" in ran.stderr
    assert '"Water the plants" has no item' in ran.stderr
