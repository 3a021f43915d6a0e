"""The page that pytest-html wrote, put right; and the screenshots that go into it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.history.chart_data import ChartData
from kamiyo_verify.reporting import html
from kamiyo_verify.reporting.embedded_screenshots import MOST, MOST_BYTES, embedded
from kamiyo_verify.reporting.html_page import mended
from kamiyo_verify.reporting.report import Report
from tests.support.evidence_for import evidence
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"


def test_a_page_of_a_run_is_whole(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...')
    report = toy.run("-m", "postdeploy").report
    assert report is not None
    page = (report / "report.html").read_text(encoding="utf-8")
    for whole in ('<html lang="en">', "default-src 'none'", 'aria-label="show failed"', "join('')}</ul>`"):
        assert whole in page
    assert "<html>" not in page


def test_a_test_has_one_row_with_its_tries_inside(toy: Toy) -> None:
    toy.items({"postdeploy.health": "feature"})
    toy.check(
        "postdeploy/test_a.py",
        '@pytest.mark.item("postdeploy.health")\ndef test_health():\n    assert 1 == 2, "<b>no answer</b>"',
    )
    report = toy.run("-m", "postdeploy").report
    assert report is not None
    page = (report / "report.html").read_text(encoding="utf-8")
    blob = re.search(r'data-jsonblob="([^"]*)"', page)
    assert blob is not None
    table = unescape(blob[1])
    rows = re.findall(r'col-testId\\">([^<]+)<', table)
    assert rows == ["checks/postdeploy/test_a.py::test_health"]
    assert "try 1: " in table
    assert "try 2: " in table
    assert "<b>no answer</b>" not in table


@pytest.mark.parametrize("text", ["", "<html>", '<input data-test-result="x">'])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert mended(text) == text


def test_a_page_in_several_files_keeps_them() -> None:
    page = '<html><link href="assets/style.css" rel="stylesheet"><div id="data-container" data-jsonblob="{}">'
    assert mended(page) == page


def test_pictures_go_into_the_page_by_what_they_are(tmp_path: Path) -> None:
    for name, data in {"a.png": PNG, "b.jpg": JPEG, "c.png": b"<svg onload=alert(1)>", "d.png": b""}.items():
        (tmp_path / name).write_bytes(data)
    assert embedded(tmp_path, ["a.png", "b.jpg", "c.png", "d.png", "none.png", "a.png", "a\0b"]) == {
        "a.png": "data:image/png;base64,iVBORw0KGgo=",
        "b.jpg": "data:image/jpeg;base64,/9j/4A==",
    }


def test_nothing_outside_of_the_folder_goes_into_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    assert embedded(folder, ["../secret.png", "link.png", str(tmp_path / "secret.png")]) == {}


def test_there_is_a_bound_to_pictures(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(MOST + 5)]
    for name in names:
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "large.png").write_bytes(PNG + bytes(MOST_BYTES))
    assert list(embedded(tmp_path, ["large.png", *names])) == names[:MOST]


def test_a_chart_that_breaks_costs_no_verdict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> ChartData:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr("kamiyo_verify.reporting.report.picture", broken)
    given = evidence()
    page = "".join(Report.of(decide(given), given, tmp_path).fragments)
    assert "PROCEED" in page
    assert page.count("it could not be drawn: ZeroDivisionError") == 4
    assert html.css() in page
