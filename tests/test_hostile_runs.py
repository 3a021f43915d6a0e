"""Whole runs against targets that mean harm: they end in time, small, inert, and never with a good word."""

from __future__ import annotations

import math
import re
from html import unescape
from pathlib import Path

import pytest

from tests.browsers import required
from tests.hostile import LIVE_CHARACTERS
from tests.hostile_server import HOSTILE, SLOW, STREAMS, Behaviour, answer, saying
from tests.hostile_target import TRY_S, Measured, by_turns, run, target

MIB = 1024 * 1024
MOST_MEMORY = 300 * MIB
LARGEST_REPORT = MIB
# Of each try, its way to a stop and its clean-up included, on a machine that is busy with other tests.
SLACK_S = 8
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
    files = {path.name: path.read_bytes().decode() for path in ran.folder.rglob("*") if path.is_file()}
    for name, text in {**files, "the terminal": ran.output}.items():
        live = set(text) & set(LIVE_CHARACTERS)
        assert not live, f"{name} holds {sorted(map(ascii, live))}"
