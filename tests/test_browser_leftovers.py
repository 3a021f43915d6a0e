"""What the browser leaves behind travels to the report, and nothing in a trace is a secret."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from plugins.clients.browser_traces import harmless
from plugins.masking import Masker
from tests.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

SECRET = "TOP-SECRET-4711"

FIXTURES = """
import pytest
from plugins.evidence import RECORDER
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.result import Screenshot


@pytest.fixture
def picture(pytestconfig, request):
    tape = pytestconfig.stash[RECORDER].tape
    tape.picture(Screenshot("screenshots/a-1-before.png", "before TOY-SECRET-1"))
    yield tape
    tape.picture(Screenshot("screenshots/a-2-after.png", "after"))
"""

OPTIONAL = """
[[items]]
id = "postdeploy.browser-dashboard"
title = "Looks"
section = "Step 4"
phase = "postdeploy"
impact = "core"
part = "browser"
optional = true
"""


@MOSTLY_ALONE
def test_pictures_reach_the_verdict_and_the_evidence(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.write("toy_fixtures.py", FIXTURES)
    toy.check(
        "postdeploy/test_a.py",
        '@pytest.mark.item("postdeploy.health")\ndef test_health(picture): assert False, "x"\n',
    )
    ran = toy.run("-m", "postdeploy", *workers, env={"TOY_API_KEY": "TOY-SECRET-1"})

    [item] = [one for one in ran.verdict.items if one.id == "postdeploy.health"]
    assert [(one.file, one.caption) for one in item.screenshots] == [
        ("screenshots/a-1-before.png", "before [TOY_API_KEY]"),
        ("screenshots/a-2-after.png", "after"),
    ]
    assert len(item.attempts) == 3
    lines = [line for line in ran.evidence if line["kind"] == "result"]
    assert all(len(line["screenshots"]) == 2 for line in lines)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ('[browser]\nexecutable = "/nowhere/chromium"\n', "unverified"),
        ("", "not_applicable"),
    ],
)
def test_without_a_browser_its_items_hold_nothing_up(toy: Toy, more: str, status: str) -> None:
    toy.items({"postdeploy.health": "core"}, more=OPTIONAL)
    toy.environment(more=more)
    if not more:
        path = toy.folder / "environments" / "toy.toml"
        path.write_text(path.read_text().replace('absent = ["payments"]', 'absent = ["payments", "browser"]'))
    toy.check(
        "postdeploy/test_a.py",
        '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n'
        '@pytest.mark.item("postdeploy.browser-dashboard")\ndef test_looks(): raise SystemExit\n',
    )
    ran = toy.run("-m", "postdeploy")

    assert (ran.code, ran.verdict.recommendation.value) == (0, "proceed"), ran.out
    assert ran.statuses["postdeploy.browser-dashboard"] == status
    if status == "unverified":
        [missing] = [one for one in ran.verdict.unverified if one.item == "postdeploy.browser-dashboard"]
        assert missing.why.startswith(("[browser] executable: there is no program", "there is no browser"))
        assert "- postdeploy.browser-dashboard  unverified: " in toy.run("--plan").out


def test_pages_are_looked_at_after_all_else_and_before_what_waits(toy: Toy) -> None:
    rows = OPTIONAL + OPTIONAL.replace(
        "postdeploy.browser-dashboard", "performance.browser-load-time"
    ).replace('phase = "postdeploy"', 'phase = "performance"')
    toy.items({"postdeploy.health": "core", "postdeploy.live": "feature"}, more=rows)
    looks = "performance.browser-load-time", "postdeploy.browser-dashboard", "postdeploy.health"
    for number, item in enumerate(looks):
        toy.check(
            f"{item.partition('.')[0]}/test_{number}.py",
            f'@pytest.mark.item("{item}")\ndef test_{number}(): ...\n',
        )
    toy.check("postdeploy/test_0.py", '@pytest.mark.item("postdeploy.live")\ndef test_live(heartbeat): ...\n')
    ran = toy.run("-m", "postdeploy")

    order = [line["item"] for line in ran.evidence if line["kind"] == "result"]
    assert order == [*reversed(looks), "postdeploy.live"]


def test_a_browser_that_breaks_is_an_error_of_our_own_side(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"}, more=OPTIONAL.replace('part = "browser"\n', ""))
    toy.check(
        "postdeploy/test_a.py",
        '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n'
        '@pytest.mark.item("postdeploy.browser-dashboard")\n'
        'def test_looks(): raise NoAnswer(NoAnswerKind.BROWSER, "the browser ended in the middle")\n',
    )
    ran = toy.run("-m", "postdeploy")

    [item] = [one for one in ran.verdict.items if one.id == "postdeploy.browser-dashboard"]
    assert (item.status, item.attribution, len(item.attempts)) == ("error", "prober", 3)
    assert (ran.code, ran.verdict.recommendation.value) == (30, "inconclusive")


def packed(files: dict[str, list[dict[str, Any]] | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            lines = (
                content
                if isinstance(content, bytes)
                else b"".join(json.dumps(one).encode() + b"\n" for one in content)
            )
            archive.writestr(name, lines)
    return made.getvalue()


def unpacked(trace: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(trace)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def masker() -> Masker:
    known = Masker()
    known.learn_values({"A_KEY": SECRET})
    return known


UNKNOWN = "nobody-knows-this-one"
"""A secret that no list of credentials holds."""


def test_a_trace_keeps_what_is_harmless_and_nothing_else() -> None:
    cookies = [{"name": "session", "value": UNKNOWN}]
    headers = [{"name": "Authorization", "value": UNKNOWN}]

    field = ["INPUT", {"name": "csrfToken", "value": UNKNOWN, "__playwright_value_": UNKNOWN}]
    html = ["HTML", {}, ["P", {"class": "p"}, SECRET], ["FORM", {}, field], [[1, 2]], "text"]

    def request(url: str, kind: str, file: str, key: str = "_sha1") -> dict[str, Any]:
        return {
            "type": "resource-snapshot",
            "snapshot": {
                "_frameref": "frame@1",
                "startedDateTime": "2026-11-23T12:00:00Z",
                "request": {
                    "method": "POST",
                    "url": url,
                    "headers": headers,
                    "cookies": cookies,
                    "postData": {"text": f"password={UNKNOWN}"},
                },
                "response": {
                    "status": 200,
                    "headers": headers,
                    "cookies": cookies,
                    "content": {
                        "mimeType": kind,
                        "size": 3,
                        key: file if key == "_sha1" else f"resources/{file}",
                    },
                },
            },
        }

    trace = packed(
        {
            "trace.trace": [
                {"type": "context-options", "browserName": "chromium", "options": {"storageState": UNKNOWN}},
                {"type": "before", "method": "fill", "params": {"selector": "#password", "value": UNKNOWN}},
                {"type": "after", "result": {"value": UNKNOWN}},
                {"type": "console", "text": UNKNOWN},
                {"type": "some-event-of-tomorrow", "text": UNKNOWN},
                {
                    "type": "frame-snapshot",
                    "snapshot": {"frameUrl": f"https://x/?token={UNKNOWN}", "html": html},
                },
                {"type": "log", "message": f"filled {SECRET}"},
            ],
            "trace.network": [
                request(f"https://x/login?code={UNKNOWN}", "text/html", "page.html"),
                request("https://x/data", "application/json", "data.json"),
                request("https://x/a.css", "text/css; charset=utf-8", "style.css"),
                request("https://x/b.css", "text/css", "../../outside.css"),
                request("https://x/c.css", "text/css", "named.css", key="_file"),
                {"type": "resource-snapshot", "snapshot": "no object"},
            ],
            "trace.stacks": UNKNOWN.encode(),
            "resources/page.html": UNKNOWN.encode(),
            "resources/data.json": UNKNOWN.encode(),
            "resources/named.css": b"p {}",
            "resources/style.css": f"p::after {{ content: '{SECRET}' }}".encode(),
        }
    )
    kept = unpacked(harmless(trace, masker().data))

    assert set(kept) == {"trace.trace", "trace.network", "resources/style.css", "resources/named.css"}
    everything = b"".join(kept.values()).decode()
    assert UNKNOWN not in everything
    assert SECRET not in everything
    for shown in (
        "fill",
        "#password",
        "csrfToken",
        '"class": "p"',
        "[[1, 2]]",
        "frame@1",
        "/a.css",
        '"status": 200',
        "[A_KEY]",
    ):
        assert shown in everything


def test_a_trace_that_unpacks_without_end_is_not_kept() -> None:
    assert harmless(packed({"trace.trace": b"0" * 50_000_001}), masker().data) == b""


def test_lines_that_are_no_json_are_left_out() -> None:
    assert unpacked(harmless(packed({"trace.trace": b"{torn\n[1]\n"}), masker().data)) == {"trace.trace": b""}
