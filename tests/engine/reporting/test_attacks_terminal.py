"""Attacks on whoever reads the output: nothing in an answer acts on a terminal, a CI, or an encoder."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.masking.streams import MaskedStream, harmless
from kamiyo_verify.model.writing.text import LIVE, cut, safe_text, visible, without_ci_commands
from tests.support.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

ATTACKS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "move up and overwrite": "\x1b[3A\x1b[2K",
    "scroll region": "\x1b[1;2r",
    "set the title (OSC 0)": "\x1b]0;pwned\x07",
    "hyperlink (OSC 8)": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard (OSC 52)": "\x1b]52;c;ZXZpbA==\x07",
    "report the title back": "\x1b[21t",
    "device status": "\x1b[6n\x05",
    "DCS": '\x1bP$q"p\x1b\\',
    "APC and PM": "\x1b_payload\x1b\\\x1b^x\x1b\\",
    "8-bit CSI": "\x9b2J",
    "8-bit OSC": "\x9d0;title\x9c",
    "reset": "\x1bc",
    "character set": "\x0e\x0f\x1b(0",
    "hidden text": "\x1b[8mhidden\x1b[28m",
    "blinking": "\x1b[5m",
    "back over it": "failed\b\b\b\b\b\bpassed",
    "carriage return": "FAILED\rPASSED",
    "bell and form feed": "\x07\x0b\x0c",
    "right to left": "\u202egnp.exe\u202c",
    "isolates": "\u2066a\u2069\u2067b\u2069",
    "marks": "\u200e\u200f\u061c",
    "zero width": "pass\u200bword\u200c\u200d\u2060\ufeff",
    "fillers": "\u115f\u1160\u3164\uffa0\u00ad\u034f",
    "tags": "\U000e0041\U000e0042",
    "line separators": "a\u2028b\u2029c\x85d",
    "delete and null": "\x7f\x00",
    "a non-character": "\ufffe\uffff",
    "section of a GitLab log": "\x1b[0Ksection_start:1:x\r\x1b[0K",
}
LIVE_CHARACTERS = re.compile(f"[{LIVE}]")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def live(text: str) -> list[str]:
    """The characters of an output that can act on a reader, but for pytest's own colours."""
    return [hex(ord(char)) for char in LIVE_CHARACTERS.findall(COLOURS.sub("", text).replace("\r\n", "\n"))]


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_written_out(attack: str) -> None:
    text = f"before {ATTACKS[attack]} after"
    assert live(visible(text)) == []
    assert "\x1b" not in visible(text)
    assert visible(text).startswith("before ")
    assert visible(text).endswith(" after")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_no_attack_comes_through_a_stream_however_it_is_cut(attack: str, size: int) -> None:
    stream = io.StringIO()
    guard = MaskedStream(stream, Masker())
    text = f"before {ATTACKS[attack]} after\n"
    for start in range(0, len(text), size):
        stream.write(text[start : start + size])
    guard.release()
    assert live(stream.getvalue()) == []
    assert not re.search(r"\x1b\[[0-9;]*[^0-9;m]|\x1b[^\[]|\x1b\[(?:[0-9;]*;)?[568]m", stream.getvalue())


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_pytests_own_colours_and_progress_stay() -> None:
    for own in (
        "\x1b[31m\x1b[1mFAILED\x1b[0m",
        "\x1b[38;5;12mx\x1b[39;49;00m",
        "\x1b]9;4;1;50\x1b\\",
        "\r[ 50%]",
        "a\tb",
    ):
        stream = Terminal()
        guard = MaskedStream(stream, Masker())
        stream.write(own)
        guard.release()
        assert stream.getvalue() == own


def test_text_in_any_language_stays_as_it_is() -> None:
    for text in (
        "größer – “quoted” €",
        "日本語 한국어 العربية עברית",
        "🔧 👩‍🔧".replace("\u200d", ""),
        "a\tb\nc",
    ):
        assert visible(text) == text
        assert harmless(text) == text
        assert safe_text(text) == text


@pytest.mark.parametrize(
    "line",
    ["::error file=a::b", "::set-output name=a::b", "  ::add-mask::x", "::stop-commands::t", "##[error]x",
     "##vso[task.setvariable variable=a]b", "##teamcity[testFailed]"],
)  # fmt: skip
def test_no_line_is_a_command_to_the_ci(line: str) -> None:
    stream = io.StringIO()
    guard = MaskedStream(stream, Masker())
    stream.write(f"output\n{line}\n")
    guard.release()
    for command in (
        "::error",
        "::set-output",
        "::add-mask",
        "::stop-commands",
        "##[",
        "##vso[",
        "##teamcity[",
    ):
        assert command not in stream.getvalue()
    assert without_ci_commands("a::b [::1]:80 ## heading\n::1 is an address") == (
        "a::b [::1]:80 ## heading\n::1 is an address"
    )


def test_a_cut_is_always_marked() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"


CHECKS = """
import json, sys, warnings

ATTACKS = json.loads(open("attacks.json").read())
TEXT = " ".join(ATTACKS)

@pytest.fixture
def talkative():
    sys.stdout.write(TEXT + "\\n::error::set-up\\n")
    yield
    sys.stderr.write(TEXT + "\\n::error::teardown\\n")

@pytest.mark.item("postdeploy.health")
def test_health(talkative, measure, record, record_property, environment):
    local = TEXT
    measure("text", TEXT)
    record_property("text", TEXT)
    record(Exchange("GET", "http://x/" + TEXT, 200, 1.0, TEXT, TEXT))
    assert TEXT == "", f"answered {TEXT}"

@pytest.mark.item("postdeploy.data")
def test_data(environment):
    raise ValueError(TEXT)

@pytest.mark.item("postdeploy.list")
def test_list(environment):
    raise Unverified(TEXT)

@pytest.mark.item("postdeploy.live")
def test_live(environment):
    warnings.warn(TEXT, stacklevel=1)
    assert {"answer": TEXT} == {"answer": ""}
"""


@MOSTLY_ALONE
@pytest.mark.parametrize(
    "options",
    [(), ("-s",), ("-vv", "-l", "--tb=long", "-rA", "--color=yes"), ("--full-trace", "-o", "log_cli=true")],
    ids=" ".join,
)
def test_no_attack_reaches_any_output(toy: Toy, workers: tuple[str, ...], options: tuple[str, ...]) -> None:
    toy.write("attacks.json", json.dumps([*ATTACKS.values(), "half \ud800 a pair"]))
    toy.check("postdeploy/test_a.py", CHECKS)
    ran = toy.finished(toy.start("-m", "postdeploy", "-W", "default", *options, *workers))

    assert ran.statuses["postdeploy.health"] == "failed"
    assert live(ran.out) == []
    assert not re.search(r"^\s*::error", ran.out, re.MULTILINE)
    assert ran.report is not None
    for name in ("evidence.jsonl", "verdict.json", "deployment.md", "junit.xml", "report.html"):
        assert live((ran.report / name).read_text(encoding="utf-8")) == [], name
    assert ElementTree.fromstring((ran.report / "junit.xml").read_text()).tag == "testsuites"  # noqa: S314


PASSES = '@pytest.mark.item("postdeploy.health")\ndef test_health(environment): print("größer – ✓")\n'


def whole_run(
    toy: Toy,
    *arguments: str,
    out: int,
    err: int = subprocess.DEVNULL,
    variables: Mapping[str, str] | None = None,
) -> int:
    """A run's exit code, with its standard output led somewhere."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--env", "toy", "-m", "postdeploy", *arguments],
        cwd=toy.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=120, check=False,
        env={**os.environ, **(variables or {})},
    ).returncode  # fmt: skip


@pytest.fixture
def expected(toy: Toy) -> int:
    """The exit code of the same run where nothing is wrong with its output."""
    toy.check("postdeploy/test_a.py", PASSES)
    code = whole_run(toy, out=subprocess.DEVNULL)
    assert code in {0, 30}
    return code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("options", [(), ("-s", "-rA", "-vv")], ids=" ".join)
def test_a_full_disk_behind_the_output_keeps_the_call(
    toy: Toy, expected: int, options: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("wb") as full:
        assert whole_run(toy, *options, out=full.fileno(), err=full.fileno()) == expected
    assert toy._ran(expected, "").verdict.exit_code == expected


@pytest.mark.parametrize("options", [(), ("-s", "-rA", "-vv")], ids=" ".join)
def test_a_reader_that_went_away_keeps_the_call(toy: Toy, expected: int, options: tuple[str, ...]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        assert whole_run(toy, *options, out=writes, err=writes) == expected
    finally:
        os.close(writes)


def test_a_closed_output_keeps_the_call(toy: Toy, expected: int) -> None:
    command = f"exec '{sys.executable}' -m pytest --env toy -m postdeploy >&- 2>&-"
    ran = subprocess.run(["sh", "-c", command], cwd=toy.folder, timeout=120, check=False)
    assert ran.returncode == expected


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("options", [(), ("-s", "-rA", "-vv")], ids=" ".join)
def test_a_narrow_encoding_keeps_the_call(
    toy: Toy, expected: int, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    assert whole_run(toy, *options, out=subprocess.DEVNULL, variables=variables) == expected
