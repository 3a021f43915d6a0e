"""Whole runs against targets that mean harm: they end in time, small, inert, and never with a good word."""

from __future__ import annotations

import math
import re
from html import unescape
from pathlib import Path

import pytest

from tests.support.browsers import required
from tests.support.hostile import LIVE_CHARACTERS
from tests.support.hostile_server import HOSTILE, SLOW, STREAMS, Behaviour, answer, saying
from tests.support.hostile_target import TRY_S, Measured, by_turns, run, target

MIB = 1024 * 1024
MOST_MEMORY = 300 * MIB
LARGEST_REPORT = MIB
# Of each try, its way to a stop and its clean-up included, on a machine that is busy with other tests.
SLACK_S = 8
PACKED = {".zip", ".jpg", ".png"}
"""What no terminal and no editor shows as text: a browser's traces and pictures."""
# A browser has memory of its own, and a test of its own.
BESIDES_A_BROWSER = ("-k", "not browser")
# What every user is served by: none of it can pass where every answer means harm.
NEVER_WELL = {
    "postdeploy.api-health",
    "postdeploy.api-readiness",
    "postdeploy.frontend-loads",
    "postdeploy.exploits-served",
    "postdeploy.data-present",
    "postdeploy.auth-csrf",
    "postdeploy.session-recognised",
    "postdeploy.credentials-accepted",
    "postdeploy.exploits-listed",
    "postdeploy.websocket",
    "postdeploy.commit-answering",
}
EVERY = HOSTILE | SLOW | STREAMS


def test_a_target_that_does_everything_in_turn_is_survived(tmp_path: Path) -> None:
    with target(tmp_path, by_turns((HOSTILE | STREAMS).values())) as environment:
        measured = run(tmp_path, environment, "-m", "postdeploy and not performance", *BESIDES_A_BROWSER)
    survived(measured)


@pytest.mark.exhaustive
@pytest.mark.parametrize("behaviour", EVERY.values(), ids=EVERY)
def test_each_way_to_do_harm_is_survived(tmp_path: Path, behaviour: Behaviour) -> None:
    with target(tmp_path, behaviour) as environment:
        measured = run(tmp_path, environment, "-m", "postdeploy", *BESIDES_A_BROWSER)
    survived(measured)
    well = {item for item, status in measured.ran.statuses.items() if status == "passed"}
    assert not well & NEVER_WELL, "an answer that means harm passed for a good one"
    assert measured.ran.call in {"roll_back", "inconclusive"}


NO_ANSWER_OF_OURS = {
    "a 502 of a gateway": saying(answer(b"<html>Bad Gateway", "502 Bad Gateway", "Content-Type: text/html")),
    "a 503 in plain text": saying(answer(b"Service Unavailable", "503 Service Unavailable")),
    "a drip": SLOW["dripping-body"],
    "a bomb": HOSTILE["gzip-bomb"],
    "redirects without end": HOSTILE["redirect-loop"],
    "a page where JSON was expected": HOSTILE["html"],
    "silence": SLOW["silent"],
    "a reset": HOSTILE["reset"],
}
CLAUSES_OF_CONTENT = ("security hole", "data is damaged", "database corruption")
READS_WHAT_ERRORS_SHOW = "postdeploy.errors-leak-nothing"
"""It provokes an error, and passes where that shows nothing of the inside, whoever answered it."""


@pytest.mark.parametrize(
    "kind",
    [
        kind
        if kind in {"a 502 of a gateway", "redirects without end"}
        else pytest.param(kind, marks=pytest.mark.exhaustive)
        for kind in NO_ANSWER_OF_OURS
    ],
)
def test_what_is_no_proper_answer_opens_no_hole_and_damages_no_data(kind: str, tmp_path: Path) -> None:
    """An unsigned delivery that is answered 502 was accepted by nobody; "core" is all that this shows."""
    with target(tmp_path, NO_ANSWER_OF_OURS[kind]) as environment:
        ran = run(tmp_path, environment, "-m", "postdeploy and not performance", *BESIDES_A_BROWSER).ran
    told = " ".join([ran.verdict["headline"], *(cause["title"] for cause in ran.verdict["causes"])])

    assert ran.call in {"roll_back", "inconclusive"}, ran.output
    for clause in CLAUSES_OF_CONTENT:
        assert clause not in told.casefold(), told
    about = {item["id"]: item for item in ran.verdict["items"] if item["impact"] in {"security", "data"}}
    passed = {item for item, one in about.items() if one["status"] == "passed"}
    assert passed <= {READS_WHAT_ERRORS_SHOW}
    for reason in ran.verdict["reasons"]:
        told = (reason["clause"] or "").casefold()
        assert not any(clause in told for clause in CLAUSES_OF_CONTENT), reason


ANNOYING = b"""<title>x</title><body onbeforeunload="return 'stay'"><script>
setInterval(() => { for (let n = 0; n < 50; n++) window.open(location.href) }, 1)
const grow = () => { document.body.append(...Array(10000).fill().map(() => document.createElement("div"))) }
setInterval(grow, 1)
addEventListener("load", () => { for (;;) alert(document.title) })
</script>"""
STUCK = b"<title>x</title><h1>y</h1><script>for (;;);</script>"


@pytest.mark.exhaustive
@pytest.mark.parametrize("page", [ANNOYING, STUCK], ids=["annoying", "stuck"])
def test_a_browser_survives_pages_that_mean_harm(tmp_path: Path, page: bytes) -> None:
    required()
    with target(tmp_path, saying(answer(page, head="Content-Type: text/html"))) as environment:
        measured = run(tmp_path, environment, "-m", "postdeploy", "-k", "browser")
    survived(measured, slack_s=SLACK_S * 3, most_memory=math.inf)
    assert "passed" not in {s for item, s in measured.ran.statuses.items() if "browser-" in item}


@pytest.mark.exhaustive
@pytest.mark.parametrize("phase", ["preflight", "deploy", "rollback", "followup"])
@pytest.mark.parametrize("name", ["gzip-bomb", "endless-body", "scripts", "json-deep", "dripping-body"])
def test_all_that_is_around_the_target_is_survived_too(tmp_path: Path, name: str, phase: str) -> None:
    with target(tmp_path, EVERY[name]) as environment:
        measured = run(tmp_path, environment, "-m", phase, "--commit", "9c41d07", *BESIDES_A_BROWSER)
    survived(measured)


def survived(measured: Measured, slack_s: float = SLACK_S, most_memory: float = MOST_MEMORY) -> None:
    ran = measured.ran
    assert ran.code in {10, 20, 30}, ran.output
    assert ran.call != "proceed", ran.output
    for item in ran.verdict["items"]:
        assert item["status"] == "passed" or item["message"], f"{item['id']} does not say why"
        assert "the check itself broke" not in item["message"], item["message"]
        assert item["duration_s"] < TRY_S + slack_s, f"{item['id']} took {item['duration_s']} s"
    assert measured.peak_bytes < most_memory, f"it took {measured.peak_bytes / MIB:.0f} MiB"
    assert ran.leaks == []
    page = (ran.folder / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < LARGEST_REPORT
    # Once as it is, and once as pytest-html's script puts the rows of its table into the page.
    rows = re.search(r'data-jsonblob="([^"]*)"', page)
    assert rows
    for markup in (page, unescape(rows[1])):
        assert "<script>alert" not in markup
        assert "<img src=x" not in markup
    kept = [path for path in ran.folder.rglob("*") if path.is_file() and path.suffix not in PACKED]
    files = {path.name: path.read_bytes().decode() for path in kept}
    for name, text in {**files, "the terminal": ran.output}.items():
        live = set(text) & set(LIVE_CHARACTERS)
        assert not live, f"{name} holds {sorted(map(ascii, live))}"
